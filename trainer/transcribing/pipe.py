"""Pipe: sound that comes through standard input: raw samples, or a WAV that begins now and ends when it ends.

    00 00 01 00 fe ff ...                       raw: 16 kHz, mono, 16 bits, the low byte first
    52 49 46 46 ff ff ff ff 57 41 56 45 ...     a WAV of 16 bits, whatever it says of its length, for programs that
                                                write to pipes do not know it

It is read as it comes, so that what was said a moment ago is heard now.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...manifests import DataError
from ...manifests.ctc import RATE
from ...pipeline.sound.audio import FULL_SCALE, Pcm
from ...pipeline.sound.blocks import Flow

AT_ONCE = RATE // 10
"""Frames that are waited for: less would cost more to hear than it is worth."""
MOST = 1 << 16
"""Bytes that are read at a time."""
UNKNOWN = 0x7FFF_0000
"""Bytes of samples from which on a header is not believed: who writes to a pipe fills in some number like it, or 0."""
PCM, EXTENSIBLE = 1, 0xFFFE
"""Codings of a WAV whose samples are whole numbers."""
CHUNK, CHUNKS = 1 << 24, 100
"""Bytes of what may stand before the samples of a WAV, as texts and pictures, at the most; and how many such."""
OTHERS = {
    **{b"fLaC": "FLAC", b"OggS": "Ogg", b"ID3\x02": "MP3", b"ID3\x03": "MP3", b"ID3\x04": "MP3", b"caff": "CAF"},
    **{b"FORM": "AIFF", b".snd": "AU", b"NIST": "SPHERE", b"RF64": "RF64", b"RIFX": "RIFX", b"wvpk": "WavPack"},
    **{b"\x1aE\xdf\xa3": "WebM or Matroska", b"ajkg": "Shorten", b"MAC ": "Monkey's Audio"},
}
"""First bytes that no raw samples would have but by chance."""
THESE = "send raw samples of 16 kHz, 16 bits, mono, or a WAV; or name a file"


class Coming(Protocol):
    """A file that gives what is there without waiting for more, as `sys.stdin.buffer` does."""

    def read1(self, size: int, /) -> bytes:
        """Some bytes; none at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How the samples that come are to be understood."""

    rate: int = RATE
    channels: int = 1
    bytes: int = UNKNOWN
    """Of samples."""


def pcm_from(file: Coming) -> Iterator[Pcm]:
    """The sound that comes, 16 kHz mono.

    Raises:
        DataError: it is a WAV of another coding, or sound of another kind.
    """
    held = _at_least(file, b"", 8)
    if kind := "MP4" if held[4:8] == b"ftyp" else OTHERS.get(held[:4]):
        raise DataError(f"standard input is {kind}: {THESE}")
    form = Form()
    if held[:4] == b"RIFF":
        form, held = _form(file, held)
    if (form.rate, form.channels) == (RATE, 1):
        yield from (block_NC[:, 0] for block_NC in _blocks(file, held, form))
        return
    flow = Flow(form.rate)
    for block_NC in _blocks(file, held, form):
        yield flow.take(block_NC / np.float32(FULL_SCALE))
    yield flow.take(np.zeros((0, form.channels), np.float32), last=True)


def _blocks(file: Coming, held: bytes, form: Form) -> Iterator[NDArray[np.int16]]:
    """The samples, [N, channels], the first of them in `held`; after those that a WAV promises there may be others."""
    width, left = 2 * form.channels, form.bytes if 0 < form.bytes < UNKNOWN else None
    size = width * AT_ONCE
    while held := _at_least(file, held, size if left is None else min(left, size)):
        whole = len(held[:left]) // width * width
        yield np.frombuffer(held[:whole], "<i2").astype(np.int16).reshape(-1, form.channels)
        left = None if left is None else left - whole
        if whole < size or left == 0:
            return
        held = held[whole:]


def _at_least(file: Coming, held: bytes, size: int) -> bytes:
    """`held` and what comes after it, of that size if the file has so much; more only if it was there at once."""
    parts, length = [held], len(held)
    while length < size and (more := file.read1(MOST)):
        parts.append(more)
        length += len(more)
    return b"".join(parts)


def _form(file: Coming, held: bytes) -> tuple[Form, bytes]:
    """The form of a WAV, and what has come of its samples."""
    held = _at_least(file, held, 12)
    if held[8:12] not in (b"WAVE", b""):
        raise DataError(f"standard input is no WAV, though it begins as one: {THESE}")
    held, form = held[12:], None
    for _ in range(CHUNKS):
        held = _at_least(file, held, 8)
        name, size = held[:4], int.from_bytes(held[4:8], "little")
        if name == b"data" and form:
            return replace(form, bytes=size), held[8:]
        held = _at_least(file, held, 8 + min(size, CHUNK) + 1)
        if size > CHUNK or len(held) < 8 + size:
            break
        if name == b"fmt ":
            form = _understood(held[8 : 8 + size])
        held = held[8 + size + size % 2 :]
    raise DataError("standard input begins as a WAV, but no samples follow: send it whole, or raw samples")


def _understood(fmt: bytes) -> Form:
    if len(fmt) < 16:
        raise DataError("standard input begins as a WAV with a damaged header")
    coding, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", fmt)
    if coding not in (PCM, EXTENSIBLE) or bits != 16 or not channels or not 1000 <= rate <= 768_000:
        raise DataError(
            f"standard input is a WAV of coding {coding}, {bits} bits, {channels} channels, {rate} Hz: "
            "send one of 16 bits (ffmpeg -i FILE -f wav -c:a pcm_s16le -)"
        )
    return Form(rate=rate, channels=channels)
