"""Audio: the door that all sound comes through, to 16 kHz mono PCM16, and goes out by, as WAV or FLAC bytes.

    with open_audio(file, size) as audio:
        for index, pcm in audio.cuts([Cut(start=1.5, end=4.25, channel=0), Cut()]):
            ...                             pcm: int16, one value a sample; or what is wrong with that cut
    encode(pcm, "wav")                      44 bytes of RIFF header, then the samples

Sound that is already 16 kHz mono PCM16 goes through unchanged, sample for sample. All else is mixed to mono, or one
channel chosen; resampled by soxr HQ in float32 over the whole cut; rounded to nearest and saturated (+1.0 is 32767).
"""

import io
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, BinaryIO

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from ...manifests.ctc import RATE
from .plain import wav_header
from .stream import Stream, open_stream
from .unreadable import NeedsFfmpeg, Truncated, Unreadable

__all__ = [
    "FULL_SCALE",
    "LIBRARIES",
    "Audio",
    "Cut",
    "NeedsFfmpeg",
    "Pcm",
    "Truncated",
    "Unreadable",
    "decode",
    "encode",
    "open_audio",
]

Pcm = NDArray[np.int16]

FULL_SCALE = 32_768
"""Of PCM16: +-1.0."""
BLOCK = 1 << 16
"""Samples, of all channels together, that are decoded at a time."""
WHOLE = 1 << 21
"""Samples up to which a file that is wanted whole is decoded at once."""
LIBRARIES = {
    "libsndfile": soundfile.__libsndfile_version__,
    "soundfile": soundfile.__version__,
    "soxr": version("soxr"),
}
"""What decides the bytes, by version; for what ffmpeg reads, `Audio.decoder` too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A stretch of an audio file."""

    start: float = 0.0
    """Seconds."""
    end: float | None = None
    """Seconds; None: the end of the file."""
    channel: int | None = None
    """Counted from 0; None: the mean of all."""

    def __post_init__(self) -> None:
        if not 0 <= self.start < float("inf") or not (self.end is None or self.start <= self.end < float("inf")):
            raise ValueError(f"a cut cannot go from {self.start} to {self.end} s")
        if self.channel is not None and self.channel < 0:
            raise ValueError(f"there is no channel {self.channel}")


