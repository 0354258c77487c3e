"""Room: whether the disk will hold what is to be written, asked before the first byte of it."""

import shutil
from pathlib import Path

from ..manifests import OutputError, size_text
from ..manifests.ctc import RATE
from .chunk import Clip

SHARE = {"wav": 1.0, "flac": 0.4}
"""Of 32 kB a second, at the least: FLAC leaves about half of speech."""
UNKNOWN = 1.0
"""Bytes written for a byte of audio whose head does not tell its length: most codecs need far fewer bytes."""


def needed(clip: Clip, form: str) -> float:
    """Bytes that the rows of an audio file will take at least, by what its head tells."""
    seconds = clip.audio.seconds
    if seconds is None:
        return clip.audio.size * UNKNOWN * SHARE[form]
    cut = sum(row.end - row.start for _, row in clip.rows if row.end is not None)
    whole = any(row.end is None for _, row in clip.rows)
    return (seconds if whole else min(seconds, cut)) * RATE * 2 * SHARE[form]


def check_room(out: Path, wanted: float) -> None:
    """Make sure that `wanted` bytes fit beside `out`.

    Raises:
        OutputError: they do not.
    """
    free = shutil.disk_usage(out).free
    if wanted > free:
        raise OutputError(
            f"{out}: about {size_text(wanted)} will be written, {size_text(free)} are free: make room, "
            "name a folder on another disk, or take --format flac, which needs about half"
        )
