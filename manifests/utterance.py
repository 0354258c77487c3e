"""Utterance: one row of a corpus in source coordinates, as an importer yields it.

Utterance(
    id="1272-128104-0000",
    audio="LibriSpeech/dev-clean/1272/128104/1272-128104-0000.flac",
    text="MISTER QUILTER IS THE APOSTLE OF THE MIDDLE CLASSES",
    speaker="1272",
)
"""

import re
from dataclasses import dataclass
from typing import Literal

ID = re.compile(r"[A-Za-z0-9_-]{1,95}")
"""What an id may be. A webdataset key ends at its first dot, and USTAR holds names of 100 bytes, `.json` among them."""


def check_id(value: str) -> None:
    """Raise ValueError unless `value` can be a file name, a webdataset key and a CSV cell everywhere."""
    if not ID.fullmatch(value):
        raise ValueError(f"id {value!r} is not 1 to 95 of A-Z a-z 0-9 _ -")


def cleaned(name: str) -> str:
    """What of `name` an id can hold, a hyphen where something is left out; perhaps nothing, or too much."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")


def check_text(name: str, value: str) -> None:
    """Raise ValueError if `value` holds NUL or lone surrogates, which UTF-8 and CSV cannot carry."""
    if "\0" in value or not (value.isascii() or _encodes(value)):
        raise ValueError(f"{name} {value!r} holds NUL or half a character")


def _encodes(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """A stretch of audio and what was said in it, where the corpus has them."""

    id: str
    """Unique within its part, stable between runs: `[A-Za-z0-9_-]{1,95}`."""
    audio: str
    """Name of the audio file, as the archive or folder of the corpus spells it, `/` between folders."""
    text: str
    """What was said, as the corpus writes it."""
    start: float = 0.0
    """Seconds from the beginning of the audio file."""
    end: float | None = None
    """Seconds from the beginning of the audio file; None means its end."""
    channel: int | None = None
    """Channel to take, counted from 0; None mixes all of them."""
    speaker: str = ""
    """The corpus's own name of the speaker; empty if unknown."""
    extras: tuple[tuple[str, str], ...] = ()
    """Further columns of the corpus, as (name, value), in the corpus's order."""

    def __post_init__(self) -> None:
        check_id(self.id)
        for name, value in (("text", self.text), ("speaker", self.speaker), *self.extras):
            check_text(name, value)
        if not self.start >= 0 or (self.end is not None and not self.end > self.start):
            raise ValueError(f"{self.id}: bad times {self.start} to {self.end}")


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """A row of a corpus that is no Utterance: counted and reported, never fatal."""

    place: str
    """File and line, as `LibriSpeech/dev-clean/1/2/1-2.trans.txt:7`."""
    detail: str
    """What is wrong with it."""
    reason: Literal["bad-row", "excluded", "superseded"] = "bad-row"
    """It cannot be read; the corpus says not to use it; a newer release has it."""
    audio: str = ""
    """The audio file that it speaks of, if that can be told: one that is spoken of is not forgotten."""
