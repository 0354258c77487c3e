"""Stats: what manifests hold, by their text alone: how much, of whom, how long.

    stats([Path("data/train.csv"), Path("shards")]).sets[0]
    -> SetStats(name="train", clips=1200, seconds=3254.9, speakers=Column("speaker", ...), words=6012, ...)

No audio is opened. A foreign manifest may have no durations; what rests on them is None then.
"""

import statistics
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...manifests import Sample
from ..foreign import Cache
from ..samples import read_each

BARS = 16
"""Of a histogram, at most, the open one at its end not counted."""


@dataclass(frozen=True, slots=True)
class Share:
    """The clips that have one value in a column."""

    value: str
    """Empty where the manifest says nothing."""
    clips: int
    seconds: float
    """Of those clips whose duration is known."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a manifest by its values, the one with most audio first."""

    name: str
    shares: tuple[Share, ...]

    @property
    def named(self) -> int:
        """Different values, the empty one left out."""
        return sum(share.value != "" for share in self.shares)


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """How long the clips are whose length is known, in seconds."""

    clips: int
    total: float
    shortest: float
    median: float
    mean: float
    longest: float
    characters_per_second: float
    """Characters of these clips' transcripts, spaces among them, by their seconds."""
    start: float
    """Where the histogram's first bar begins."""
    step: float
    """Seconds that a bar spans: 1, 2 or 5 times a power of ten."""
    counts: tuple[int, ...]
    """Clips of each bar; the last one is open and holds at most the longest hundredth, and one bar's worth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetStats:
    """A manifest or shard folder, or all of them together."""

    name: str
    clips: int
    words: int
    """Of transcripts, parted by white space."""
    characters: int
    """Of transcripts in NFC, spaces among them."""
    durations: Durations | None
    """None where no clip's duration is known."""
    speakers: Column
    columns: tuple[Column, ...]
    """The further columns: gender, accent, locale ..."""


@dataclass(frozen=True, slots=True)
class Stats:
    """What `dsprep stats` tells."""

    sets: tuple[SetStats, ...]
    """One each, in the order in which they were named."""
    total: SetStats
    """All clips together."""

    def facts(self) -> dict[str, Any]:
        """Everything, as JSON."""
        return asdict(self)


def stats(places: Sequence[Path], cache: Cache | None = None) -> Stats:
    """What each of the manifests and shard folders holds, and all of them together.

    Raises:
        DataError: a place is neither, cannot be read, or is named twice; all are empty.
    """
    sets = read_each(places, cache)
    everything = [sample for one in sets for sample in one.samples]
    return Stats(tuple(_of(one.name, one.samples) for one in sets), _of("all", everything))


def _of(name: str, samples: Sequence[Sample]) -> SetStats:
    extras = dict.fromkeys(key for sample in samples for key, _ in sample.extras)
    return SetStats(
        name=name,
        clips=len(samples),
        words=sum(len(sample.transcript.split()) for sample in samples),
        characters=sum(map(_characters, samples)),
        durations=_durations([sample for sample in samples if sample.duration is not None]),
        speakers=_column("speaker", ((sample.speaker, sample) for sample in samples)),
        columns=tuple(
            _column(key, ((dict(sample.extras).get(key, ""), sample) for sample in samples)) for key in extras
        ),
    )


def _characters(sample: Sample) -> int:
    return len(unicodedata.normalize("NFC", sample.transcript))


def _column(name: str, valued: Iterable[tuple[str, Sample]]) -> Column:
    clips: dict[str, int] = {}
    seconds: dict[str, float] = {}
    for value, sample in valued:
        clips[value] = clips.get(value, 0) + 1
        seconds[value] = seconds.get(value, 0.0) + (sample.duration or 0.0)
    shares = (Share(value, clips[value], seconds[value]) for value in clips)
    return Column(name, tuple(sorted(shares, key=lambda share: (-share.seconds, -share.clips, share.value))))


def _durations(timed: Sequence[Sample]) -> Durations | None:
    if not timed:
        return None
    lengths = sorted(sample.duration or 0.0 for sample in timed)
    total = sum(lengths)
    start, step, counts = histogram(lengths)
    return Durations(
        clips=len(timed),
        total=total,
        shortest=lengths[0],
        median=statistics.median(lengths),
        mean=total / len(lengths),
        longest=lengths[-1],
        characters_per_second=sum(map(_characters, timed)) / total if total else 0.0,
        start=start,
        step=step,
        counts=counts,
    )


def histogram(ordered: Sequence[float]) -> tuple[float, float, tuple[int, ...]]:
    """(start of the first bar, seconds a bar, clips a bar) of lengths in ascending order.

    A few hour-long clips among short ones would leave all others in one bar, so bars end where 99 % of the
    clips have ended, and one more is open.
    """
    most = ordered[(len(ordered) - 1) * 99 // 100]
    step = next(one for one in _steps() if most / one < BARS)
    first, last = int(ordered[0] / step), int(most / step) + 1
    counts = [0] * (last - first + 1)
    for length in ordered:
        counts[min(int(length / step), last) - first] += 1
    return first * step, step, tuple(counts)


def _steps() -> Iterator[float]:
    """0.01, 0.02, 0.05, 0.1 ... seconds."""
    scale = 0.01
    while True:
        yield from (scale, 2 * scale, 5 * scale)
        scale *= 10
