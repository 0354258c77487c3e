"""Summary: what the errors of many utterances come to, and how far chance may have it.

Summary(words=Errors(...), characters=Errors(...), wrong=84, utterances=672, wer=Interval(...), ...)
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any, Protocol

import numpy as np

from .bootstrap import CONFIDENCE, Counts, Interval, Resampling, interval, resampled, resampling_of
from .errors import Errors, added

METHOD = "bootstrap, percentiles (Bisani and Ney 2004)"


class Scored(Protocol):
    """An utterance whose errors have been counted."""

    @property
    def words(self) -> Errors:
        """In words."""

    @property
    def characters(self) -> Errors:
        """In characters."""

    @property
    def speaker(self) -> str:
        """Empty if it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The rates of a whole, each a fraction, with its 95 % confidence interval."""

    words: Errors
    characters: Errors
    wrong: int
    """Utterances with an error in words, those with an empty reference among them, as sclite counts sentences."""
    utterances: int
    wer: Interval
    cer: Interval
    ser: Interval
    how: Resampling

    @property
    def sentence_rate(self) -> float:
        """Utterances with an error among all, as a fraction."""
        return self.wrong / self.utterances if self.utterances else 0.0

    def facts(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "wer": finite(self.words.rate),
            "cer": finite(self.characters.rate),
            "ser": self.sentence_rate,
            "intervals": {
                **{name: _ends(getattr(self, name)) for name in ("wer", "cer", "ser")},
                "confidence": CONFIDENCE,
                "method": METHOD,
                **asdict(self.how),
            },
            "utterances": self.utterances,
            "wrong_utterances": self.wrong,
            "words": self.words.facts(),
            "characters": self.characters.facts(),
        }


def summary_of(scored: Sequence[Scored]) -> Summary:
    """The rates of some utterances and their intervals: the same for the same utterances in the same order."""
    speakers = [one.speaker for one in scored]
    how = resampling_of(speakers)
    rates_RK = resampled(counts(scored), speakers, how)
    wer, cer, ser = (interval(rates_R) for rates_R in rates_RK.T)
    return Summary(
        words=added(one.words for one in scored),
        characters=added(one.characters for one in scored),
        wrong=sum(one.words.total > 0 for one in scored),
        utterances=len(scored),
        wer=wer,
        cer=cer,
        ser=ser,
        how=how,
    )


def counts(scored: Sequence[Scored]) -> Counts:
    """Errors and words, errors and characters, errors and sentences of each utterance [N, 6]."""
    rows = [
        (one.words.total, one.words.words, one.characters.total, one.characters.words, one.words.total > 0, 1)
        for one in scored
    ]
    return np.array(rows, np.float64).reshape(-1, 6)


def finite(value: float) -> float | None:
    """JSON has no infinity."""
    return value if isfinite(value) else None


def _ends(of: Interval) -> list[float | None]:
    return [finite(of.low), finite(of.high)]
