"""The MFCCs of mozilla/DeepSpeech 0.5 to 0.9 and of Coqui STT, which two operations of TensorFlow made for them.

    release            mel filters          here
    0.5, 0.6           20 Hz to 4,000 Hz    mfcc-deepspeech-0.5
    0.7 - 0.9, Coqui   20 Hz to 8,000 Hz    mfcc-deepspeech-0.7

Sources: util/feeding.py of DeepSpeech for the settings; tensorflow/core/kernels/spectrogram.cc, mfcc.cc,
mfcc_mel_filterbank.cc and mfcc_dct.cc for what the operations do.
"""

import math

import torch
from torch import Tensor

from ...manifests import ctc
from ...manifests.ctc import RATE
from .context import WIDTH, InContext
from .framing import power

LOWEST = 20.0
"""Hertz, where the first filter begins."""
FLOOR = 1e-12
"""Of what a filter lets through, before the logarithm."""


class TensorflowMfcc(InContext):
    """19 frames of 26 MFCCs each 20 ms, not whitened; `highest` in hertz is where the last mel filter ends.

    Periodic Hann window of 32 ms, 40 mel filters over magnitudes, logarithm, DCT-II. Only whole windows make frames. Of
    a clip shorter than one TensorFlow makes none; here it is filled up with zeros to one, so that it can be heard.
    """

    WINDOW = ctc.LONG_WINDOW
    HOP = 2 * ctc.HOP
    FILTERS = 40
    COEFFICIENTS = 26
    size = COEFFICIENTS * WIDTH

    def __init__(self, highest: float) -> None:
        super().__init__()
        self.window_N: Tensor
        self.filters_FM: Tensor
        self.cosines_MC: Tensor
        self.register_buffer("window_N", torch.hann_window(self.WINDOW, dtype=torch.float64).float(), persistent=False)
        self.register_buffer("filters_FM", _mel_filters(self.FILTERS, self.WINDOW // 2 + 1, highest), persistent=False)
        self.register_buffer("cosines_MC", _cosines(self.FILTERS, self.COEFFICIENTS), persistent=False)

    def frames(self, samples: int) -> int:
        """One each 20 ms that has a whole window."""
        return ctc.whole_mfcc_frames(samples)

    def coefficients(self, frames_BTN: Tensor) -> Tensor:
        """Logarithms of what each filter lets through, their cosine transform."""
        magnitude_BTF = power(torch.fft.rfft(frames_BTN * self.window_N)).sqrt_()
        return (magnitude_BTF @ self.filters_FM).clamp_(min=FLOOR).log_() @ self.cosines_MC


def _mel(hertz: Tensor) -> Tensor:
    return 1127 * torch.log1p(hertz / 700)


def _mel_filters(count: int, bins: int, highest: float) -> Tensor:
    """Triangles whose corners lie evenly on the mel scale, at no whole bins, without bin 0: [bins, count]."""
    step = RATE / 2 / (bins - 1)
    ends = _mel(torch.tensor([LOWEST, highest], dtype=torch.float64))
    corners = torch.linspace(float(ends[0]), float(ends[1]), count + 2, dtype=torch.float64)
    bin_F = torch.arange(bins)
    mel_F1 = _mel(bin_F.double() * step)[:, None]
    rising_FM = (mel_F1 - corners[:-2]) / (corners[1:-1] - corners[:-2])
    falling_FM = (corners[2:] - mel_F1) / (corners[2:] - corners[1:-1])
    used_F1 = (bin_F >= int(1.5 + LOWEST / step)) & (bin_F <= int(highest / step))
    return (torch.minimum(rising_FM, falling_FM).clamp(min=0) * used_F1[:, None]).float()


def _cosines(filters: int, coefficients: int) -> Tensor:
    """The DCT-II times sqrt(2 / filters), the first column too: [filters, coefficients]."""
    middle_M1 = (torch.arange(filters, dtype=torch.float64) + 0.5)[:, None]
    angles_MC = math.pi / filters * middle_M1 * torch.arange(coefficients)
    return (math.sqrt(2 / filters) * angles_MC.cos()).float()
