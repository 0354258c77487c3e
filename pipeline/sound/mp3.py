"""MP3: its frames, walked without decoding, to know what a decoder must deliver before one is trusted.

    49 44 33 04 ...                 an ID3v2 tag, any number of them
    FF FB 94 C4 ... Xing ...        a frame that carries no sound: how many frames follow, how many samples to drop
    FF FB 94 C4 ...                 frames: MPEG 1, layer III, 128 kbit/s, 48 kHz, mono; 1152 samples each
    54 41 47 ...                    an ID3v1 tag, 128 bytes; or one of APE

libsndfile reads a stream without a true count as far as its first bit rate would reach (43 056 of 145 152 samples
of a VBR stream), and says nothing when frames are missing. Neither is seen in what it returns, so the walk decides.

Tags: ID3v2.4.0 section 3.1, "Xing/Info" and its LAME
extension as LAME writes it, "VBRI" as Fraunhofer's encoder writes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from .mpeg import Frame, frame, frame_sizes
from .unreadable import Unreadable

BLOCK = 1 << 20
"""Bytes walked at a time."""
VBRI = b"VBRI"
TAG_BYTES = 192
"""The longest header of a frame, side information and VBR tag that the walk looks at, in bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mp3:
    """An MP3 stream, walked to its end."""

    rate: int
    channels: int
    frames: int
    """That carry sound."""
    samples_per_frame: int
    promised: int | None
    """Frames that a Xing, Info or VBRI tag says there are; None without one."""
    vbri: bool
    """Whether that tag is VBRI, which libsndfile does not know."""
    trim: int
    """Samples that a LAME tag has the decoder drop, at both ends together."""
    vbr: bool
    """Whether the bit rate changes."""
    begin: int
    """Offset of the first frame."""
    end: int
    """Offset past the last whole frame."""
    cut_off: bool
    """Whether a last frame is there only in part."""
    seams: int
    """Places within the stream where tags lie: two files were joined."""
    junk: int
    """Bytes after `end` that are neither a tag nor zeros nor part of a frame."""

    @property
    def samples(self) -> int:
        """Of each channel that a decoder must deliver."""
        return max(0, self.frames * self.samples_per_frame - self.trim)

    @property
    def promised_samples(self) -> int:
        """Of each channel that there would be if no frame were missing."""
        return max(self.samples, (self.promised or 0) * self.samples_per_frame - self.trim)

    @property
    def counted(self) -> bool:
        """Whether libsndfile knows how long it is: it trusts a tag's count, and reckons with the first bit rate."""
        if self.seams or self.vbri:
            return False
        return not self.vbr if self.promised is None else self.promised >= self.frames

    def shortfall(self) -> str | None:
        """What is missing at its end; None if it is whole.

        A file without a tag that was cut exactly between two frames cannot be told from a whole one.

        Raises:
            Unreadable: something that is no frame follows, and not after the last one that the tag counts.
        """
        whole = self.promised is not None and self.frames >= self.promised
        if self.junk and not whole:
            raise Unreadable(f"damaged MP3: {self.junk} bytes from byte {self.end} on are no frames of it")
        if self.promised is not None:
            return None if whole else f"{self.frames} of {self.promised} MP3 frames are there"
        return f"its last MP3 frame, after {self.frames}, is cut off" if self.cut_off else None


def walk(file: BinaryIO, size: int) -> Mp3:
    """The frames of the MP3 stream in `file`, `size` bytes from its position 0.

    Raises:
        Unreadable: no frame is where the first must be, or it is in free format, which tells no length.
    """
    begin = _skip_tags(file, 0, size)
    head = _at(file, begin, TAG_BYTES)
    first = frame(head)
    if first is None or not first.bytes:
        what = "an MP3 in free format, which tells no length" if first else "no MP3, though it begins like one"
        raise Unreadable(f"{what}; convert it to WAV")
    tag = _vbr_tag(head, first)
    run = _run(file, begin + (first.bytes if tag else 0), size, frame_sizes(head[1] & 0xFE, head[2] >> 2 & 3))
    promised, trim = tag or (None, 0)
    return Mp3(
        rate=first.rate,
        channels=first.channels,
        frames=run.frames,
        samples_per_frame=first.samples,
        promised=promised,
        vbri=tag is not None and head[36:40] == VBRI,
        trim=trim,
        vbr=len({head[2] >> 4 for head in run.heads}) > 1,
        begin=begin,
        end=run.end,
        cut_off=run.cut_off,
        seams=run.seams,
        junk=run.junk,
    )


