"""Mixing: which clips of several data sets an epoch takes, by weights and hours.

    [mix]
    hours = 10.0             audio in an epoch
    weights = [3.0, 1.0]     7.5 h of the first --train, 2.5 h of the second

Each set is an endless tape: all its clips in an order drawn for this pass, then all in an order drawn for the next.
Epoch 0 takes the first 7.5 hours of the tape, epoch 1 the next ones, so that no clip has ever been taken twice more
often than another of its set, and what an epoch takes is known without the epochs before it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...manifests import UsageError
from ..config import MixConfig
from .clips import Clips
from .draws import mixed, order, salt_of

TICKS = 1_000_000
"""In a second. Whole numbers of microseconds add up alike on every machine, and in any order."""
MOST_PASSES = 10_000
"""Times that an epoch may go through a set: more is a slip of the hand."""


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """Clips of an epoch, each as often as it is in there."""

    rows: NDArray[np.uint32]
    turns: NDArray[np.uint64] | None = None
    """In which pass over its set each is taken; None where each clip is taken once."""


class Mixture:
    """The tapes of all data sets.

    Raises:
        UsageError: the weights are not one a set, a set with a weight is empty, or the hours are so few that an epoch
            could be empty, or so many that it would go through a set more than `MOST_PASSES` times.
    """

    def __init__(self, clips: Clips, mix: MixConfig, seed: int) -> None:
        sets = [np.flatnonzero(clips.sets == number) for number in range(len(clips.places))]
        whole = [int(_ticks(clips, rows).sum()) for rows in sets]
        weights = mix.weights or tuple(map(float, whole))
        if len(weights) != len(sets):
            raise UsageError(
                f"mix.weights has {len(weights)} numbers and --train {len(sets)} places: give a weight for each"
            )
        shares = [mix.hours * 3600 * TICKS * weight / sum(weights) for weight in weights]
        asked = f"mix.hours = {mix.hours:g}"
        self._tapes = [
            _tape(clips, rows, share, seed, f"{asked} takes {share / TICKS:.6g} s an epoch of {place}")
            for rows, share, place in zip(sets, shares, clips.places, strict=True)
            if share
        ]
        if all(tape.share < _ticks(clips, tape.rows).max() for tape in self._tapes):
            raise UsageError(f"{asked} is less than a clip may have: give more hours")

    def taken(self, epoch: int) -> Taken:
        """The clips that an epoch takes, set by set; their hours are within a clip a set of what was asked for."""
        parts = [part for tape in self._tapes for part in tape.parts(epoch)]
        return Taken(
            np.concatenate([rows for rows, _ in parts]).astype(np.uint32),
            np.repeat(np.array([turn for _, turn in parts], np.uint64), [len(rows) for rows, _ in parts]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Tape:
    clips: Clips
    rows: NDArray[np.int64]
    """Of the set."""
    share: int
    """Ticks of an epoch."""
    whole: int
    """Ticks of a pass."""
    seed: int

    def parts(self, epoch: int) -> Iterator[tuple[NDArray[np.int64], int]]:
        """What an epoch takes from each pass: the clips that begin within its piece of the tape."""
        begin, end = epoch * self.share, (epoch + 1) * self.share
        for turn in range(begin // self.whole, -(-end // self.whole)):
            rows = self._pass(turn)
            ticks = _ticks(self.clips, rows)
            begins = np.cumsum(ticks) - ticks
            first, last = np.searchsorted(begins, (begin - turn * self.whole, end - turn * self.whole))
            yield rows[first:last], turn

    def _pass(self, turn: int) -> NDArray[np.int64]:
        return self.rows[order(mixed(self.clips.keys[self.rows], salt_of(self.seed, "pass", turn)))]


def _ticks(clips: Clips, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Lengths, none of them 0: no two clips begin at the same place of a tape."""
    return np.maximum(np.rint(clips.seconds[rows] * TICKS), 1).astype(np.int64)


def _tape(clips: Clips, rows: NDArray[np.int64], share: float, seed: int, asked: str) -> _Tape:
    if not len(rows):
        raise UsageError(f"{asked}, which has no clips: give it the weight 0")
    whole = int(_ticks(clips, rows).sum())
    if share > MOST_PASSES * whole:
        raise UsageError(f"{asked}, which has {whole / TICKS:.6g} s: take at most {MOST_PASSES} times as much")
    return _Tape(clips, rows, round(share), whole, seed)