class Audio:
    """An audio file that is open to be cut, once."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.decoder = stream.decoder
        """Who decodes it: `libsndfile`, or `ffmpeg` and its version."""

    def cuts(self, wanted: Sequence[Cut]) -> Iterator[tuple[int, Pcm | Unreadable]]:
        """Each cut's index with its sound, or with what is wrong with it, in the order in which they end.

        The file is decoded once, forward, in blocks, whatever the order of `wanted`. Memory holds a block and the
        cuts that overlap it, not the file, as long as libsndfile reads it; what ffmpeg reads is held whole.
        """
        stream = self._stream
        places = sorted((_Place(index, cut, stream) for index, cut in enumerate(wanted)), key=lambda one: one.first)
        yield from ((place.index, place.refused) for place in places if place.refused)
        coming = deque(place for place in places if not place.refused)
        step, done, under_way = _step(stream, coming), 0, list[_Place]()
        while (coming or under_way) and len(block := stream.read(step)):
            end = done + len(block)
            while coming and coming[0].first <= end:
                under_way.append(coming.popleft())
            for place in under_way:
                place.take(block, done)
                if place.ends_by(end):
                    yield place.index, place.sound()
            under_way, done = [place for place in under_way if not place.ends_by(end)], end
        for place in (*under_way, *coming):
            yield place.index, place.fault(done) or place.sound()


@contextmanager
def open_audio(file: BinaryIO, size: int) -> Iterator[Audio]:
    """The audio of `size` bytes that begins where `file`, which can seek, stands. What it is, its content tells.

    Raises:
        Unreadable: it is no audio, or damaged where it begins.
        Truncated: it ends before its sound begins.
        NeedsFfmpeg: libsndfile does not read it, or not rightly, and ffmpeg is not installed.
    """
    with open_stream(file, size) as stream:
        yield Audio(stream)


def decode(data: bytes, *, start: float = 0.0, end: float | None = None, channel: int | None = None) -> Pcm:
    """The samples of an audio file between two times in seconds, 16 kHz mono.

    Raises:
        Unreadable: not audio, damaged, not finite, or without that channel or those times.
        Truncated: shorter than its header says.
        NeedsFfmpeg: libsndfile does not read it, or not rightly, and ffmpeg is not installed.
    """
    with open_audio(io.BytesIO(data), len(data)) as audio:
        ((_, sound),) = audio.cuts([Cut(start=start, end=end, channel=channel)])
    if isinstance(sound, Unreadable):
        raise sound
    return sound


def encode(pcm: Pcm, form: str) -> memoryview:
    """`pcm` as the bytes of a 16 kHz mono file, form `wav` or `flac` (level 5)."""
    if form == "flac":
        file = io.BytesIO()
        soundfile.write(file, pcm, RATE, format="FLAC", subtype="PCM_16", compression_level=0.625)
        return file.getbuffer()
    header = np.frombuffer(wav_header(pcm.nbytes), dtype="<i2")
    return np.concatenate([header, pcm], dtype="<i2", casting="equiv").data.cast("B")


class _Place:
    """A cut in frames of its file, and what of it has been read."""

    def __init__(self, index: int, cut: Cut, stream: Stream) -> None:
        self.index, self.cut, self.stream = index, cut, stream
        self.first = round(cut.start * stream.rate)
        self.last = None if cut.end is None else round(cut.end * stream.rate)
        self.parts: list[NDArray[Any]] = []
        self.refused: Unreadable | None = None
        if cut.channel is not None and cut.channel >= stream.channels:
            self.refused = Unreadable(f"it has {stream.channels} channels, not a channel {cut.channel}")

    def take(self, block: NDArray[Any], begin: int) -> None:
        """Keep what of a block, whose first frame is number `begin`, belongs to the cut, as mono."""
        end = None if self.last is None else self.last - begin
        part = block[max(0, self.first - begin) : end]
        if self.stream.channels == 1:
            self.parts.append(part[:, 0])
        else:
            # A copy, lest the other channels be held too.
            self.parts.append(part.mean(axis=1) if self.cut.channel is None else part[:, self.cut.channel].copy())

    def ends_by(self, frame: int) -> bool:
        """Whether all of the cut lies before that frame; one to the end of the file waits for that."""
        return self.last is not None and self.last <= frame

    def sound(self) -> Pcm | Unreadable:
        """The cut as PCM; it lets go of what it held."""
        if not self.parts:
            return np.empty(0, np.int16)
        samples = self.parts[0] if len(self.parts) == 1 else np.concatenate(self.parts)
        self.parts = []
        if self.stream.ready:
            return samples
        return _to_pcm(samples, self.stream.rate)

    def fault(self, frames: int) -> Unreadable | None:
        """Why a cut that was not ended when the file did, after `frames`, cannot be had; None if it can."""
        stream, promised = self.stream, self.stream.promised
        if self.last is not None and promised is not None and self.last > promised:
            return self._outside(promised)
        if broken := broken_promise(stream, frames):
            return broken
        return self._outside(frames) if max(self.first, self.last or 0) > frames else None

    def _outside(self, frames: int) -> Unreadable:
        end = "its end" if self.cut.end is None else f"{self.cut.end} s"
        return Unreadable(f"it has {frames / self.stream.rate:.3f} s, not {self.cut.start} to {end}")


def broken_promise(stream: Stream, frames: int) -> Unreadable | None:
    """What is wrong with a file that has ended after `frames`; None if it was whole."""
    promised = stream.promised
    if stream.failure:
        return stream.failure
    if stream.shortfall:
        return Truncated(stream.shortfall)
    if promised is not None and frames < promised:
        return Truncated(f"{frames} of {promised} frames are there")
    if promised is not None and frames > promised:
        return Unreadable(f"it has {frames} frames, and tells of {promised}")
    return None


def _step(stream: Stream, waiting: Sequence[_Place]) -> int:
    """How many frames to decode at a time."""
    if len(waiting) == 1 and waiting[0].last is None and 0 < (stream.promised or 0) * stream.channels <= WHOLE:
        return stream.promised or 1
    return max(1, BLOCK // stream.channels)


def _to_pcm(samples: NDArray[np.float32], rate: int) -> Pcm | Unreadable:
    if rate != RATE and np.isfinite(samples).all():
        samples = soxr.resample(samples, rate, RATE, quality="HQ")
    return rounded(samples)


def rounded(samples: NDArray[np.float32]) -> Pcm | Unreadable:
    """Samples from -1 to 1 as PCM, to nearest and saturated; what is wrong with them if some are no numbers."""
    # Of finite samples near the greatest float32, sums, as resampling makes them, need not be finite.
    if not np.isfinite(samples).all():
        return Unreadable("it holds samples that are not numbers")
    with np.errstate(over="ignore"):
        return np.clip(np.rint(samples * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
