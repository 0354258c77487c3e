"""ffmpeg, through pydub: the second reader, for what libsndfile does not read or reads wrongly.

    decode(bytes of an M4A) -> samples [n, channels], int16 or float32, and their rate, 44 100 Hz

It costs two or three processes a file, some 140 ms beside 2 ms, and holds the whole file in memory. It resamples
nothing, and mixes nothing. `ffmpeg` and `ffprobe` must both be on the PATH.
"""

import re
import shutil
import subprocess
import warnings
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .unreadable import NeedsFfmpeg, Unreadable

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
    """Whether ffmpeg and ffprobe are there to be run."""
    return bool(shutil.which("ffmpeg") and shutil.which("ffprobe"))


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
        raise NeedsFfmpeg(
            f"{what} needs ffmpeg: install it (apt install ffmpeg, or brew install ffmpeg), "
            "and type the same command again"
        )


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
        declared = mediainfo_json(BytesIO(data)).get("format", {}).get("duration")
        sound = AudioSegment.from_file(BytesIO(data), parameters=["-v", "error"])
    except (CouldntDecodeError, LookupError, ValueError, OSError) as error:
        # pydub indexes what ffprobe tells; of what is no audio it tells nothing. ffmpeg's own words end its message.
        raise Unreadable(f"ffmpeg cannot read it: {_last_line(str(error))}") from error
    samples = np.frombuffer(sound.raw_data, dtype=_DTYPES[sound.sample_width]).reshape(-1, sound.channels)
    if samples.dtype != np.int16:
        samples = samples.astype(np.float32) / np.float32(-int(np.iinfo(samples.dtype).min))
    return Decoded(samples, sound.frame_rate, float(declared) if declared else None)


def _last_line(text: str) -> str:
    # ffmpeg names its parts by where they lie in memory, which is another place each time.
    return re.sub(r" @ 0x[0-9a-f]+", "", (text.strip().splitlines() or ["it says nothing"])[-1].strip())[:200]
