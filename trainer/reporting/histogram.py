"""Histogram: how many utterances have which word error rate.

Bar(label="≤ 20", utterances=31)      more than 10 and up to 20 %
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..scoring.errors import Errors
from ..scoring.heard import Heard

STEPS = 10
"""Bars from 0 to 100 %, besides one for those without an error and one for those beyond."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar."""

    label: str
    """In percent."""
    utterances: int


def histogram(heard: Sequence[Heard]) -> tuple[Bar, ...]:
    """Those that are right, ten bars up to 100 %, each with its upper end, and those beyond."""
    places = Counter(_place(one.words) for one in heard)
    labels = ["0", *(f"≤{100 * place // STEPS}" for place in range(1, STEPS + 1)), ">100"]
    return tuple(Bar(label=label, utterances=places[place]) for place, label in enumerate(labels))


def _place(words: Errors) -> int:
    """In whole numbers, so that 1 of 10 is not beyond 10 %."""
    if words.total > words.words:
        return STEPS + 1
    return -(-STEPS * words.total // words.words) if words.total else 0
