"""Features: samples to what a model sees, batched, in float32, on whatever device they are on."""

from collections.abc import Callable
from functools import partial

from .framing import Features
from .mfcc import Mfcc01, Mfcc02, Mfcc04
from .spectrogram import LiveLogSpectrogram, LogSpectrogram
from .tensorflow_mfcc import TensorflowMfcc

FEATURES: dict[str, Callable[[], Features]] = {
    "log-spectrogram": LogSpectrogram,
    "log-spectrogram-1.0": partial(LogSpectrogram, periodic=False, scale=2.0**31),
    "log-spectrogram-2.0": partial(LogSpectrogram, periodic=False, scale=32768 / 32767),
    "log-spectrogram-live": LiveLogSpectrogram,
    "mfcc-deepspeech-0.1": Mfcc01,
    "mfcc-deepspeech-0.2": Mfcc02,
    "mfcc-deepspeech-0.4": Mfcc04,
    "mfcc-deepspeech-0.5": partial(TensorflowMfcc, highest=4000.0),
    "mfcc-deepspeech-0.7": partial(TensorflowMfcc, highest=8000.0),
}
"""By the names of `config.PROFILES`."""

__all__ = ["FEATURES", "Features"]
