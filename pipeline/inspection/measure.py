"""Measure: what is true of a clip's sound, found by decoding it in worker processes.

    measure(sample) -> Sound(samples=46797, rate=16000, channels=1, digest=b"...", level=-25.1, clipped=0.0)
    measure(sample) -> "a.wav has 100 of the manifest's 44 bytes"

Of the sound itself nothing is kept: some 200 bytes a clip, however long it is.
"""

import hashlib
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import soundfile

from ...manifests import DataError, Progress, Sample, silent
from ..reading import audio_bytes
from ..sound.audio import FULL_SCALE, Pcm, Unreadable, decode
from ..workers import run

BATCH = 64
"""Clips a task of a worker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A clip, decoded."""

    samples: int
    """At 16 kHz, whatever the file's own rate."""
    rate: int | None
    """Of the file, in Hz; None where libsndfile does not read its header."""
    channels: int | None
    digest: bytes
    """SHA-256 of the samples at 16 kHz: the same sound in a WAV and in a FLAC has the same."""
    level: float
    """Root mean square in dB of full scale; -inf where all samples are zero."""
    clipped: float
    """Share of the samples that are at full scale."""


def listen(samples: Sequence[Sample], workers: int, progress: Progress = silent) -> list[Sound | str]:
    """Each clip's sound, or why it cannot be had, in the order of `samples`.

    Raises:
        OutputError: a worker process was killed.
    """
    found: dict[int, list[Sound | str]] = {}
    batches = [samples[start : start + BATCH] for start in range(0, len(samples), BATCH)]
    done = 0
    for (number, batch), heard in run(_measure_all, enumerate(batches), workers):
        found[number] = heard
        done += len(batch)
        progress("reading audio", done, len(samples), "clips")
    return [sound for number in range(len(batches)) for sound in found[number]]


def _measure_all(task: tuple[int, Sequence[Sample]]) -> list[Sound | str]:
    """One clip is in memory at a time."""
    return [measure(sample) for sample in task[1]]


def measure(sample: Sample) -> Sound | str:
    """A clip's sound, or why it cannot be had."""
    try:
        data = audio_bytes(sample)
        pcm = decode(data)
    except (DataError, Unreadable) as error:
        return str(error).removeprefix(f"{sample.id}: ")
    rate, channels = _form(data)
    return Sound(
        samples=len(pcm),
        rate=rate,
        channels=channels,
        digest=hashlib.sha256(np.ascontiguousarray(pcm).data).digest(),
        level=_level(pcm),
        clipped=_clipped(pcm),
    )


def _form(data: bytes) -> tuple[int | None, int | None]:
    try:
        info = soundfile.info(io.BytesIO(data))
    except soundfile.LibsndfileError:
        return None, None
    return info.samplerate, info.channels


def _level(pcm: Pcm) -> float:
    power = float(np.square(pcm, dtype=np.float64).mean()) if len(pcm) else 0.0
    return 10 * math.log10(power / FULL_SCALE**2) if power else -math.inf


def _clipped(pcm: Pcm) -> float:
    # A recorder that clips may do so at -32767 as well as at -32768.
    full = (pcm >= FULL_SCALE - 1) | (pcm <= 1 - FULL_SCALE)
    return float(full.mean()) if len(pcm) else 0.0
