"""Waves: what is done to sound as numbers. float32, 1 the step of PCM16, so that 32767 is the loudest.

pcm       120  -45  ...  int16
wave      120. -45. ...  speed, reverb, noise and gain work on it, one after another
saturated  83  -31  ...  int16 again, rounded once; what is too loud is cut off and never wraps
"""

import math

import numpy as np
import soxr
from numpy.typing import NDArray

from ...manifests.ctc import RATE
from ...pipeline.sound.audio import FULL_SCALE, Pcm

Wave = NDArray[np.float32]
"""Sound [N], in steps of PCM16."""


def saturated(wave: Wave) -> Pcm:
    """To the nearest number of 16 bits."""
    return np.clip(np.rint(wave), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


def power(wave: Wave | Pcm) -> float:
    """Mean square; 0 for silence."""
    return float(np.square(wave, dtype=np.float64).mean()) if len(wave) else 0.0


def faster(wave: Wave, factor: float) -> Wave:
    """A wave at `factor` times its speed, pitch and all: read as if it had been recorded at another rate.

    As long as it was, divided by `factor`, to within a sample (Ko et al. 2015: Audio augmentation for speech
    recognition).
    """
    return np.asarray(soxr.resample(wave, RATE * factor, RATE, quality="HQ"), np.float32)


def louder(wave: Wave, decibels: float) -> Wave:
    """A wave with its amplitude times 10 ** (decibels / 20)."""
    return wave * np.float32(10 ** (decibels / 20))


def mixed(speech: Wave, noise: Wave, snr: float) -> Wave:
    """Speech with noise of the same length, so loud that the powers of both have a ratio of `snr` decibels.

    Powers are means over the whole clip, pauses and all. Silence has no such ratio: where either is silent, the speech
    is left as it is.
    """
    wanted, found = power(speech) / 10 ** (snr / 10), power(noise)
    return speech + noise * np.float32(math.sqrt(wanted / found)) if wanted and found else speech


def stretch(noise: Wave, length: int, place: float) -> Wave:
    """`length` samples of a noise; `place`, from 0 to below 1, says where they begin.

    Of a longer noise they are a piece; a shorter one is repeated, and may begin anywhere in itself.
    """
    repeated = len(noise) < length
    count = len(noise) if repeated else len(noise) - length + 1
    start = min(int(place * count), count - 1)
    return np.resize(np.roll(noise, -start), length) if repeated else noise[start : start + length]
