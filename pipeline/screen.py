"""Screen: which rows stay out of a manifest, and why. Every one of them is counted."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from ..manifests import ctc, describe
from .sound.unreadable import NeedsFfmpeg, Truncated, Unreadable


class Reason(StrEnum):
    """Why a row is not in a manifest. A closed list: reports and tests count on it."""

    BAD_ROW = "bad-row"
    """The corpus's line cannot be read as a row."""
    DUPLICATE_ID = "duplicate-id"
    """A row before it has the same id."""
    SUPERSEDED = "superseded"
    """A newer release has another row for the same clip."""
    EXCLUDED = "excluded"
    """The corpus itself says that it is not to be used, or whoever imports asked to leave such rows out."""
    NO_AUDIO = "no-audio"
    """The row names an audio file that is not there."""
    NO_TEXT = "no-text"
    """An audio file that no row names."""
    EMPTY_TEXT = "empty-text"
    """Nothing is left of the text after normalisation."""
    UNSPOKEN = "unspoken"
    """The text holds digits or mark-up: it is not what was said."""
    OUTSIDE_ALPHABET = "outside-alphabet"
    """The text has characters that the alphabet lacks."""
    NO_DECODER = "no-decoder"
    """The audio needs a program that is not installed; once it is, the same command takes the row in."""
    UNREADABLE = "unreadable"
    """The audio is not audio, or is damaged."""
    TRUNCATED = "truncated"
    """The audio ends before its header says."""
    CHANGED = "changed"
    """The audio's file is not the one that the manifest tells of: its size or its digest is another."""
    TOO_SHORT = "too-short"
    TOO_LONG = "too-long"
    TOO_FAST = "too-fast"
    """More labels than the steps of the audio can carry: CTC has no path, the loss is infinite."""


def unheard(error: Unreadable) -> Reason:
    """The reason that audio which cannot be had is left out for."""
    if isinstance(error, NeedsFfmpeg):
        return Reason.NO_DECODER
    return Reason.TRUNCATED if isinstance(error, Truncated) else Reason.UNREADABLE


Fit = Callable[[int, str], tuple[int, int]]
"""Samples and transcript to (label steps there are, label steps needed)."""


def _by_ctc(steps: Callable[[int], int]) -> Fit:
    return lambda samples, transcript: (steps(samples), ctc.needed(transcript))


def _deepspeech(samples: int, transcript: str) -> tuple[int, int]:
    """mozilla/DeepSpeech's rule for Common Voice, 0.1 to 0.9 (bin/import_cv.py, bin/import_cv2.py)."""
    return int(samples / ctc.RATE * 1000 / 10 / 2), len(transcript)


FITS: dict[str, Fit] = {
    "any": _by_ctc(ctc.fewest_steps),
    **{model: _by_ctc(steps) for model, steps in ctc.MODEL_STEPS.items()},
    "deepspeech": _deepspeech,
    "none": lambda samples, transcript: (0, 0),
}
"""Whether a text fits its clip: for every model, for one of them, as the ancestor had it, or not asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Bounds on what goes into a manifest."""

    min_seconds: float = 0.0
    max_seconds: float = float("inf")
    fit: str = "any"
    """A key of `FITS`."""
    alphabet: str | None = None
    """The characters that a transcript may have; None for any."""
    empty: bool = False
    """Whether a transcript without words is taken, as the ancestor did."""

    def facts(self) -> dict[str, Any]:
        """These rules as JSON."""
        return {**asdict(self), "max_seconds": None if self.max_seconds == float("inf") else self.max_seconds}

    def reject(self, transcript: str, samples: int) -> tuple[Reason, str] | None:
        """Why a clip of `samples` samples at 16 kHz must stay out, or None if it may go in."""
        if not transcript and not self.empty:
            return Reason.EMPTY_TEXT, "no words"
        if self.alphabet is not None and (outside := sorted(set(transcript) - set(self.alphabet))):
            return Reason.OUTSIDE_ALPHABET, f"{', '.join(map(describe, outside))}: {transcript[:60]!r}"
        return self._length(samples / ctc.RATE) or self._fits(samples, transcript)

    def _length(self, seconds: float) -> tuple[Reason, str] | None:
        if seconds == 0 or seconds < self.min_seconds:
            return Reason.TOO_SHORT, f"{seconds:.3f} s, at least {self.min_seconds:g} s are asked for"
        if seconds > self.max_seconds:
            return Reason.TOO_LONG, f"{seconds:.3f} s, at most {self.max_seconds:g} s are asked for"
        return None

    def _fits(self, samples: int, transcript: str) -> tuple[Reason, str] | None:
        steps, needed = FITS[self.fit](samples, transcript)
        if steps < needed:
            return Reason.TOO_FAST, f"{steps} steps for {needed} labels: {transcript[:60]!r}"
        return None
