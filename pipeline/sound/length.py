"""Length: how long a clip is, exactly, from as few of its bytes as tell.

    52 49 46 46 24 7D 00 00 57 41 56 45  ...  64 61 74 61 00 7D 00 00     RIFF: 32 000 bytes of samples, 2 a frame
    66 4C 61 43 00 00 00 22  ...  0A C4 40 F0 00 00 3E 80                 fLaC: 16 kHz, 16 000 samples

A WAV and a FLAC tell it in their first bytes; all else is opened as if to be decoded, which counts the frames of an
MP3, and decodes in full what ffmpeg reads. Decoding brings as much, or says what is wrong: a FLAC that is damaged
further on is found only then.
"""

import struct
from typing import BinaryIO

from .plain import flac_stream
from .probe import HEAD
from .stream import RATES, open_stream
from .unreadable import Truncated

_FRAMED = (1, 3, 6, 7, 0xFFFE)
"""WAV codings whose frames all take the same bytes: PCM, float, A-law, mu-law, extensible."""


def exact_seconds(file: BinaryIO, size: int) -> float:
    """Frames / rate of the audio of `size` bytes that begins where `file`, which can seek, stands.

    Raises:
        Unreadable: it is no audio, damaged where it begins, shorter than it says, or needs ffmpeg, which is not there.
    """
    begin = file.tell()
    head = file.read(min(size, HEAD))
    frames, rate = _riff(head, size) if head[:4] == b"RIFF" else _flac(head) if head[:4] == b"fLaC" else (0, 0)
    if frames and rate in RATES:
        return frames / rate
    file.seek(begin)
    with open_stream(file, size) as stream:
        if stream.shortfall or stream.promised is None:
            raise Truncated(stream.shortfall or "it does not tell how long it is")
        return stream.promised / stream.rate


def _riff(head: bytes, size: int) -> tuple[int, int]:
    """Frames and rate of a WAV that is as its header says; (0, 0) if there is anything to doubt."""
    place, rate, frame = 12, 0, 0
    while head[8:12] == b"WAVE" and place + 24 <= len(head) and 8 + _number(head, 4) <= size:
        name, length = head[place : place + 4], _number(head, place + 4)
        if name == b"data":
            whole = length and frame and place + 8 + length <= size
            return (length // frame, rate) if whole else (0, 0)
        if name == b"fmt ":
            coding, channels, rate, _, frame, bits = struct.unpack_from("<HHIIHH", head, place + 8)
            if coding not in _FRAMED or frame != channels * ((bits + 7) // 8):
                break
        place += 8 + length + length % 2
    return 0, 0


def _flac(head: bytes) -> tuple[int, int]:
    """Frames and rate; (0, 0) where STREAMINFO does not tell them, or nothing follows it."""
    rate, _, _, samples = flac_stream(head)
    return (samples, rate) if len(head) > 42 else (0, 0)


def _number(head: bytes, place: int) -> int:
    return int.from_bytes(head[place : place + 4], "little")
