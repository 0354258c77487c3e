"""Framing: what all kinds of features share. Samples to overlapping windows, and features to mean 0.

Axes: B utterances, N samples, T frames, F numbers a frame. Each utterance's features are those it would have
alone: nothing depends on its padding or its batch mates. Frames past an utterance's end are 0.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...manifests import UsageError

PIECE = 2
"""Utterances that a CPU works through at a time: what they need stays in its caches, in memory that is used again."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Held:
    """What features hand from one piece of a stream to the next."""

    samples_BN: Tensor
    """Those that later frames still need."""
    come: int = 0
    """Samples that have come so far."""
    made: int = 0
    """Frames that have been made of them."""
    near_BCT: Tensor
    """Frames that wait for the context after them, and those around them; of features with context."""


class Features(nn.Module):
    """What all kinds of features share: `size` numbers a frame, and a length that is known beforehand."""

    size: int

    def frames(self, samples: int) -> int:
        """How many frames `samples` samples have: one at least."""
        raise NotImplementedError

    def forward(self, samples_BN: Tensor, lengths: list[int]) -> tuple[Tensor, list[int]]:
        """Samples from -1 to 1, zero past their lengths, to (features_BTF, frames of each)."""
        frames = [self.frames(length) for length in lengths]
        if samples_BN.device.type != "cpu":
            return self.made(samples_BN, lengths, frames), frames
        features_BTF = samples_BN.new_zeros(len(lengths), max(frames), self.size)
        for start in range(0, len(lengths), PIECE):
            some = slice(start, start + PIECE)
            made_BTF = self.made(samples_BN[some, : max(lengths[some])], lengths[some], frames[some])
            features_BTF[some, : made_BTF.shape[1]] = made_BTF
        return features_BTF, frames

    def made(self, samples_BN: Tensor, lengths: list[int], frames: list[int]) -> Tensor:
        """The features of these frames, BTF."""
        raise NotImplementedError

    def begin(self, utterances: int = 1) -> Held:
        """What streams begin with.

        Raises:
            UsageError: they are whitened over the whole utterance, which is not there before it ends.
        """
        raise UsageError(
            "features that are whitened need the whole utterance: to hear a stream, train a model with "
            "features = log-spectrogram-live or mfcc-deepspeech-0.7, as the presets ds2-uni and ds1-uni"
        )

    def carry(self, samples_BN: Tensor, state: Held, last: bool) -> tuple[Tensor, Held]:
        """(features_BTF that are certain after this piece of a stream, the state for the next piece).

        What a stream still owes comes with its `last` piece, which may be empty; one without samples has no frames.
        """
        raise NotImplementedError


def cut(samples_BN: Tensor, window: int, hop: int, count: int) -> Tensor:
    """`count` frames of `window` samples each `hop`, zeros past the end."""
    missing = (count - 1) * hop + window - samples_BN.shape[1]
    return F.pad(samples_BN, (0, max(0, missing))).unfold(1, window, hop)[:, :count]


def power(spectrum: Tensor) -> Tensor:
    """The squared magnitudes of complex numbers, in less than half the time of `abs`, which guards against overflow."""
    real, imaginary = torch.view_as_real(spectrum).unbind(-1)
    return torch.addcmul(real.square(), imaginary, imaginary)


def mask(lengths: list[int], size: int, device: torch.device) -> Tensor:
    return torch.arange(size, device=device) < torch.tensor(lengths, device=device)[:, None]


def valid(frames: list[int], like_BTF: Tensor) -> Tensor:
    return mask(frames, like_BTF.shape[1], like_BTF.device)[:, :, None]


def standardise(x_BTF: Tensor, weight_BT: Tensor, correction: int) -> Tensor:
    """Mean 0 and standard deviation 1, one number each for all frames, where frame t counts `weight_BT` times."""
    count_B = weight_BT.sum(1) * x_BTF.shape[2]
    mean_B = (x_BTF.sum(2) * weight_BT).sum(1) / count_B
    centred_BTF = x_BTF - mean_B[:, None, None]
    squares_BT = torch.linalg.vector_norm(centred_BTF, dim=2).square()
    deviation_B = ((squares_BT * weight_BT).sum(1) / (count_B - correction)).sqrt()
    # A clip of digital silence has deviation 0: it stays 0 instead of becoming NaN.
    return centred_BTF.div_(deviation_B.clamp(min=1e-10)[:, None, None])
