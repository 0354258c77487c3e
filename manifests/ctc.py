"""CTC: how many steps a model has for a clip, and how many a text needs. The one place that says so.

    needed("aab") == 4                         a, blank, a, b
    MODEL_STEPS["ds1"](16_000) == 50           one step each 20 ms
    fewest_steps(16_000) == 50                 of any model: what a clip must fit to be of use to all of them

Import, check and training ask the same functions, so what one of them takes, the others take.
"""

import itertools
from collections.abc import Callable, Sequence

RATE = 16_000
"""Samples per second of everything that dsprep writes."""
HOP = RATE * 10 // 1000
"""Samples from one frame of features to the next: 10 ms in both models."""
MFCC_WINDOW = RATE * 25 // 1000
"""Samples that one frame of DeepSpeech 0.1 to 0.3 sees."""
LONG_WINDOW = RATE * 32 // 1000
"""Samples that one frame of DeepSpeech 0.4 and later sees."""


def needed(labels: Sequence[object]) -> int:
    """Fewest steps in which CTC can write a text or its labels: one each, and a blank between equal neighbours."""
    return len(labels) + sum(a == b for a, b in itertools.pairwise(labels))


def mfcc_frames(samples: int) -> int:
    """Frames of DeepSpeech 0.1 to 0.3: every second one of 10 ms, the last window filled up with zeros."""
    return halved(_filled(samples, MFCC_WINDOW, HOP))


def long_mfcc_frames(samples: int) -> int:
    """Frames of DeepSpeech 0.4: one each 20 ms, the last window filled up with zeros."""
    return _filled(samples, LONG_WINDOW, 2 * HOP)


def whole_mfcc_frames(samples: int) -> int:
    """Frames of DeepSpeech 0.5 and later: one each 20 ms whose window is whole, but never none."""
    return 1 + max(0, samples - LONG_WINDOW) // (2 * HOP)


def spectrogram_frames(samples: int) -> int:
    """Frames of deepspeech.pytorch's features: one each 10 ms, at both ends."""
    return 1 + samples // HOP


def _filled(samples: int, window: int, hop: int) -> int:
    return 1 + max(0, -(-(samples - window) // hop))


def halved(size: int) -> int:
    """What a stride of 2, or a padded convolution of stride 2, leaves: the upper half."""
    return (size + 1) // 2


def deepspeech1_steps(samples: int) -> int:
    """A label a frame."""
    return mfcc_frames(samples)


def deepspeech2_steps(samples: int) -> int:
    """The first convolution takes every second frame."""
    return halved(spectrogram_frames(samples))


MODEL_STEPS: dict[str, Callable[[int], int]] = {"ds1": deepspeech1_steps, "ds2": deepspeech2_steps}
"""Label steps of each model for a number of samples, with its presets' features; others differ by one at most."""


def fewest_steps(samples: int) -> int:
    """Label steps of the model that has the fewest."""
    return min(steps(samples) for steps in MODEL_STEPS.values())
