"""Determinism: the same machine class, the same bytes, at a price that is told.

On a CPU: one thread, for sums of two threads meet in another order. On a GPU: PyTorch's deterministic algorithms, and
the CTC loss on the CPU, for its CUDA kernel adds the gradient up in no fixed order.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def deterministic(device: torch.device) -> Iterator[str]:
    """While it lasts, the same inputs give the same weights; what that takes, for people."""
    threads, before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        if device.type == "cpu":
            torch.set_num_threads(1)
            yield f"deterministic: one thread instead of {threads}"
        else:
            yield "deterministic: sums in a fixed order, and the CTC loss on the CPU, which the GPU waits for"
    finally:
        torch.use_deterministic_algorithms(before)
        torch.set_num_threads(threads)
