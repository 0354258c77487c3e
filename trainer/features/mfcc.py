"""The MFCCs of mozilla/DeepSpeech 0.1 to 0.4, which python_speech_features made for it (util/audio.py).

release    window               frames                    whitened   here
0.1        25 ms, rectangular   every second one of 10 ms yes        mfcc-deepspeech-0.1
0.2, 0.3   25 ms, rectangular   every second one of 10 ms no         mfcc-deepspeech-0.2
0.4        32 ms, Hamming       one each 20 ms            no         mfcc-deepspeech-0.4
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ...manifests import ctc
from ...manifests.ctc import RATE
from .context import WIDTH, InContext
from .framing import mask, power

FULL_SCALE = 32_768.0
"""Of int16 samples, which the recipe takes."""
EPSILON = 2.220446049250313e-16
"""Float64's, which python_speech_features puts in place of 0 before a logarithm."""


class Mfcc(InContext):
    """19 frames of 26 MFCCs each 20 ms, by the recipe of python_speech_features.

    int16 scale, pre-emphasis 0.97, FFT 512, 26 mel filters to 8 kHz, DCT-II, lifter 22, the first coefficient
    replaced by the log energy. What the constants say differs between releases.
    """

    WINDOW = ctc.MFCC_WINDOW
    HAMMING = False
    HOP = 2 * ctc.HOP
    FFT = 512
    COEFFICIENTS = 26
    size = COEFFICIENTS * WIDTH

    def __init__(self) -> None:
        super().__init__()
        self.window_N: Tensor
        self.filters_FM: Tensor
        self.cosines_MC: Tensor
        window_N = torch.hamming_window(self.WINDOW, periodic=False, dtype=torch.float64) if self.HAMMING else None
        self.register_buffer("window_N", None if window_N is None else window_N.float(), persistent=False)
        self.register_buffer("filters_FM", _mel_filters(self.COEFFICIENTS, self.FFT).T, persistent=False)
        self.register_buffer("cosines_MC", _lifted_cosines(self.COEFFICIENTS), persistent=False)

    def frames(self, samples: int) -> int:
        """One each 20 ms; the last window is filled up with zeros."""
        return ctc.mfcc_frames(samples)

    def whole(self, samples_BN: Tensor, lengths: list[int]) -> Tensor:
        """The same after a sample of silence; the last sample must leave no trace past its utterance's end."""
        ready_BN = self.ready(F.pad(samples_BN, (1, 0)))
        return ready_BN * mask(lengths, ready_BN.shape[1], ready_BN.device)

    def ready(self, samples_BN: Tensor) -> Tensor:
        """At int16's scale, pre-emphasised."""
        scaled_BN = samples_BN * FULL_SCALE
        return scaled_BN[:, 1:] - 0.97 * scaled_BN[:, :-1]

    def coefficients(self, frames_BTN: Tensor) -> Tensor:
        """The log energy, and 25 cepstra."""
        if self.HAMMING:
            frames_BTN = frames_BTN * self.window_N
        power_BTF = power(torch.fft.rfft(frames_BTN, self.FFT)) / self.FFT
        energy_BT1 = _log(power_BTF.sum(2, keepdim=True))
        cepstra_BTC = _log(power_BTF @ self.filters_FM) @ self.cosines_MC
        return torch.cat([energy_BT1, cepstra_BTC[:, :, 1:]], 2)


class Mfcc01(Mfcc):
    """0.1: whitened."""

    WHITEN = True


class Mfcc02(Mfcc):
    """0.2 and 0.3."""


class Mfcc04(Mfcc):
    """0.4: windows of 32 ms, cut every 20 ms."""

    WINDOW = ctc.LONG_WINDOW
    HAMMING = True

    def frames(self, samples: int) -> int:
        """One each 20 ms; the last window is filled up with zeros."""
        return ctc.long_mfcc_frames(samples)


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
