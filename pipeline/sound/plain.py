"""Plain: 16 kHz mono PCM16 as dsprep writes it, told by its header alone.

52 49 46 46 24 7d 00 00  57 41 56 45 66 6d 74 20    RIFF$}..WAVEfmt
10 00 00 00 01 00 01 00  80 3e 00 00 00 7d 00 00    PCM, 1 channel, 16000 Hz, 32000 bytes a second
02 00 10 00 64 61 74 61  00 7d 00 00                2 bytes a sample, 16 bits, data, 32000 bytes

A WAV file with just that header (RIFF, Multimedia Programming Interface 1.0) needs no decoder. Standard library only:
a process that copies such files starts at once.
"""

import struct

from ...manifests.ctc import RATE


def wav_header(size: int) -> bytes:
    """The 44 bytes before `size` bytes of 16 kHz mono PCM16."""
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


HEADER = len(wav_header(0))
"""Bytes."""
LARGEST = (1 << 32) - 1 - 36
"""Bytes of samples that the header can tell of."""


def wav_frames(data: bytes) -> int | None:
    """How many samples a WAV file with just that header holds; None if `data` is anything else."""
    size = len(data) - HEADER
    if size < 0 or size % 2 or size > LARGEST or data[:HEADER] != wav_header(size):
        return None
    return size // 2


def flac_stream(head: bytes) -> tuple[int, int, int, int]:
    """Rate, channels, bits and samples that the STREAMINFO of a FLAC tells (RFC 9639, 8.2); 0 samples: it does not."""
    bits = int.from_bytes(head[18:26])
    return bits >> 44, (bits >> 41 & 0b111) + 1, (bits >> 36 & 0b11111) + 1, bits & (1 << 36) - 1


def flac_frames(data: bytes) -> int | None:
    """How many samples a 16 kHz mono FLAC of 16 bits promises; None of any other."""
    if data[:8] != b"fLaC\x00\x00\x00\x22" and data[:8] != b"fLaC\x80\x00\x00\x22":
        return None
    *form, samples = flac_stream(data)
    return samples or None if form == [RATE, 1, 16] else None


def flac_md5(data: bytes) -> bytes | None:
    """MD5 of the samples, two bytes each, the low one first, as the STREAMINFO of such a FLAC has it; None if unset."""
    return data[26:42] if any(data[26:42]) else None
