"""MPEG audio frame headers, which tell all about a frame but its sound.

    FF FB 94 C4        1111 1111 111 11 01 1   1001 01 0 0   11 00 0 1 00
                       sync, MPEG 1, layer III, no checksum; 128 kbit/s, 48 kHz, not padded; mono
                       384 bytes, 1152 samples

Source: ISO/IEC 11172-3 section 2.4.1.3 and 2.4.2.3, 13818-3 section 2.4.2.3 for MPEG 2; MPEG 2.5 is Fraunhofer's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

_KBITS = {  # by (MPEG 1?, layer): the bit rates of the indices 1 to 14, kbit/s
    (True, 1): range(32, 449, 32),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = (44_100, 48_000, 32_000)
_SHIFTS = {3: 0, 2: 1, 0: 2}  # MPEG 1, 2 and 2.5 by the version bits: their rates are halved so often


@dataclass(frozen=True, slots=True)
class Frame:
    """What a frame's header says."""

    layer: int
    rate: int
    """Hz."""
    channels: int
    samples: int
    """In the frame, of each channel."""
    bytes: int
    """Of the whole frame; 0 in free format, which does not tell."""
    side: int
    """Bytes from the frame's begin to where a VBR tag would be."""


def frame(head: bytes) -> Frame | None:
    """The frame that begins with these (at least four) bytes; None if none does."""
    if len(head) < 4 or head[0] != 0xFF or head[1] < 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    kbits, rate = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer == 4 or kbits == 15 or rate == 3:
        return None
    hertz = _RATES[rate] >> _SHIFTS[version]
    samples = 384 if layer == 1 else 576 if layer == 3 and version != 3 else 1152
    mono = head[3] >> 6 == 3
    side = (9 if mono else 17) if version != 3 else (17 if mono else 32)
    bits = 1000 * _KBITS[version == 3, layer][kbits - 1] if kbits else 0
    padding = head[2] >> 1 & 1
    size = 4 * (12 * bits // hertz + padding) if layer == 1 else samples // 8 * bits // hertz + padding
    return Frame(layer, hertz, 1 if mono else 2, samples, size if kbits else 0, 4 + side)


@lru_cache(maxsize=64)
def frame_sizes(second: int, rate: int) -> Mapping[bytes, int]:
    """Bytes of a frame by the first three bytes of its header, for one version, layer and rate."""
    heads = (
        bytes((0xFF, second & 0xFE | crc, kbits << 4 | rate << 2 | low))
        for crc in (0, 1)
        for kbits in range(1, 15)
        for low in range(4)
    )
    return {head: one.bytes for head in heads if (one := frame(head + b"\0"))}
