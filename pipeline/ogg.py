"""Ogg: its pages, to know whether a Vorbis or Opus stream is whole.

    4F 67 67 53 00  02  00 00 00 00 00 00 00 00  5E 1A 00 00  00 00 00 00  (CRC)  01  1E  01 76 6F 72 62 69 73
    OggS            BOS granule position         serial       page 0              1 segment of 30 bytes: .vorbis

A file that was cut between or within pages decodes without an error: only its last page, which must bear the mark
of a stream's end, can tell. Pages are numbered, so lost ones are seen. Layout: RFC 3533 section 6.
"""

from typing import BinaryIO

from .unreadable import Unreadable

MAGIC = b"OggS"
END = 0x04
"""The flag of a stream's last page."""


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
        place += 27 + head[26] + sum(head[27 : 27 + head[26]])
        if place > size:
            return f"its page {pages} is cut off"
        pages, last, flags = pages + 1, number, head[5]
    return None if flags & END else f"none of its {pages} pages is marked as the last"
