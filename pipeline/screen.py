"""Screen: which rows stay out of a manifest, and why. Every one of them is counted."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

FRAMES_PER_SECOND = 50
"""Both DeepSpeech models write one label at most every 20 ms."""


class Reason(StrEnum):
    """Why a row is not in a manifest. A closed list: reports and tests count on it."""

    BAD_ROW = "bad-row"
    """The corpus's line cannot be read as a row."""
    DUPLICATE_ID = "duplicate-id"
    """A row before it has the same id."""
    NO_AUDIO = "no-audio"
    """The row names an audio file that is not there."""
    NO_TEXT = "no-text"
    """An audio file that no row names."""
    EMPTY_TEXT = "empty-text"
    """Nothing is left of the text after normalisation."""
    UNSPOKEN = "unspoken"
    """The text holds digits or mark-up: it is not what was said."""
    UNREADABLE = "unreadable"
    """The audio is not audio, or is damaged."""
    TRUNCATED = "truncated"
    """The audio ends before its header says."""
    TOO_SHORT = "too-short"
    TOO_LONG = "too-long"
    TOO_FAST = "too-fast"
    """More labels than the 20 ms steps of the audio can carry: CTC has no path, the loss is infinite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A row of the corpus that is not in its manifest."""

    id: str
    """The utterance's id, or the place of a row that has none."""
    part: str
    reason: Reason
    detail: str
    seconds: float | None = None
    """Length of its audio, where that was known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Bounds on what goes into a manifest."""

    min_seconds: float = 0.0
    max_seconds: float = float("inf")

    def reject(self, transcript: str, seconds: float) -> tuple[Reason, str] | None:
        """Why a clip must stay out, or None if it may go in."""
        if not transcript:
            return Reason.EMPTY_TEXT, "no words"
        if seconds == 0 or seconds < self.min_seconds:
            return (
                Reason.TOO_SHORT,
                f"{seconds:.3f} s, at least {self.min_seconds:g} s are asked for",
            )
        if seconds > self.max_seconds:
            return Reason.TOO_LONG, f"{seconds:.3f} s, at most {self.max_seconds:g} s are asked for"
        steps, needed = int(seconds * FRAMES_PER_SECOND), ctc_steps(transcript)
        if steps < needed:
            return Reason.TOO_FAST, f"{steps} steps of 20 ms for {needed}: {transcript[:60]!r}"
        return None


def ctc_steps(labels: Sequence[object]) -> int:
    """Fewest steps in which CTC can write a text or its labels: one each, and a blank between equal neighbours."""
    return len(labels) + sum(a == b for a, b in itertools.pairwise(labels))
