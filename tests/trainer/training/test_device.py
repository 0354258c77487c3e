"""Where a model is computed, as a user names it."""

import pytest
import torch

from dsprep.manifests import UsageError
from dsprep.trainer.training.device import device_of


def test_unnamed_it_is_cuda_where_there_is_one() -> None:
    assert device_of(None).type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert device_of("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["tpu", "cuda:77", "meta", "", "cpu:x"])
def test_one_that_cannot_be_used_is_told_in_one_line(name: str) -> None:
    with pytest.raises(UsageError, match=rf"^--device {name}: [^\n]+$"):
        device_of(name)
