"""Ends: what comes before and after the sequence that a graph is given.

    Whole     an utterance: zeros before it and after it
    Pieces    a piece of a stream: before it what the pieces before left over, after it nothing, or zeros if it is the
              last. What it leaves over goes out, for the next

Layers ask for the neighbours that they see; whether these are zeros or sound heard before, they need not know.
A stream begins with zeros in all that it holds, and `frames` is how many frames were heard.

Axes: B utterances, T steps, H units.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import DTypeLike

from .facts import NEXT, Held
from .graph import TO_THE_END, Graph, Operand, Value


class Ends(Protocol):
    """What a layer may ask."""

    @property
    def begun(self) -> Operand:
        """1 if something was heard before, else 0."""

    @property
    def last(self) -> Operand:
        """1 if nothing comes after, else 0."""

    def padded(self, name: str, x: Value, shape: Sequence[int], axis: int, before: int, after: int) -> Value:
        """`x` with its neighbours along an axis; `shape` is that of its other axes, in order, without the first."""

    def heard(self, name: str, padded: Value, axis: int, used: Operand) -> None:
        """So much of what `padded` gave has been worked off; the rest is for the next piece."""

    def state(self, name: str, hidden: int) -> Value | None:
        """What a recurrent layer begins with, [1, B, H]; None for zeros."""

    def left(self, name: str, state: Value) -> None:
        """What it ends with."""

    def inside(self, x: Value, counts_B: Value, axis: int, rank: int = 3) -> Value:
        """`x`, whose first axis is B, with zeros past each utterance's end along an axis."""

    def lengths(self, counts_B: Value) -> Value | None:
        """How long each utterance is, for a recurrent layer; None where all are as long."""


@dataclass(slots=True, eq=False)
class Whole:
    """Utterances from their beginning to their end, of different lengths."""

    graph: Graph
    begun: int = 0
    last: int = 1

    def padded(self, name: str, x: Value, shape: Sequence[int], axis: int, before: int, after: int) -> Value:
        rank = 2 + len(shape)
        pads = [0] * 2 * rank
        pads[axis], pads[axis + rank] = before, after
        return self.graph.op("Pad", x, self.graph.numbers(*pads))

    def heard(self, name: str, padded: Value, axis: int, used: Operand) -> None:
        pass

    def state(self, name: str, hidden: int) -> Value | None:
        return None

    def left(self, name: str, state: Value) -> None:
        pass

    def inside(self, x: Value, counts_B: Value, axis: int, rank: int = 3) -> Value:
        counted_BT = self.graph.count(0, x.size(axis)).unsqueezed(0) < counts_B.unsqueezed(1)
        return x * counted_BT.cast(np.float32).unsqueezed(*(one for one in range(1, rank) if one != axis))

    def lengths(self, counts_B: Value) -> Value | None:
        return counts_B.cast(np.int32)


@dataclass(slots=True, eq=False)
class Pieces:
    """Pieces of streams, all of which begin and end together."""

    graph: Graph
    held: dict[str, Held] = field(default_factory=dict)
    """What is handed on, by name."""
    begun: Value = field(init=False)
    last: Value = field(init=False)
    _frames: Value = field(init=False)

    def __post_init__(self) -> None:
        self.last = self.graph.input("last", np.int64, [])
        self._frames = self._input("frames", np.int64, [], [])
        self.begun = self._frames.minimum(1)

    def count(self, frames: Value) -> None:
        """So many frames more were heard."""
        self.graph.output("frames" + NEXT, self._frames + frames, np.int64, [])

    def padded(self, name: str, x: Value, shape: Sequence[int], axis: int, before: int, after: int) -> Value:
        begin = [1, *shape]
        begin.insert(axis, before)
        held = self._input(name, np.float32, begin, _named(begin, axis, name))
        # Zeros after the last piece: at its axis `after`, else none.
        place = np.zeros(2 * len(begin), np.int64)
        place[axis + len(begin)] = after
        pads = self.graph.constant(f"{name}/after", place) * self.last
        return self.graph.op("Pad", self.graph.joined(held, x, axis=axis), pads)

    def heard(self, name: str, padded: Value, axis: int, used: Operand) -> None:
        begin = self.held[name].shape
        rest = padded.between(self.graph.value(used), TO_THE_END, axis)
        self.graph.output(name + NEXT, rest, np.float32, _named(begin, axis, name + NEXT))

    def state(self, name: str, hidden: int) -> Value | None:
        return self._input(name, np.float32, [1, 1, hidden], [1, "batch", hidden])

    def left(self, name: str, state: Value) -> None:
        self.graph.output(name + NEXT, state, np.float32, [1, "batch", self.held[name].shape[2]])

    def inside(self, x: Value, counts_B: Value, axis: int, rank: int = 3) -> Value:
        return x

    def lengths(self, counts_B: Value) -> Value | None:
        return None

    def _input(self, name: str, kind: DTypeLike, begin: list[int], shape: Sequence[int | str]) -> Value:
        self.held[name] = Held(name=name, type=np.dtype(kind).name, shape=tuple(begin))
        return self.graph.input(name, kind, shape)


def _named(shape: Sequence[int], axis: int, name: str) -> list[int | str]:
    found: list[int | str] = ["batch", *shape[1:]]
    found[axis] = name
    return found
