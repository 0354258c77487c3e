"""A stream is heard in one thread, and what comes after it in as many as before."""

import torch

from dsprep.trainer.acoustic.threads import one_thread


def test_threads_are_one_within_and_as_before_afterwards() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
