"""Hypothesis: what a decoder makes of log-probabilities, with its words and when each was said.

Hypothesis(text="the cat", score=-3.2, words=(Word(text="the", start=0.1, end=0.24, confidence=0.97), ...))
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word and its place."""

    text: str
    start: float
    """Seconds from the beginning of the audio."""
    end: float
    """Seconds, not before `start`."""
    confidence: float
    """From 0 to 1: the geometric mean of the probabilities of its characters, each at its likeliest step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """One reading of an utterance."""

    text: str
    score: float = 0.0
    """Natural logarithm of what the decoder thinks of it; only to be compared with others of the same utterance."""
    words: tuple[Word, ...] = ()
    """In the order of the text, whose words they are."""
