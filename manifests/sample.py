"""Sample: one row of a manifest, in target coordinates: converted audio, normalised text."""

import re
from dataclasses import dataclass
from pathlib import Path

from .utterance import check_id, check_text

DIGEST = re.compile("[0-9a-f]{64}")
ROUNDED = 0.01
"""Seconds by which a manifest may round a length, or a time in a clip."""
LONGEST = 1e9
"""Seconds: no recording is that long, and what says so is damaged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A clip of audio that can be read with one `pread`, and its transcript."""

    id: str
    """Unique within its manifest: `[A-Za-z0-9_-]{1,95}`."""
    path: Path
    """The audio file, or the tar that holds it."""
    size: int
    """Bytes of audio."""
    transcript: str
    """Normalised text."""
    offset: int | None = None
    """Where in a tar the audio's bytes begin; None for a file of its own."""
    duration: float | None = None
    """Seconds, exactly frames / rate; None where a foreign manifest does not tell."""
    sha256: str = ""
    """Of the audio's bytes, 64 hexadecimal digits; empty where nobody tells."""
    speaker: str = ""
    """Name of the speaker, empty if unknown."""
    extras: tuple[tuple[str, str], ...] = ()
    """Further columns, as (name, value)."""

    def __post_init__(self) -> None:
        check_id(self.id)
        for name, value in (
            ("transcript", self.transcript),
            ("speaker", self.speaker),
            *self.extras,
        ):
            check_text(name, value)
        if len(dict(self.extras)) < len(self.extras):
            raise ValueError(f"{self.id}: two columns are called the same")
        if self.size < 0 or (self.offset or 0) < 0:
            raise ValueError(f"{self.id}: negative size {self.size} or offset {self.offset}")
        if self.sha256 and not DIGEST.fullmatch(self.sha256):
            raise ValueError(f"{self.id}: sha256 {self.sha256!r} is not 64 hexadecimal digits")
        if self.duration is not None and not 0 <= self.duration < LONGEST:
            raise ValueError(f"{self.id}: duration {self.duration} is not a number of seconds")
