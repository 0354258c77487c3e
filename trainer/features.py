"""Features: samples to what a model sees, batched, in float32, on whatever device they are on.

Axes: B utterances, N samples, T frames, F numbers a frame. Each utterance's features are those it would have
alone: nothing depends on its padding or its batch mates. Frames past an utterance's end are 0.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..manifests import ctc
from ..manifests.ctc import RATE
from ..pipeline.sound.audio import FULL_SCALE

EPSILON = 2.220446049250313e-16
"""Float64's, which python_speech_features puts in place of 0 before a logarithm."""


class Features(nn.Module):
    """What all kinds of features share: `size` numbers a frame, and a length that is known beforehand."""

    size: int

    def frames(self, samples: int) -> int:
        """How many frames `samples` samples have."""
        raise NotImplementedError

    def forward(self, samples_BN: Tensor, lengths: list[int]) -> tuple[Tensor, list[int]]:
        """Samples from -1 to 1, zero past their lengths, to (features_BTF, frames of each)."""
        frames = [self.frames(length) for length in lengths]
        return self._features(samples_BN, lengths, frames), frames

    def _features(self, samples_BN: Tensor, lengths: list[int], frames: list[int]) -> Tensor:
        raise NotImplementedError


class LogSpectrogram(Features):
    """The 161 bins of deepspeech.pytorch V2.1 and later (loader/data_loader.py).

    Hamming window of 20 ms (periodic), every 10 ms, centred with reflected edges; log(1 + magnitude);
    then mean 0 and standard deviation 1 (n - 1) over the whole utterance, one number each.
    """

    WINDOW = RATE * 20 // 1000
    HOP = ctc.HOP
    size = WINDOW // 2 + 1

    def __init__(self) -> None:
        super().__init__()
        self.window_N: Tensor
        self.register_buffer("window_N", torch.hamming_window(self.WINDOW), persistent=False)

    def frames(self, samples: int) -> int:
        """One each 10 ms, at both ends."""
        return ctc.spectrogram_frames(samples)

    def _features(self, samples_BN: Tensor, lengths: list[int], frames: list[int]) -> Tensor:
        padded_BN = _reflect(samples_BN, lengths, self.WINDOW // 2)
        frames_BTN = _cut(padded_BN, self.WINDOW, self.HOP, max(frames))
        log_BTF = torch.fft.rfft(frames_BTN * self.window_N).abs().log1p()
        valid_BT1 = _valid(frames, log_BTF)
        return _standardise(log_BTF, valid_BT1, frames, correction=1)


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

    def _features(self, samples_BN: Tensor, lengths: list[int], frames: list[int]) -> Tensor:
        scaled_BN = samples_BN * FULL_SCALE
        raised_BN = scaled_BN - 0.97 * F.pad(scaled_BN, (1, 0))[:, :-1]
        inside_BN = _mask(lengths, raised_BN.shape[1], raised_BN.device)
        frames_BTN = _cut(raised_BN * inside_BN, self.WINDOW, self.HOP * self.STRIDE, max(frames))
        power_BTF = torch.fft.rfft(frames_BTN, self.FFT).abs().square() / self.FFT
        energy_BT1 = _log(power_BTF.sum(2, keepdim=True))
        cepstra_BTC = _log(power_BTF @ self.filters_FM) @ self.cosines_MC
        mfcc_BTC = torch.cat([energy_BT1, cepstra_BTC[:, :, 1:]], 2)
        valid_BT1 = _valid(frames, mfcc_BTC)
        near_BTC = F.pad(mfcc_BTC * valid_BT1, (0, 0, self.CONTEXT, self.CONTEXT))
        windows_BTCW = near_BTC.unfold(1, 2 * self.CONTEXT + 1, 1)
        return _standardise(windows_BTCW.transpose(2, 3).flatten(2), valid_BT1, frames, correction=0)


FEATURES: dict[str, Callable[[], Features]] = {
    "log-spectrogram": LogSpectrogram,
    "mfcc-deepspeech-0.1": Mfcc01,
}


def _cut(samples_BN: Tensor, window: int, hop: int, count: int) -> Tensor:
    """`count` frames of `window` samples each `hop`, zeros past the end."""
    missing = (count - 1) * hop + window - samples_BN.shape[1]
    return F.pad(samples_BN, (0, max(0, missing))).unfold(1, window, hop)[:, :count]


def _reflect(samples_BN: Tensor, lengths: list[int], pad: int) -> Tensor:
    """Each utterance with `pad` samples mirrored at both of its own ends, zeros after that."""
    position_N = torch.arange(-pad, samples_BN.shape[1] + pad, device=samples_BN.device)
    last_B1 = torch.tensor(lengths, device=samples_BN.device)[:, None] - 1
    folded_BN = last_B1 - (last_B1 - position_N.abs()).abs()
    inside_BN = (position_N <= last_B1 + pad) & (folded_BN >= 0)
    return samples_BN.gather(1, folded_BN.clamp(min=0)) * inside_BN


def _mask(lengths: list[int], size: int, device: torch.device) -> Tensor:
    return torch.arange(size, device=device) < torch.tensor(lengths, device=device)[:, None]


def _valid(frames: list[int], like_BTF: Tensor) -> Tensor:
    return _mask(frames, like_BTF.shape[1], like_BTF.device)[:, :, None]


def _standardise(x_BTF: Tensor, valid_BT1: Tensor, frames: list[int], correction: int) -> Tensor:
    count_B = torch.tensor(frames, device=x_BTF.device, dtype=x_BTF.dtype) * x_BTF.shape[2]
    mean_B = (x_BTF * valid_BT1).sum((1, 2)) / count_B
    centred_BTF = (x_BTF - mean_B[:, None, None]) * valid_BT1
    deviation_B = (centred_BTF.square().sum((1, 2)) / (count_B - correction)).sqrt()
    # A clip of digital silence has deviation 0: it stays 0 instead of becoming NaN.
    return centred_BTF / deviation_B.clamp(min=1e-10)[:, None, None]


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
