"""Intake: a sample's audio as it goes into a shard, or why it cannot.

    dsprep's own WAV, or FLAC of 16 kHz mono 16 bit    as it is, byte for byte
    anything else                                      decoded, and encoded as the sharding asks

One file that is gone, cut off, hostile or no file at all costs its own sample, and no other. Only when this process
itself is out of files or memory is the shard given up, for that is no property of a sample.
"""

from __future__ import annotations

import errno
import hashlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...manifests import DataError
from ...manifests.ctc import RATE
from ..reading import Reader
from ..screen import Reason
from ..sound.plain import LARGEST, flac_frames, flac_md5, wav_frames
from ..sound.probe import HEAD, probe
from ..sound.unreadable import NeedsFfmpeg, Truncated, Unreadable
from .placement import Item

if TYPE_CHECKING:
    from ..sound.audio import Pcm

OURS = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""What the system says when it is this process that has too much."""
LONGEST = 10 * 3600
"""Seconds of a sample that is decoded: it is held in memory, and a small file may claim to be as long as it likes."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Audio that goes into a shard."""

    form: str
    """`wav` or `flac`."""
    data: bytes | memoryview
    frames: int
    """Samples at 16 kHz."""
    sha256: str
    """Of `data`."""
    source: str = ""
    """sha256 of what the sample's file holds, where `data` is not that."""

    @property
    def converted(self) -> bool:
        """Whether `data` is not what the sample's file holds."""
        return bool(self.source)

    @property
    def seconds(self) -> float:
        """How long it is, exactly."""
        return self.frames / RATE


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a sample does not go into a shard."""

    reason: Reason
    detail: str
    """Without the path: the same on any machine."""


def take(item: Item, form: str, reader: Reader) -> Taken | Refused:
    """The audio of a sample for a shard of that form: `keep`, `wav` or `flac`.

    Raises:
        DataError: this process may not open more files, or has no memory.
    """
    if item.sample.size > LARGEST:
        return Refused(Reason.TOO_LONG, f"{item.sample.size} bytes, a WAV in a tar holds at most {LARGEST}")
    data = fetched(item, reader)
    if isinstance(data, Refused):
        return data
    return _changed(item, data) or _as_it_is(item, data, form) or _converted(item, data, form)


def fetched(item: Item, reader: Reader) -> bytes | Refused:
    """What a sample's file holds, whether it is what it should be or not.

    Raises:
        DataError: this process may not open more files, or has no memory.
    """
    try:
        return reader.fetch(item.sample)
    except OverflowError:
        return Refused(Reason.CHANGED, f"nothing lies at byte {item.sample.offset}")
    except OSError as error:
        if error.errno in OURS:
            raise DataError(
                f"{item.sample.id}: {error.strerror}: type the same command with fewer --workers"
            ) from error
        reason = Reason.NO_AUDIO if isinstance(error, FileNotFoundError | NotADirectoryError) else Reason.UNREADABLE
        return Refused(reason, error.strerror or str(error))


def _changed(item: Item, data: bytes) -> Refused | None:
    """Whether the bytes are not those that the manifest, or the record of who made them, tells of."""
    wanted = item.sample.size
    if len(data) != wanted:
        found = f"more than {wanted}" if len(data) > wanted else str(len(data))
        return Refused(Reason.CHANGED, f"it has {found} bytes, its manifest says {wanted}")
    if item.sample.sha256 and hashlib.sha256(data).hexdigest() != item.sample.sha256:
        return Refused(Reason.CHANGED, "it has other bytes than were written (sha256 differs)")
    return Refused(Reason.UNREADABLE, "it is empty") if not data else None


def _as_it_is(item: Item, data: bytes, form: str) -> Taken | Refused | None:
    """Audio that needs no conversion; None if it does."""
    if form != "flac" and (frames := wav_frames(data)) is not None:
        return Taken("wav", data, frames, _digest(item, data)) if frames else _silent()
    if form != "wav" and (frames := flac_frames(data)):
        if not item.whole:
            decoded = _decoded(data)
            if isinstance(decoded, Refused):
                return decoded
            if flac_md5(data) not in (
                None,
                hashlib.md5(decoded.astype("<i2").tobytes(), usedforsecurity=False).digest(),
            ):
                return Refused(Reason.UNREADABLE, "its sound is other than its encoder's (the MD5 in it differs)")
        return Taken("flac", data, frames, _digest(item, data))
    return None


def _digest(item: Item, data: bytes) -> str:
    """Of what a sample's file holds: if it was promised, it was compared."""
    return item.sample.sha256 or hashlib.sha256(data).hexdigest()


def _converted(item: Item, data: bytes, form: str) -> Taken | Refused:
    pcm = _decoded(data)
    if isinstance(pcm, Refused):
        return pcm
    from ..sound.audio import encode

    if form == "keep":
        form = "flac" if data[:4] == b"fLaC" else "wav"
    made = encode(pcm, form)
    return Taken(form, made, len(pcm), hashlib.sha256(made).hexdigest(), source=_digest(item, data))


def _decoded(data: bytes) -> Pcm | Refused:
    from ..sound.audio import Cut, open_audio

    if (seconds := probe(data[:HEAD], len(data)).seconds or 0) > LONGEST:
        return Refused(Reason.TOO_LONG, f"{seconds:.0f} s, at most {LONGEST} s are converted")
    try:
        with open_audio(io.BytesIO(data), len(data)) as audio:
            ((_, sound),) = audio.cuts([Cut()])
    except Unreadable as error:
        return _unreadable(error)
    if isinstance(sound, Unreadable):
        return _unreadable(sound)
    return sound if len(sound) else _silent()


def _unreadable(error: Unreadable) -> Refused:
    if isinstance(error, NeedsFfmpeg):
        return Refused(Reason.NO_DECODER, str(error))
    return Refused(Reason.TRUNCATED if isinstance(error, Truncated) else Reason.UNREADABLE, str(error))


def _silent() -> Refused:
    return Refused(Reason.TOO_SHORT, "it holds no sound")
