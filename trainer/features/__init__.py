"""Features: samples to what a model sees, batched, in float32, on whatever device they are on."""

from collections.abc import Callable

from .framing import Features
from .mfcc import Mfcc01
from .spectrogram import LogSpectrogram

FEATURES: dict[str, Callable[[], Features]] = {
    "log-spectrogram": LogSpectrogram,
    "mfcc-deepspeech-0.1": Mfcc01,
}
"""By the names of `config.PROFILES`."""

__all__ = ["FEATURES", "Features"]
