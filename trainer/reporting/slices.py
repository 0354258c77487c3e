"""Slices: the same evaluation by duration, by speaker, and by each column of its manifests that has few values.

    Slice(name="gender", groups=(Group(name="female", utterances=61, seconds=180.2, words=Errors(...)), ...))

The groups of a slice hold every utterance once: their errors add up to those of the whole.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from ..scoring.errors import Errors
from ..scoring.heard import Heard

EDGES = (1, 2, 3, 5, 8, 12, 20, 30)
"""Seconds that part the groups of a slice by duration: the same in each report, so that two can be compared."""
GROUPS = 30
"""Of a slice that are shown, those with most words; the others are put together."""
VALUES = 100
"""A column with more has no slice; nor one with a value of its own for each second utterance."""
COLUMNS = 20
"""That have a slice, at most."""
FEW = 100
"""Words under which a group's rate says little: at a rate of 10 %, 95 of 100 samples lie between 4 and 16 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Some utterances and their word errors."""

    name: str
    """The value in the column; empty where none is told."""
    utterances: int = 0
    seconds: float = 0.0
    """Of those whose duration is known."""
    words: Errors = field(default_factory=Errors)
    merged: int = 0
    """Values that were put together here."""

    def joined(self, other: "Group") -> "Group":
        """Both, under the name of the first."""
        return replace(
            self,
            utterances=self.utterances + other.utterances,
            seconds=self.seconds + other.seconds,
            words=self.words + other.words,
        )

    @property
    def few(self) -> bool:
        """Whether there are too few words to tell much."""
        return self.words.words < FEW


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """An evaluation by one property of its utterances."""

    name: str
    groups: tuple[Group, ...]

    @property
    def scale(self) -> float:
        """The highest finite rate, and 1 where there is none but 0: the length of the longest bar."""
        return max((group.words.rate for group in self.groups if group.words.words), default=0.0) or 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What the columns of the manifests made."""

    slices: tuple[Slice, ...]
    alike: tuple[tuple[str, str], ...]
    """Columns with one value, and that."""
    skipped: tuple[str, ...]
    """Columns with too many values, or beyond the twentieth."""


def by_duration(heard: Sequence[Heard]) -> Slice:
    """By seconds, from the shortest to the longest, those of unknown duration last."""
    places = [_place(one.sample.duration) for one in heard]
    groups = _grouped((_span(place), one) for place, one in zip(places, heard, strict=True))
    order = [_span(place) for place in range(len(EDGES) + 2)]
    return Slice(name="duration", groups=tuple(sorted(groups, key=lambda group: order.index(group.name))))


def by_speaker(heard: Sequence[Heard]) -> Slice | None:
    """By speaker; None where no speaker is named."""
    if not any(one.sample.speaker for one in heard):
        return None
    return Slice(name="speaker", groups=_ranked(_grouped((one.sample.speaker, one) for one in heard)))


def by_column(heard: Sequence[Heard]) -> Columns:
    """By each further column of the manifests, in their order; a manifest without it tells nothing there."""
    slices: list[Slice] = []
    alike: list[tuple[str, str]] = []
    skipped: list[str] = []
    for name in dict.fromkeys(name for one in heard for name, _ in one.sample.extras):
        values = [dict(one.sample.extras).get(name, "") for one in heard]
        different = len(set(values))
        if different == 1:
            alike.append((name, values[0]))
        elif different > min(VALUES, len(heard) // 2) or len(slices) == COLUMNS:
            skipped.append(name)
        else:
            slices.append(Slice(name=name, groups=_ranked(_grouped(zip(values, heard, strict=True)))))
    return Columns(slices=tuple(slices), alike=tuple(alike), skipped=tuple(skipped))


def _place(duration: float | None) -> int:
    return len(EDGES) + 1 if duration is None else bisect_right(EDGES, duration)


def _span(place: int) -> str:
    if place > len(EDGES):
        return ""
    if place == len(EDGES):
        return f"{EDGES[-1]} s and more"
    return f"{EDGES[place - 1]} to {EDGES[place]} s" if place else f"under {EDGES[0]} s"


def _grouped(named: Iterable[tuple[str, Heard]]) -> list[Group]:
    groups: dict[str, Group] = {}
    for name, one in named:
        alone = Group(name=name, utterances=1, seconds=one.sample.duration or 0.0, words=one.words)
        groups[name] = groups[name].joined(alone) if name in groups else alone
    return list(groups.values())


def _ranked(groups: list[Group]) -> tuple[Group, ...]:
    """Those with most words, the highest rate first; then those that tell no value, then the others put together."""
    groups = sorted(groups, key=lambda group: (-group.words.words, group.name))
    told = [group for group in groups if group.name]
    kept, others = told[:GROUPS], told[GROUPS:]
    ranked = sorted(kept, key=lambda group: (-group.words.rate, -group.words.words, group.name))
    ranked += [group for group in groups if not group.name]
    if others:
        rest = Group(name="", merged=len(others))
        for group in others:
            rest = rest.joined(group)
        ranked.append(rest)
    return tuple(ranked)
