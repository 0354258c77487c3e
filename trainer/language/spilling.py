"""Spilling: more records than memory holds, sorted in runs on disk and merged.

    sorter = Sorter(room, dtype, columns, bits)
    sorter.add(block) ...
    for block in sorter.sorted(): ...

What comes out does not depend on the memory that was given.
"""

import bisect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from .ngrams import Columns, Records, keys_of, order_of

LEAST = 1024
"""Records at a time, however little memory is given."""
COPIES, BESIDE = 6, 96
"""Of a record that are held while it is worked on, and bytes of keys, places and sums: as measured."""


@dataclass(frozen=True, slots=True)
class Room:
    """Where, and how much at a time."""

    folder: Path
    """For files that are removed with it."""
    memory: int
    """Bytes."""
    _names: Iterator[int] = field(default_factory=count)

    def records(self, dtype: np.dtype[Any]) -> int:
        """How many are worked on at a time."""
        return max(LEAST, self.memory // (COPIES * dtype.itemsize + BESIDE))

    def file(self, dtype: np.dtype[Any]) -> "Spilled":
        """A new file."""
        return Spilled(self.folder / f"{next(self._names)}.records", dtype, self.records(dtype))


class Spilled:
    """Records in a file, in the order in which they came."""

    def __init__(self, path: Path, dtype: np.dtype[Any], at_a_time: int) -> None:
        self.path, self.dtype, self.at_a_time, self.length = path, dtype, at_a_time, 0
        path.touch()

    def add(self, records: Records) -> None:
        """At the end."""
        with self.path.open("ab") as file:
            records.tofile(file)
        self.length += len(records)

    def extend(self, blocks: Iterable[Records]) -> "Spilled":
        """All of them at the end; itself."""
        for block in blocks:
            self.add(block)
        return self

    def blocks(self, share: int = 1) -> Iterator[Records]:
        """All of it, a part at a time: as much as memory holds, or a share of that."""
        size = max(1, self.at_a_time // share)
        for start in range(0, self.length, size):
            yield np.fromfile(self.path, self.dtype, min(size, self.length - start), offset=start * self.dtype.itemsize)

    def remove(self) -> None:
        """It was read for the last time."""
        self.path.unlink()


class Sorter:
    """Records in any order, to be had in order."""

    def __init__(self, room: Room, dtype: np.dtype[Any], columns: Columns, bits: int) -> None:
        self._room, self._dtype, self._columns, self.bits = room, dtype, columns, bits
        self._most = room.records(dtype)
        self._held: list[Records] = []
        self._runs: list[Spilled] = []

    def add(self, records: Records) -> None:
        """Some more."""
        for start in range(0, len(records), self._most):
            self._held.append(records[start : start + self._most])
            if sum(map(len, self._held)) >= self._most:
                self.add_run(self._ordered())

    def add_run(self, records: Records) -> None:
        """Some more that are in order."""
        self._runs.append(self._room.file(self._dtype))
        self._runs[-1].add(records)

    def sorted(self) -> Iterator[Records]:
        """All of them, in order, once."""
        held = self._ordered()
        if not self._runs:
            yield held
            return
        if len(held):
            self.add_run(held)
        del held
        yield from merged([run.blocks(share=len(self._runs)) for run in self._runs], self._columns, self.bits)
        for run in self._runs:
            run.remove()

    def _ordered(self) -> Records:
        together = np.concatenate(self._held) if self._held else np.empty(0, self._dtype)
        self._held.clear()
        return ordered(together, self._columns, self.bits)


def ordered(records: Records, columns: Columns, bits: int) -> Records:
    """The records in order."""
    return records[order_of(keys_of(records["words"], columns, bits))]


def merged(runs: Iterable[Iterator[Records]], columns: Columns, bits: int) -> Iterator[Records]:
    """The records of runs that are in order, in order: at a time all up to the first end of what is at hand."""
    heads = [(block, run) for run in runs if (block := next(run, None)) is not None]
    while heads:
        end = min(_key(block, len(block) - 1, columns) for block, _ in heads)
        taken, left = [], []
        for block, run in heads:
            upto = bisect.bisect_right(range(len(block)), end, key=lambda at, block=block: _key(block, at, columns))  # type: ignore[misc]
            taken.append(block[:upto])
            rest = block[upto:] if upto < len(block) else next(run, None)
            if rest is not None:
                left.append((rest, run))
        heads = left
        yield ordered(np.concatenate(taken), columns, bits)


def _key(block: Records, at: int, columns: Columns) -> list[int]:
    words = block["words"][at].tolist()
    return [words[column] for column in columns]
