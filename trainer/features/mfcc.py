"""The MFCCs of mozilla/DeepSpeech."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ...manifests import ctc
from ...manifests.ctc import RATE
from ...pipeline.sound.audio import FULL_SCALE
from .framing import Features, cut, mask, standardise, valid

EPSILON = 2.220446049250313e-16
"""Float64's, which python_speech_features puts in place of 0 before a logarithm."""


class Mfcc01(Features):
    """The 19 x 26 MFCCs of mozilla/DeepSpeech 0.1 (util/audio.py), by the recipe of python_speech_features.

    int16 scale, pre-emphasis 0.97, 25 ms without a window function every 10 ms, FFT 512, 26 mel filters to
    8 kHz, DCT-II, lifter 22, the first coefficient replaced by the log energy; every second frame; nine frames
    of context each side, zeros past the ends; mean 0 and standard deviation 1 (n) over the whole windowed
    matrix, one number each, so edge frames count fewer times, as there.
    """

    WINDOW = ctc.MFCC_WINDOW
    HOP = ctc.HOP
    FFT = 512
    COEFFICIENTS = 26
    CONTEXT = 9
    STRIDE = 2
    size = COEFFICIENTS * (2 * CONTEXT + 1)

    def __init__(self) -> None:
        super().__init__()
        self.filters_FM: Tensor
        self.cosines_MC: Tensor
        self.register_buffer("filters_FM", _mel_filters(self.COEFFICIENTS, self.FFT).T, persistent=False)
        self.register_buffer("cosines_MC", _lifted_cosines(self.COEFFICIENTS), persistent=False)

    def frames(self, samples: int) -> int:
        """One each 20 ms; the last window is filled up with zeros."""
        return ctc.mfcc_frames(samples)

    def made(self, samples_BN: Tensor, lengths: list[int], frames: list[int]) -> Tensor:
        scaled_BN = samples_BN * FULL_SCALE
        raised_BN = scaled_BN - 0.97 * F.pad(scaled_BN, (1, 0))[:, :-1]
        inside_BN = mask(lengths, raised_BN.shape[1], raised_BN.device)
        frames_BTN = cut(raised_BN * inside_BN, self.WINDOW, self.HOP * self.STRIDE, max(frames))
        power_BTF = torch.fft.rfft(frames_BTN, self.FFT).abs().square() / self.FFT
        energy_BT1 = _log(power_BTF.sum(2, keepdim=True))
        cepstra_BTC = _log(power_BTF @ self.filters_FM) @ self.cosines_MC
        mfcc_BTC = torch.cat([energy_BT1, cepstra_BTC[:, :, 1:]], 2)
        valid_BT1 = valid(frames, mfcc_BTC)
        near_BTC = F.pad(mfcc_BTC * valid_BT1, (0, 0, self.CONTEXT, self.CONTEXT))
        windows_BTCW = near_BTC.unfold(1, 2 * self.CONTEXT + 1, 1)
        return standardise(windows_BTCW.transpose(2, 3).flatten(2), valid_BT1, frames, correction=0)


def _log(x: Tensor) -> Tensor:
    return torch.where(x == 0, EPSILON, x).log()


def _mel_filters(count: int, fft: int) -> Tensor:
    """Triangles from 0 to half the rate on the mel scale, corners at whole bins: [count, fft // 2 + 1]."""
    top = 2595 * math.log10(1 + RATE / 2 / 700)
    hertz = [700 * (10 ** (top * i / (count + 1) / 2595) - 1) for i in range(count + 2)]
    corner = [math.floor((fft + 1) * one / RATE) for one in hertz]
    filters = torch.zeros(count, fft // 2 + 1)
    for i, (low, middle, high) in enumerate(zip(corner, corner[1:], corner[2:], strict=False)):
        for f in range(low, middle):
            filters[i, f] = (f - low) / (middle - low)
        for f in range(middle, high):
            filters[i, f] = (high - f) / (high - middle)
    return filters


def _lifted_cosines(size: int) -> Tensor:
    """The orthonormal DCT-II, its columns weighted by 1 + 11 sin(pi n / 22)."""
    cosines = torch.zeros(size, size, dtype=torch.float64)
    for n in range(size):
        scale = math.sqrt((1 if n == 0 else 2) / size) * (1 + 11 * math.sin(math.pi * n / 22))
        for m in range(size):
            cosines[m, n] = scale * math.cos(math.pi * n * (2 * m + 1) / (2 * size))
    return cosines.float()
