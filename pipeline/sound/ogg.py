"""Ogg: its pages, to know whether a Vorbis or Opus stream is whole.

    4F 67 67 53 00  02  00 00 00 00 00 00 00 00  5E 1A 00 00  00 00 00 00  (CRC)  01  1E  01 76 6F 72 62 69 73
    OggS            BOS granule position         serial       page 0              1 segment of 30 bytes: .vorbis

A file that was cut between or within pages decodes without an error: only its last page, which must bear the mark
of a stream's end, can tell. Pages are numbered, so lost ones are seen; one whose CRC is wrong every decoder
leaves out without a word, and what follows comes a second too early. Layout: RFC 3533 section 6.
"""

import zlib
from typing import BinaryIO

from .unreadable import Unreadable

MAGIC = b"OggS"
END = 0x04
"""The flag of a stream's last page."""
_MIRROR = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def shortfall(file: BinaryIO, size: int) -> str | None:
    """What is missing of the Ogg stream in `file`, `size` bytes from position 0 on; None if it is whole.

    Raises:
        Unreadable: a page in the middle is lost or damaged, or there are several streams.
    """
    place, pages, flags = 0, 0, 0
    last: int | None = None
    serials = set[bytes]()
    while place < size:
        file.seek(place)
        head = file.read(27 + 255)
        if len(head) < 27 and MAGIC.startswith(head[:4]):
            return f"its page {pages} is cut off"
        serials.add(head[14:18])
        if len(serials) > 1 and head[:4] == MAGIC:
            raise Unreadable("Ogg with several streams: convert it to WAV or FLAC")
        number = int.from_bytes(head[18:22], "little")
        if head[:4] != MAGIC or (last is not None and number != last + 1):
            raise Unreadable(f"damaged Ogg: after {pages} pages, at byte {place}, the next is not there")
        begin, place = place, place + 27 + head[26] + sum(head[27 : 27 + head[26]])
        if place > size:
            return f"its page {pages} is cut off"
        file.seek(begin)
        if not _sound(file.read(place - begin)):
            raise Unreadable(f"damaged Ogg: the page after {pages} pages, at byte {begin}, has another checksum")
        pages, last, flags = pages + 1, number, head[5]
    return None if flags & END else f"none of its {pages} pages is marked as the last"


def _sound(page: bytes) -> bool:
    """Whether a page has the checksum that it tells: CRC-32 with zlib's polynomial, but most significant bit first."""
    bare = (page[:22] + bytes(4) + page[26:]).translate(_MIRROR)
    mirrored = zlib.crc32(bare, 0xFFFF_FFFF) ^ 0xFFFF_FFFF
    return mirrored.to_bytes(4).translate(_MIRROR) == page[22:26]
