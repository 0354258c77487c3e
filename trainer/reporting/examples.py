"""Examples: the worst utterances of an evaluation, those in the middle, and the best.

Ordered by word error rate, then character error rate, then loss, then id; so the best of many that are right are
those that the model was surest of. No utterance is shown twice.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .lines import Line

SHOWN = 10
"""Of each kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """A few lines of one kind."""

    title: str
    lines: tuple[Line, ...]


def examples(lines: Sequence[Line]) -> tuple[Examples, ...]:
    """The worst, the worst of them first; the middle ones and the best, the best first. Of few utterances, fewer."""
    ranked = sorted(lines, key=_badness)
    each = min(SHOWN, max(1, round(len(ranked) / 3)))
    best, rest = ranked[:each], ranked[each:]
    between, worst = rest[:-each], rest[-each:][::-1]
    first = max(0, (len(between) - SHOWN) // 2)
    middle = between[first : first + SHOWN]
    named = (("Worst", worst), ("Median", middle), ("Best", best))
    return tuple(Examples(title=title, lines=tuple(found)) for title, found in named if found)


def worst_first(lines: Sequence[Line]) -> list[Line]:
    """All utterances, by falling number of word errors, then the worst first as above."""
    return sorted(lines, key=lambda line: (line.heard.words.total, _badness(line)), reverse=True)


def _badness(line: Line) -> tuple[float, float, float, str]:
    heard = line.heard
    return heard.words.rate, heard.characters.rate, math.inf if math.isnan(heard.loss) else heard.loss, line.id
