"""Streams: one audio file opened for one pass forward, by the reader that reads it rightly.

    RIFF, fLaC, OggS, FORM, .snd, caff      libsndfile, if the file is as long as it says
    NIST_1A                                 libsndfile, from behind the header that `sphere` has read
    FF FB, ID3                              libsndfile, if `mp3` finds that it will see all frames; else ffmpeg
    ftyp, wma, webm, amr, aac, ac3, ...     ffmpeg

A decoder's success is not trusted: what a file promises is known before it is decoded, and compared afterwards.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, cast

import numpy as np
import soundfile
from numpy.typing import NDArray

from ...manifests.ctc import RATE
from . import ffmpeg, mp3, ogg
from .container import promise
from .probe import HEAD, probe
from .sphere import MEND, header_bytes, sphere
from .unreadable import Truncated, Unreadable
from .window import Memory, Window

SMALL = 1 << 20
"""Bytes up to which a file is read into memory at once; longer ones are read where they lie."""
RATES = range(1000, 768_001)
"""Hz. A damaged header that tells of 1 Hz would make an hour of every second."""
DECLARED = ("m4a", "wma", "webm")
"""Kinds whose header tells seconds; of other kinds ffprobe guesses."""
LATE = 0.1
"""Seconds that ffmpeg may bring less than is declared: encoders' delays were up to 0.064 s."""
WHAT = {
    "flac": "FLAC that does not tell its length",
    "mp3": "MP3 of several parts, or of changing bit rates and without a count of its frames,",
    "ogg": "Ogg that is neither Vorbis nor Opus",
    "sphere": "SPHERE compressed by shorten",
    "wav": "WAV of this coding",
}
"""Why ffmpeg is asked for kinds that libsndfile reads."""


class Stream:
    """Audio to be read once, forward.

    `promised` is how many frames the file says it has, None if it does not; `shortfall` what is missing of it;
    `failure` is set when reading meets damage. Samples are int16 if `ready` (16 kHz mono PCM16), else float32.
    """

    def __init__(self, decoder: str, rate: int, channels: int, ready: bool, promised: int | None) -> None:
        self.decoder, self.rate, self.channels, self.ready, self.promised = decoder, rate, channels, ready, promised
        self.shortfall: str | None = None
        self.failure: Unreadable | None = None

    def read(self, frames: int) -> NDArray[Any]:
        """The next samples, [at most `frames`, channels]; none at the end, or where it is damaged."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the decoder; the file stays open."""


@contextmanager
def open_stream(file: BinaryIO, size: int) -> Iterator[Stream]:
    """The audio of `size` bytes that begins where `file` stands.

    Raises:
        Unreadable: it is no audio, or damaged where it begins.
        Truncated: it ends before its sound begins.
        NeedsFfmpeg: libsndfile does not read it, and ffmpeg is not installed.
    """
    begin = file.tell()
    head = file.read(expected := size if size <= SMALL else min(size, HEAD))
    if len(head) < expected:
        raise Truncated(f"{len(head)} of {size} bytes are there")
    source = Memory(head) if size <= SMALL else _windowed(file, begin, size)
    stream = _open(source, head[:HEAD], size)
    try:
        if stream.rate not in RATES:
            raise Unreadable(f"it has a rate of {stream.rate} Hz; those from {RATES[0]} to {RATES[-1]} Hz are read")
        yield stream
    finally:
        stream.close()


def _open(source: BinaryIO, head: bytes, size: int) -> Stream:
    found = probe(head, size)
    if found.kind != "mp3" and head[:3] == b"ID3":
        tag = mp3.after_id3(head)
        source, size = _windowed(source, tag, size - tag), size - tag
    if found.kind == "unknown":
        begins = f"it is no audio that is known here: it begins with {head[:8].hex(' ')}"
        raise Unreadable(begins if head else "it is empty")
    if found.kind == "sphere":
        return _sphere(source, size)
    if found.kind == "mp3":
        return _mp3(source, size)
    said = promise(found.kind, source, size)
    shortfall = f"{size} of {said.bytes} bytes are there" if said.bytes > size else None
    if found.kind == "ogg":
        shortfall = ogg.shortfall(source, size)
    if found.needs_ffmpeg:
        return _by_ffmpeg(source, found.kind, shortfall)
    if said.unset is not None:
        source.seek(0)
        source = _windowed(source, 0, size, source.read(said.unset) + b"\xff" * 4)
    return _by_libsndfile(source, shortfall)


def _mp3(source: BinaryIO, size: int) -> Stream:
    walked = mp3.walk(source, size)
    shortfall = walked.shortfall()
    if shortfall and not walked.cut_off:
        raise Truncated(f"{shortfall}, and where some are missing cannot be told")
    if walked.counted:
        # Without the tags around the frames: libmpg123 complains of odd ones on the terminal.
        stream = _by_libsndfile(_windowed(source, walked.begin, walked.end - walked.begin), shortfall)
        if stream.file.frames >= walked.samples:
            stream.promised = walked.promised_samples
            return stream
        stream.close()
    decoded = _by_ffmpeg(source, "mp3", shortfall)
    slack = walked.trim + 2 * walked.samples_per_frame
    if abs(len(decoded.samples) - walked.frames * walked.samples_per_frame) > slack:
        raise Unreadable(f"ffmpeg made {len(decoded.samples)} samples of its {walked.frames} frames: it is damaged")
    return decoded


