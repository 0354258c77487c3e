"""ffmpeg, through pydub: the second reader, for what libsndfile does not read or reads wrongly.

    decode(bytes of an M4A) -> samples [n, channels], int16 or float32, and their rate, 44 100 Hz

It costs two or three processes a file, some 140 ms beside 2 ms, and holds the whole file in memory. It resamples
nothing, and mixes nothing. `ffmpeg` and `ffprobe` must both be on the PATH.
"""

import os
import re
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...manifests import OutputError
from .unreadable import NeedsFfmpeg, Unreadable

INSTALL = "install it (apt install ffmpeg, or brew install ffmpeg)"
"""What to do where it is not there."""
_DTYPES = {1: np.int8, 2: np.int16, 4: np.int32}


@dataclass(frozen=True, slots=True)
class Decoded:
    """What ffmpeg made of a file."""

    samples: NDArray[Any]
    """[n, channels]; int16, or float32 from -1 to 1."""
    rate: int
    """Hz."""
    declared_seconds: float | None
    """How long the file says it is; for kinds that do not say, ffprobe's guess, or None."""


def installed() -> bool:
    """Whether ffmpeg and ffprobe are there and run."""
    return all((path := shutil.which(name)) is not None and _runs(path) for name in ("ffmpeg", "ffprobe"))


@cache
def _runs(path: str) -> bool:
    try:
        return subprocess.run([path, "-version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@cache
def version() -> str:
    """Of ffmpeg, as it tells it: `5.1.9-0+deb12u1`.

    Raises:
        NeedsFfmpeg: it is not there.
    """
    require("this audio")
    told = subprocess.run(["ffmpeg", "-version"], capture_output=True, check=False).stdout.split()
    return told[2].decode("ascii", "replace") if len(told) > 2 else "of no version"


def require(what: str) -> None:
    """Refuse `what` if ffmpeg is not installed.

    Raises:
        NeedsFfmpeg: with what to do.
    """
    if not installed():
        raise NeedsFfmpeg(f"{what} needs ffmpeg: {INSTALL}, and type the same command again")


def decode(data: bytes) -> Decoded:
    """All of an audio file.

    Raises:
        NeedsFfmpeg: it is not installed.
        Unreadable: ffmpeg makes nothing of it.
    """
    require("this audio")
    with warnings.catch_warnings():
        # Of its own making: old escapes in its patterns, a deprecated module of the standard library.
        warnings.simplefilter("ignore")
        from pydub import AudioSegment
        from pydub.exceptions import CouldntDecodeError
        from pydub.utils import mediainfo_json
    try:
        with _as_file(data) as path:
            told = mediainfo_json(path)
            sound = AudioSegment.from_file(path, parameters=["-v", "error", "-xerror"])
    except CouldntDecodeError as error:
        if killed := re.search(r"returned error code: -(\d+)", str(error)):
            raise OutputError(
                f"ffmpeg was killed by signal {killed[1]}, perhaps for want of memory: type the same command again, "
                "with fewer --workers"
            ) from error
        raise Unreadable(f"ffmpeg cannot read it: {_last_line(str(error))}") from error
    except (LookupError, ValueError) as error:
        # pydub indexes what ffprobe tells; of what is no audio it tells nothing.
        raise Unreadable("ffmpeg finds no sound in it") from error
    samples = np.frombuffer(sound.raw_data, dtype=_DTYPES[sound.sample_width]).reshape(-1, sound.channels)
    if samples.dtype != np.int16:
        samples = samples.astype(np.float32) / np.float32(-int(np.iinfo(samples.dtype).min))
    return Decoded(samples, sound.frame_rate, _declared(told))


@contextmanager
def _as_file(data: bytes) -> Iterator[str]:
    """`data` under a name that ffmpeg can open and seek in, in memory where the system has such files.

    Through a pipe it would keep what it reads in /tmp, and take the end of that for the end of the file.
    """
    if not hasattr(os, "memfd_create"):
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            yield file.name
        return
    descriptor = os.memfd_create("audio")
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(data)
        yield f"/proc/{os.getpid()}/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _declared(told: dict[str, Any]) -> float | None:
    """Seconds of the sound; a film's own length may be another, so it counts only where there is no film."""
    streams = told.get("streams", [])
    sounds = [one["duration"] for one in streams if one.get("codec_type") == "audio" and "duration" in one]
    alone = all(one.get("codec_type") == "audio" for one in streams)
    whole = told.get("format", {}).get("duration") if alone else None
    declared = sounds[0] if sounds else whole
    return float(declared) if declared else None


def _last_line(text: str) -> str:
    # ffmpeg names its parts and the file by where they lie in memory, which is another place each time.
    last = (text.strip().splitlines() or ["it says nothing"])[-1].strip()
    return re.sub(r" @ 0x[0-9a-f]+|/proc/\d+/fd/\d+: ", "", last)[:200]
