"""Probe: what kind of audio a file holds, by its first bytes; its name is not asked.

66 4C 61 43 00 00 00 22        fLaC, STREAMINFO of 34 bytes
00 00 00 20 66 74 79 70        ....ftyp: MP4 or M4A, which ffmpeg reads
"""

from dataclasses import dataclass

from .mp3 import after_id3, estimate
from .mpeg import frame
from .plain import flac_stream
from .sphere import MAGIC, sphere
from .unreadable import Unreadable

HEAD = 4096
"""Bytes that `probe` likes to see."""

_BEGINS = (  # the first bytes, what it is, whether only ffmpeg reads it
    (b".snd", "au", False),
    (b"dns.", "au", False),
    (b"caff", "caf", False),
    (b"\x1aE\xdf\xa3", "webm", True),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "wma", True),
    (b"#!AMR", "amr", True),
    (b"\x0bw", "ac3", True),
    (b"ajkg", "shorten", True),
    (b"wvpk", "wavpack", True),
    (b"MAC ", "ape", True),
)
_WAV_CODINGS = (1, 2, 3, 6, 7, 0x11, 0x31, 0xFFFE)
"""Of a WAV that libsndfile reads: PCM, MS ADPCM, float, A-law, mu-law, IMA ADPCM, GSM 6.10, extensible."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What a file seems to be."""

    kind: str
    """`wav`, `flac`, `mp3`, `ogg`, `sphere`, `aiff`, `au`, `caf`; those for ffmpeg; or `unknown`."""
    seconds: float | None = None
    """How long it is, for an estimate of disk space and no more; None if its head does not tell."""
    needs_ffmpeg: bool = False
    """Whether libsndfile cannot read it, or not rightly."""


def probe(head: bytes, size: int) -> Probe:
    """What a file of `size` bytes is that begins with `head` (`HEAD` bytes of it, or all)."""
    if head[:3] == b"ID3":
        # An ID3 tag may stand before other things than MP3, but hardly ever does.
        inner = head[after_id3(head) :]
        return _probe(inner, size) if inner else Probe("mp3")
    return _probe(head, size)


def _probe(head: bytes, size: int) -> Probe:
    if head[:4] in (b"RIFF", b"RIFX", b"RF64") and head[8:12] == b"WAVE":
        return _wav(head, size)
    if head[:4] == b"fLaC":
        return _flac(head)
    if head[:4] == b"OggS":
        return _ogg(head, size)
    if head[:8] == MAGIC:
        return _sphere(head)
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return Probe("aiff")
    if head[4:8] == b"ftyp":
        return Probe("m4a", needs_ffmpeg=True)
    if len(head) > 2 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return Probe("aac", needs_ffmpeg=True)
    if frame(head):
        return Probe("mp3", estimate(head, size))
    found = next(((kind, ffmpeg) for magic, kind, ffmpeg in _BEGINS if head.startswith(magic)), ("unknown", False))
    return Probe(found[0], None, found[1])


def _wav(head: bytes, size: int) -> Probe:
    order = "big" if head[:4] == b"RIFX" else "little"
    place = head.find(b"fmt ", 12)
    if place < 0 or place + 24 > len(head):
        return Probe("wav")
    coding, per_second = (
        int.from_bytes(head[place + at : place + at + count], order)  # type: ignore[arg-type]
        for at, count in ((8, 2), (16, 4))
    )
    return Probe("wav", size / per_second if per_second else None, coding not in _WAV_CODINGS)


def _flac(head: bytes) -> Probe:
    if len(head) < 26:
        return Probe("flac")
    rate, _, _, samples = flac_stream(head)
    return Probe("flac", samples / rate if rate and samples else None, samples == 0)


def _ogg(head: bytes, size: int) -> Probe:
    if len(head) < 27:
        return Probe("ogg")
    packet = head[27 + head[26] :]
    if packet[:8] == b"OpusHead":
        return Probe("ogg")
    nominal = int.from_bytes(packet[20:24], "little", signed=True)
    vorbis = packet[:7] == b"\x01vorbis"
    return Probe("ogg", 8 * size / nominal if vorbis and nominal > 0 else None, not vorbis)


def _sphere(head: bytes) -> Probe:
    try:
        found = sphere(head)
    except Unreadable:
        return Probe("sphere")
    return Probe("sphere", None if found.samples is None else found.samples / found.rate, found.shorten)
