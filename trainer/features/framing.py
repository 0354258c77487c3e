"""Framing: what all kinds of features share. Samples to overlapping windows, and features to mean 0.

Axes: B utterances, N samples, T frames, F numbers a frame. Each utterance's features are those it would have
alone: nothing depends on its padding or its batch mates. Frames past an utterance's end are 0.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Features(nn.Module):
    """What all kinds of features share: `size` numbers a frame, and a length that is known beforehand."""

    size: int

    def frames(self, samples: int) -> int:
        """How many frames `samples` samples have."""
        raise NotImplementedError

    def forward(self, samples_BN: Tensor, lengths: list[int]) -> tuple[Tensor, list[int]]:
        """Samples from -1 to 1, zero past their lengths, to (features_BTF, frames of each)."""
        frames = [self.frames(length) for length in lengths]
        return self.made(samples_BN, lengths, frames), frames

    def made(self, samples_BN: Tensor, lengths: list[int], frames: list[int]) -> Tensor:
        """The features of these frames, BTF."""
        raise NotImplementedError


def cut(samples_BN: Tensor, window: int, hop: int, count: int) -> Tensor:
    """`count` frames of `window` samples each `hop`, zeros past the end."""
    missing = (count - 1) * hop + window - samples_BN.shape[1]
    return F.pad(samples_BN, (0, max(0, missing))).unfold(1, window, hop)[:, :count]


def mask(lengths: list[int], size: int, device: torch.device) -> Tensor:
    return torch.arange(size, device=device) < torch.tensor(lengths, device=device)[:, None]


def valid(frames: list[int], like_BTF: Tensor) -> Tensor:
    return mask(frames, like_BTF.shape[1], like_BTF.device)[:, :, None]


def standardise(x_BTF: Tensor, valid_BT1: Tensor, frames: list[int], correction: int) -> Tensor:
    count_B = torch.tensor(frames, device=x_BTF.device, dtype=x_BTF.dtype) * x_BTF.shape[2]
    mean_B = (x_BTF * valid_BT1).sum((1, 2)) / count_B
    centred_BTF = (x_BTF - mean_B[:, None, None]) * valid_BT1
    deviation_B = (centred_BTF.square().sum((1, 2)) / (count_B - correction)).sqrt()
    # A clip of digital silence has deviation 0: it stays 0 instead of becoming NaN.
    return centred_BTF / deviation_B.clamp(min=1e-10)[:, None, None]