@dataclass(frozen=True, slots=True)
class _Run:
    """Frames that follow each other."""

    frames: int
    heads: set[bytes]
    end: int
    cut_off: bool
    seams: int
    junk: int


def _run(file: BinaryIO, begin: int, size: int, sizes: Mapping[bytes, int]) -> _Run:
    frames, heads, place, seams = 0, set[bytes](), begin, 0
    while True:
        data, offset, step = _at(file, place, BLOCK), 0, 0
        # This loop is the walk's whole cost: a slice, a look-up, an addition to a set.
        while found := sizes.get(head := data[offset : offset + 3]):
            step = found
            offset += step
            frames += 1
            heads.add(head)
        place += offset
        if place > size:
            return _Run(frames - 1, heads, place - step, True, seams, 0)
        if offset and offset + 3 > len(data) and place + 3 <= size:
            continue
        after = _skip_tags(file, place, size)
        if after == size:
            return _Run(frames, heads, place, False, seams, 0)
        rest = _at(file, after, 3)
        if rest in sizes:
            place, seams = after, seams + 1
            continue
        cut_off = after == place and size - place < 3 and any(known.startswith(rest) for known in sizes)
        return _Run(frames, heads, place, cut_off, seams, 0 if cut_off else size - after)


def _vbr_tag(head: bytes, first: Frame) -> tuple[int | None, int] | None:
    """(frames that follow, samples to drop) of a first frame that is a Xing, Info or VBRI tag; None if it is sound."""
    if head[36:40] == VBRI:
        return int.from_bytes(head[50:54]), 0
    if head[first.side : first.side + 4] not in (b"Xing", b"Info") or len(head) < first.side + 8:
        return None
    flags, place = head[first.side + 7], first.side + 8
    promised = int.from_bytes(head[place : place + 4]) if flags & 1 else None
    # Frames, bytes, a table of contents, a quality: each is there if its flag is.
    lame = place + sum(length for bit, length in enumerate((4, 4, 100, 4)) if flags >> bit & 1)
    gaps = int.from_bytes(head[lame + 21 : lame + 24]) if head[lame : lame + 1] > b"\0" else 0
    return promised, (gaps >> 12) + (gaps & 0xFFF)


def _skip_tags(file: BinaryIO, place: int, size: int) -> int:
    """Where the ID3v2, ID3v1, APE tags and zeros that begin at `place` end."""
    while place < size:
        head = _at(file, place, 32)
        if head[:3] == b"ID3":
            step = after_id3(head)
        elif head[:3] == b"TAG":
            step = 128
        elif head[:8] == b"APETAGEX" and len(head) == 32:
            step = 32 + int.from_bytes(head[12:16], "little")
        else:
            step = len(head) - len(head.lstrip(b"\0"))
        if not step:
            return place
        place += step
    return size


def after_id3(head: bytes) -> int:
    """Bytes of the ID3v2 tag that `head` begins with."""
    if len(head) < 10:
        return len(head)
    return (20 if head[5] & 0x10 else 10) + (head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9])


def estimate(head: bytes, size: int) -> float | None:
    """About how many seconds an MP3 of `size` bytes lasts that begins with `head`: by its tag or first bit rate."""
    first = frame(head)
    if first is None or not first.bytes:
        return None
    promised, _ = _vbr_tag(head, first) or (None, 0)
    return (promised or size / first.bytes) * first.samples / first.rate


def _at(file: BinaryIO, place: int, count: int) -> bytes:
    file.seek(place)
    return file.read(count)
