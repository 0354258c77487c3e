"""Finite: a network whose training went astray gives outputs that are no numbers, of which no text can be made."""

import torch
from torch import Tensor

from ...manifests import TrainingError


def check_finite(logits: Tensor) -> None:
    """Make sure that they are numbers.

    Raises:
        TrainingError: some are not.
    """
    if not torch.isfinite(logits).all():
        raise TrainingError("the model's outputs are no numbers: its training went astray, begin a new run")
