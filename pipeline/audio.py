"""Audio: any file that libsndfile reads, to 16 kHz mono PCM16, as WAV or FLAC bytes.

    decode(bytes of a FLAC) -> pcm, a NumPy array of int16, one value a sample
    encode(pcm, "wav")      -> 44 bytes of RIFF header, then the samples

Sound that is already 16 kHz mono PCM16 goes through unchanged, sample for sample. All else is mixed to mono,
resampled by soxr HQ in float32 over the whole clip, rounded to nearest and saturated (+1.0 is 32767).
A decoder's success is not trusted: a file that ends before its header says is refused, not shortened.
"""

import io
import struct
from importlib.metadata import version
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from ..manifests.ctc import RATE

Pcm = NDArray[np.int16]

FULL_SCALE = 32_768
"""Of PCM16: +-1.0."""
UNKNOWN_LENGTH = 2**62
"""libsndfile gives at least this many frames for a FLAC whose header does not tell."""
LIBRARIES = {
    "libsndfile": soundfile.__libsndfile_version__,
    "soundfile": soundfile.__version__,
    "soxr": version("soxr"),
}
"""What decides the bytes, by version."""


class Unreadable(ValueError):
    """Audio that cannot be had whole and true: it is not audio, or damaged."""


class Truncated(Unreadable):
    """Audio that ends before its header says."""


def decode(data: bytes, *, start: float = 0.0, end: float | None = None, channel: int | None = None) -> Pcm:
    """The samples of an audio file between two times in seconds, 16 kHz mono.

    Raises:
        Unreadable: not audio, damaged, not finite, or without that channel or those times.
        Truncated: shorter than its header says.
    """
    _check_riff(data)
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            return _read(file, start, end, channel)
    except soundfile.LibsndfileError as error:
        raise Unreadable(error.error_string) from error


def encode(pcm: Pcm, form: str) -> memoryview:
    """`pcm` as the bytes of a 16 kHz mono file, form `wav` or `flac` (level 5)."""
    if form == "flac":
        file = io.BytesIO()
        soundfile.write(file, pcm, RATE, format="FLAC", subtype="PCM_16", compression_level=0.625)
        return file.getbuffer()
    header = np.frombuffer(wav_header(pcm.nbytes), dtype="<i2")
    return np.concatenate([header, pcm], dtype="<i2", casting="equiv").data.cast("B")


def wav_header(size: int) -> bytes:
    """The 44 bytes before `size` bytes of 16 kHz mono PCM16 (RIFF, Multimedia Programming Interface 1.0)."""
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        36 + size,
        b"WAVE",
        b"fmt ",
        16,
        1,
        1,
        RATE,
        2 * RATE,
        2,
        16,
        b"data",
        size,
    )


def _read(file: soundfile.SoundFile, start: float, end: float | None, channel: int | None) -> Pcm:
    frames = file.frames
    if frames >= UNKNOWN_LENGTH:
        raise Unreadable("its header does not tell its length")
    if channel is not None and channel >= file.channels:
        raise Unreadable(f"it has {file.channels} channels, not a channel {channel}")
    ready = file.samplerate == RATE and file.channels == 1 and file.subtype == "PCM_16"
    samples = file.read(dtype="int16" if ready else "float32", always_2d=True)
    # An MP3's frames are an estimate; elsewhere they are a promise.
    if file.format != "MP3" and len(samples) != frames:
        raise Truncated(f"{len(samples)} of {frames} frames are there")
    cut = _cut(samples, file.samplerate, start, end)
    if ready:
        return cut[:, 0]
    return _to_pcm(cut.mean(axis=1) if channel is None else cut[:, channel], file.samplerate)


def _cut(samples: NDArray[Any], rate: int, start: float, end: float | None) -> NDArray[Any]:
    first = round(start * rate)
    last = len(samples) if end is None else round(end * rate)
    if first > len(samples) or last > len(samples):
        raise Unreadable(f"it has {len(samples) / rate:.3f} s, not {start} to {end} s")
    return samples[first:last]


def _to_pcm(samples: NDArray[np.float32], rate: int) -> Pcm:
    if not np.isfinite(samples).all():
        raise Unreadable("it holds samples that are not numbers")
    if rate != RATE:
        samples = soxr.resample(samples, rate, RATE, quality="HQ")
    return np.clip(np.rint(samples * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


def _check_riff(data: bytes) -> None:
    """libsndfile reads a WAV that was cut off as a shorter one; its own size fields know better."""
    if data[:4] != b"RIFF":
        return
    promised, position = 8 + int.from_bytes(data[4:8], "little"), 12
    while position + 8 <= len(data):
        size = int.from_bytes(data[position + 4 : position + 8], "little")
        if data[position : position + 4] == b"data":
            promised = max(promised, position + 8 + size)
            break
        position += 8 + size + size % 2
    if promised > len(data):
        raise Truncated(f"{len(data)} of {promised} bytes are there")


from contextlib import contextmanager as _cm
from dataclasses import dataclass as _dc


class NeedsFfmpeg(Unreadable):
    """stub"""


@_dc(frozen=True, slots=True, kw_only=True)
class Cut:
    start: float = 0.0
    end: float | None = None
    channel: int | None = None


class Audio:
    decoder = "libsndfile"

    def __init__(self, data: bytes) -> None:
        self.data = data

    def cuts(self, wanted):  # type: ignore
        for i, c in enumerate(wanted):
            try:
                yield i, decode(self.data, start=c.start, end=c.end, channel=c.channel)
            except Unreadable as error:
                yield i, error


@_cm
def open_audio(file, size):  # type: ignore
    yield Audio(file.read())
