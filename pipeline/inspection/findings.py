"""Findings: what can be wrong with data, and how bad it is.

    Finding(kind=Kind.DURATION, manifest="train", id="9000-1", detail="lasts 2.9 s, the manifest says 3.1 s")
    Leak(kind=Kind.SPEAKER_LEAK, one="train", other="test", shared=(Shared("9000", ("9000-1", 320), ("9000-7", 50)),))

An error spoils training or its scores for certain: the command exits with 1. A note is for a person to judge.
"""

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

EXAMPLES = 3
"""Ids that a finding about many clips names."""
SHOWN = 60
"""Characters of a transcript that a finding quotes."""


class Kind(StrEnum):
    """What can be found, in the order in which it is told. A closed list: reports and tests count on it."""

    NO_ROWS = "no-rows"
    """The manifest is empty."""
    FILE = "file"
    """The audio file is gone or has another size."""
    UNREADABLE = "unreadable"
    """The audio is not audio, is damaged, or ends before its header says."""
    NO_SOUND = "no-sound"
    """The audio has no samples."""
    DURATION = "duration"
    """The audio is longer or shorter than the manifest says, by more than half a sample."""
    EMPTY_TEXT = "empty-text"
    """The transcript has no words."""
    OUTSIDE_ALPHABET = "outside-alphabet"
    """A character of transcripts that the alphabet lacks."""
    TOO_FAST = "too-fast"
    """More labels than the steps of the audio can carry: CTC has no path, the loss is infinite."""
    SAME_AUDIO = "same-audio"
    """The manifest has the same sound under another id."""
    AUDIO_LEAK = "audio-leak"
    """Two manifests have the same sound."""
    SPEAKER_LEAK = "speaker-leak"
    """Two manifests have the same speaker."""
    SENTENCE_LEAK = "sentence-leak"
    """Two manifests have the same sentence."""
    ID_LEAK = "id-leak"
    """Two manifests have the same id: no command takes them together."""
    SAME_TEXT = "same-text"
    """One speaker says the same several times."""
    SPACES = "spaces"
    """White space that is not one plain space between two words."""
    NOT_NFC = "not-nfc"
    """A letter and its accent are two characters."""
    SPEECH_RATE = "speech-rate"
    """Characters per second are far from the manifest's median: a text of another clip, or mostly silence."""
    FORMAT = "format"
    """The audio is not 16 kHz mono: it is converted each time it is read."""
    SILENT = "silent"
    """Nothing, or nearly nothing, is to be heard."""
    CLIPPED = "clipped"
    """More than a few samples are at full scale."""


ERRORS = frozenset(
    {
        Kind.NO_ROWS,
        Kind.FILE,
        Kind.UNREADABLE,
        Kind.NO_SOUND,
        Kind.DURATION,
        Kind.EMPTY_TEXT,
        Kind.OUTSIDE_ALPHABET,
        Kind.TOO_FAST,
        Kind.SAME_AUDIO,
    }
)
"""Kinds that are errors wherever they are. Of the leaks, `Leak.error` tells; all others are notes."""
HONEST_SPLIT = frozenset({Kind.AUDIO_LEAK, Kind.SPEAKER_LEAK})
"""What a manifest to train on and one to judge by must not share. Short sentences recur by chance, ids mean little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong in one manifest."""

    kind: Kind
    manifest: str
    """Its name."""
    id: str
    """Of the sample; empty where all of the manifest is meant."""
    detail: str

    @property
    def error(self) -> bool:
        """Whether it is an error; else it is a note."""
        return self.kind in ERRORS


@dataclass(frozen=True, slots=True)
class Shared:
    """A value that two manifests have: a speaker, a sentence, a sound, an id."""

    value: str
    one: tuple[str, int]
    """An id in the one, and how many clips there have the value."""
    other: tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """What two manifests share."""

    kind: Kind
    one: str
    other: str
    shared: tuple[Shared, ...]

    @property
    def error(self) -> bool:
        """Whether one of them is named as if to train on, the other to judge by, and they may not share this."""
        return self.kind in HONEST_SPLIT and {role(self.one), role(self.other)} == {"train", "judge"}

    @property
    def clips(self) -> tuple[int, int]:
        """Clips of either with a shared value."""
        return sum(each.one[1] for each in self.shared), sum(each.other[1] for each in self.shared)


def role(name: str) -> str:
    """What a manifest's name says that it is for: `train`, `judge` (dev, test, valid ...), or nothing."""
    file = name.lower().rsplit("/", 1)[-1]
    if "train" in file:  # before `valid`: Common Voice had cv-valid-train
        return "train"
    return "judge" if re.search(r"(?<![a-z])(dev|test|valid(?!ated)|eval)", file) else ""


@dataclass(frozen=True, slots=True)
class Checked:
    """A manifest that was looked at."""

    name: str
    clips: int
    seconds: float | None
    """As decoded, or as the manifest says where nothing was; None where some clip's length is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What `dsprep check` tells."""

    sets: tuple[Checked, ...]
    findings: tuple[Finding, ...]
    """In the order of `Kind`, then of the manifests."""
    leaks: tuple[Leak, ...]
    unchecked: tuple[str, ...]
    """What was not looked at, and why: empty after a full check."""

    @property
    def clips(self) -> int:
        """Rows that were looked at."""
        return sum(one.clips for one in self.sets)

    @property
    def errors(self) -> int:
        """How many findings and leaks are errors."""
        return _errors(self.findings) + _errors(self.leaks)

    @property
    def notes(self) -> int:
        """How many are not."""
        return len(self.findings) + len(self.leaks) - self.errors

    def facts(self) -> dict[str, Any]:
        """Everything, as JSON."""
        return {
            "clips": self.clips,
            "errors": self.errors,
            "notes": self.notes,
            "manifests": [asdict(one) for one in self.sets],
            "findings": [asdict(one) | {"error": one.error} for one in self.findings],
            "leaks": [asdict(one) | {"error": one.error} for one in self.leaks],
            "unchecked": list(self.unchecked),
        }


def _errors(found: Iterable[Finding | Leak]) -> int:
    return sum(one.error for one in found)