def _sphere(source: BinaryIO, size: int) -> Stream:
    source.seek(0)
    head = source.read(16)
    head += source.read(header_bytes(head) - 16 + 4)
    said = sphere(head)
    if said.shorten:
        source.seek(said.begin)
        stream: Stream = _by_ffmpeg(Memory(said.shorten_header() + source.read()), "sphere", None)
        if said.samples is not None and stream.promised != said.samples:
            raise Unreadable(f"ffmpeg made {stream.promised} of its {said.samples} samples; {MEND}")
        return stream
    width = said.sample_bytes * said.channels
    there = (size - said.begin) // width
    samples = there if said.samples is None else said.samples
    raw = {
        "samplerate": said.rate,
        "channels": said.channels,
        "format": "RAW",
        "subtype": said.subtype,
        "endian": said.endian if said.sample_bytes > 1 else "FILE",
    }
    window = _windowed(source, said.begin, min(there, samples) * width)
    stream = _by_libsndfile(window, f"{there} of {samples} samples are there" if there < samples else None, **raw)
    stream.promised = samples
    return stream


def _windowed(file: BinaryIO, begin: int, size: int, head: bytes = b"") -> BinaryIO:
    """A window, or for what lies in memory and is wanted whole, that."""
    if isinstance(file, Memory) and not head:
        with file.getbuffer() as held:
            return file if (begin, size) == (0, len(held)) else Memory(held[begin : begin + size])
    return cast(BinaryIO, Window(file, begin, size, head))


class Forward(soundfile.SoundFile):
    """A SoundFile that says it cannot seek. One that can seeks after every read, to where it is: in an MP3 that
    changes the samples of the next block, by up to full scale."""

    def seekable(self) -> bool:
        return False


class _Libsndfile(Stream):
    def __init__(self, source: BinaryIO, how: dict[str, Any]) -> None:
        self.source, self.place = source, 0
        self.file = file = Forward(source, "r", **how)
        ready = file.samplerate == RATE and file.channels == 1 and file.subtype == "PCM_16"
        super().__init__("libsndfile", file.samplerate, file.channels, ready, file.frames)

    def read(self, frames: int) -> NDArray[Any]:
        if self.failure:
            return self._none(0)
        # libsndfile fills what it cannot read with zeros, which costs as much as reading it: ask for no more than is.
        out = self._none(min(frames, max(1, self.file.frames - self.place)))
        try:
            block = self.file.read(out=out)
        except soundfile.LibsndfileError as error:
            # What was decoded before the damage is there, and counted.
            block = out[: self.file.tell() - self.place]
            self.failure = self._blame(self.place + len(block), error)
        if isinstance(self.source, Window) and self.source.error:
            raise self.source.error
        self.place += len(block)
        return cast(NDArray[Any], block)

    def _none(self, frames: int) -> NDArray[Any]:
        return np.empty((frames, self.channels), np.int16 if self.ready else np.float32)

    def _blame(self, done: int, error: soundfile.LibsndfileError) -> Unreadable:
        """libFLAC loses its way alike in damage and at an early end; only at an end is nothing left to read."""
        if not self.source.read(1):
            return Truncated(f"{done} of {self.promised} frames are there")
        return Unreadable(f"damaged after {done} of {self.promised} frames: {error.error_string}")

    def close(self) -> None:
        self.file.close()


def _by_libsndfile(source: BinaryIO, shortfall: str | None, **how: Any) -> _Libsndfile:
    source.seek(0)
    try:
        stream = _Libsndfile(source, how)
    except soundfile.LibsndfileError as error:
        if shortfall:
            raise Truncated(shortfall) from error
        raise Unreadable(error.error_string) from error
    if shortfall:
        # What libsndfile reckons from is what is there.
        stream.shortfall, stream.promised = shortfall, None
    return stream


class _Ffmpeg(Stream):
    def __init__(self, decoded: ffmpeg.Decoded) -> None:
        self.samples, self.place = decoded.samples, 0
        channels = self.samples.shape[1]
        ready = self.samples.dtype == np.int16 and channels == 1 and decoded.rate == RATE
        super().__init__(f"ffmpeg {ffmpeg.version()}", decoded.rate, channels, ready, len(self.samples))

    def read(self, frames: int) -> NDArray[Any]:
        block = self.samples[self.place : self.place + frames]
        self.place += len(block)
        if self.ready or block.dtype != np.int16:
            return block
        return block.astype(np.float32) / np.float32(1 << 15)


def _by_ffmpeg(source: BinaryIO, kind: str, shortfall: str | None) -> _Ffmpeg:
    ffmpeg.require(WHAT.get(kind, kind))
    source.seek(0)
    try:
        decoded = ffmpeg.decode(source.read())
    except Unreadable as error:
        if shortfall:
            raise Truncated(shortfall) from error
        raise
    stream = _Ffmpeg(decoded)
    stream.shortfall = shortfall
    seconds = len(decoded.samples) / decoded.rate
    if kind in DECLARED and decoded.declared_seconds and seconds < decoded.declared_seconds - LATE:
        # ffmpeg leaves out what is damaged wherever it lies: no time after it could be trusted.
        raise Truncated(f"{seconds:.3f} of {decoded.declared_seconds:.3f} s are there")
    return stream
