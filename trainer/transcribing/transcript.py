"""Transcript: what was heard in one sound, with the times of its words.

{"path": "a.wav", "seconds": 2.35, "text": "three nine", "score": -1.4, "words": [{"text": "three", "start": 0.42,
"end": 0.7, "confidence": 0.98}, ...]}
"""

from dataclasses import dataclass, replace
from typing import Any

from ..decoding.decoder import STEP, Decoder
from ..decoding.hypothesis import Hypothesis, Word
from .pieces import Piece


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch of a sound that was decoded by itself."""

    start: float
    """Seconds from the beginning of the sound."""
    end: float
    hypotheses: tuple[Hypothesis, ...]
    """The likeliest first; words have times from the beginning of the sound."""

    @property
    def text(self) -> str:
        """The likeliest text."""
        return " ".join(self.hypotheses[0].text.split())

    def whole_facts(self) -> dict[str, Any]:
        """As JSON, where it is all that there is to tell; with further readings if the decoder found any."""
        return {
            "start": self.start,
            "end": self.end,
            "text": self.text,
            "score": round(self.hypotheses[0].score, 4),
            "words": [word_facts(word) for word in self.hypotheses[0].words],
            **({"alternatives": self.facts()["alternatives"]} if len(self.hypotheses) > 1 else {}),
        }

    def facts(self) -> dict[str, Any]:
        """As JSON, as a part of a transcript."""
        return {"start": self.start, "end": self.end, "alternatives": [_alternative(one) for one in self.hypotheses]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What was heard in one sound."""

    name: str
    """Of the sound: a path, or the id of a manifest's row."""
    seconds: float
    segments: tuple[Segment, ...]
    """In their order; none where nothing was said."""
    spaced: bool = True
    """Whether the model's alphabet has a space, so that words of two segments have one between them."""

    @property
    def text(self) -> str:
        """All of it, in one line."""
        return (" " if self.spaced else "").join(one.text for one in self.segments if one.text)

    @property
    def words(self) -> tuple[Word, ...]:
        """The words of the text, with their times."""
        return tuple(word for one in self.segments for word in one.hypotheses[0].words)

    @property
    def score(self) -> float:
        """The sum of the segments' scores."""
        return sum(one.hypotheses[0].score for one in self.segments)

    def facts(self) -> dict[str, Any]:
        """As JSON; with the segments if the decoder found more than one reading of any."""
        facts = {
            "path": self.name,
            "seconds": self.seconds,
            "text": self.text,
            "score": round(self.score, 4),
            "words": [word_facts(word) for word in self.words],
        }
        if any(len(one.hypotheses) > 1 for one in self.segments):
            facts["segments"] = [one.facts() for one in self.segments]
        return facts


def word_facts(word: Word) -> dict[str, Any]:
    """A word as JSON."""
    return {"text": word.text, "start": word.start, "end": word.end, "confidence": round(word.confidence, 4)}


def segment_of(piece: Piece, decoder: Decoder) -> Segment:
    """What a decoder makes of a piece."""
    start = round(piece.first * STEP, 3)
    found = decoder.decode(piece.log_probs_TV)
    return Segment(
        start=start,
        end=round((piece.first + len(piece.log_probs_TV)) * STEP, 3),
        hypotheses=tuple(replace(one, words=tuple(_later(word, start) for word in one.words)) for one in found),
    )


def _later(word: Word, seconds: float) -> Word:
    return replace(word, start=round(word.start + seconds, 3), end=round(word.end + seconds, 3))


def _alternative(one: Hypothesis) -> dict[str, Any]:
    return {"text": " ".join(one.text.split()), "score": round(one.score, 4)}
