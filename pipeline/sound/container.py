"""Containers: how many bytes a header says a file has. libsndfile reads what was cut off as a shorter file.

    52 49 46 46  24 7D 00 00  57 41 56 45      RIFF, 32 036 bytes follow, WAVE
    64 61 74 61  00 7D 00 00                   data, 32 000 bytes follow
    64 61 74 61  FF FF FF FF                   data to the end of the file: written into a pipe

Layouts: Multimedia Programming Interface 1.0 (RIFF), EBU Tech 3306 (RF64), AIFF-C draft of 1991,
NeXT's soundstruct.h (AU), Apple's Core Audio Format Specification 1.0 (CAF),
RFC 9639 section 8 (FLAC).
"""

from dataclasses import dataclass
from typing import BinaryIO

from .unreadable import Truncated

STREAMED = (0x7FFF_F000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF)
"""Sizes that writers put where they cannot come back to put the true one (sox, others, arecord, ffmpeg)."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What a header says of its file's size."""

    bytes: int
    """As many at least; 0 if it does not tell."""
    unset: int | None = None
    """Offset of a WAV's data size that was left at 0 although sound follows; libsndfile would believe it."""


def promise(kind: str, file: BinaryIO, size: int) -> Promise:
    """What the header of `file` (`size` bytes from position 0 on) says; `kind` as `probe` tells it.

    Raises:
        Truncated: the file ends before its sound begins.
    """
    file.seek(0)
    head = file.read(64)
    if kind == "wav":
        return _riff(file, size, head)
    if kind == "aiff":
        return Promise(8 + int.from_bytes(head[4:8]))
    if kind == "au":
        order = "big" if head[:4] == b".snd" else "little"
        begin, length = (int.from_bytes(head[at : at + 4], order) for at in (4, 8))  # type: ignore[arg-type]
        return Promise(0 if length in STREAMED else begin + length)
    if kind == "flac":
        return _flac(file, size)
    return _caf(file, size) if kind == "caf" else Promise(0)


def _flac(file: BinaryIO, size: int) -> Promise:
    """Only its metadata blocks tell their bytes; that all frames are there, its count of samples tells."""
    place, last = 4, False
    while not last and place < size:
        block = _at(file, place, 4)
        last, place = block[0] >= 0x80, place + 4 + int.from_bytes(block[1:])
    return Promise(place + 1)


def _riff(file: BinaryIO, size: int, head: bytes) -> Promise:
    order = "big" if head[:4] == b"RIFX" else "little"
    whole, place, long_data = _riff_size(head, order), 12, 0
    while place + 8 <= size:
        chunk = _at(file, place, 36)
        length = int.from_bytes(chunk[4:8], order)  # type: ignore[arg-type]
        if chunk[:4] == b"ds64":
            whole, long_data = 8 + int.from_bytes(chunk[8:16], "little"), int.from_bytes(chunk[16:24], "little")
        if chunk[:4] == b"data":
            begin = place + 8
            if head[:4] == b"RF64" and length == 0xFFFF_FFFF:
                return Promise(max(whole, begin + long_data))
            if length in STREAMED and begin + length > size:
                return Promise(0)
            if length == 0 and begin < size and whole <= begin:
                return Promise(0, begin - 4)
            return Promise(max(whole, begin + length))
        place += 8 + length + length % 2
    raise Truncated(f"{size} of {max(whole, place + 8)} bytes are there")


def _riff_size(head: bytes, order: str) -> int:
    length = int.from_bytes(head[4:8], order)  # type: ignore[arg-type]
    return 0 if length in STREAMED or length == 0x7FFF_F024 else 8 + length


def _caf(file: BinaryIO, size: int) -> Promise:
    place = 8
    while place + 12 <= size:
        chunk = _at(file, place, 12)
        length = int.from_bytes(chunk[4:], signed=True)
        if chunk[:4] == b"data":
            return Promise(0 if length < 0 else place + 12 + length)
        place += 12 + max(0, length)
    raise Truncated(f"{size} of {place + 12} bytes are there")


def _at(file: BinaryIO, place: int, count: int) -> bytes:
    file.seek(place)
    return file.read(count)
