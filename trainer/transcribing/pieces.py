"""Pieces: log-probabilities of any length, cut where nothing is said, so that what a decoder must hold is bounded.

    heard       _ _ _ o n e _ t w o _ _ _ _ _ _ _ _ _ _ _ _ t h r e e _ _
    pieces      1                           | 2

Where they are cut depends on the log-probabilities alone, not on how they came.

Axes: T steps of 20 ms, V labels.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..decoding.decoder import STEP, LogProbs

MOST = round(31 / STEP)
"""Steps of a piece. A sound of no more is decoded whole: one window, and a step more."""
PAUSE = round(0.8 / STEP)
"""Steps of blanks that end what was said in a stream."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Piece:
    """A stretch of steps."""

    first: int
    """Where it begins, in steps from the beginning of the sound."""
    log_probs_TV: LogProbs


class Pieces:
    """Cuts what it is given.

    With a `pause`, so many blanks after something was said end a piece, and of silence before anything is said no
    more is held than half a pause.
    """

    def __init__(self, blank: int, pause: int | None = None, most: int = MOST) -> None:
        self._blank, self._pause, self._most = blank, pause, most
        self._held: LogProbs | None = None
        self._first = 0

    def take(self, come_TV: LogProbs) -> Iterator[Piece]:
        """The pieces that are whole now."""
        self._held = come_TV if self._held is None else np.concatenate([self._held, come_TV])
        while cut := self._cut(self._held.argmax(1) == self._blank):
            at, said = cut
            piece = Piece(first=self._first, log_probs_TV=self._held[:at])
            self._held, self._first = self._held[at:], self._first + at
            if said:
                yield piece

    @property
    def pending(self) -> Piece | None:
        """What has come after the last piece; None for nothing, and with a pause if nothing is said in it."""
        if self._held is None or not len(self._held):
            return None
        if self._pause is not None and (self._held.argmax(1) == self._blank).all():
            return None
        return Piece(first=self._first, log_probs_TV=self._held)

    @property
    def spoken(self) -> int:
        """Steps in which something is said, of those after the last piece."""
        return 0 if self._held is None else int((self._held.argmax(1) != self._blank).sum())

    def _cut(self, blank_T: NDArray[np.bool_]) -> tuple[int, bool] | None:
        """(after how many steps to cut, whether anything is said in these); None to wait."""
        blank_T = blank_T[: self._most]
        starts, ends = runs(blank_T)
        if self._pause is not None:
            for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
                if end - start >= self._pause:
                    return start + max(1, self._pause // 2), start > 0
        if len(blank_T) < self._most:
            return None
        return _longest(starts, ends, self._most), True


def runs(blank_T: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each run of blanks begins, and the steps after their last."""
    change_T = np.diff(blank_T.astype(np.int8), prepend=0, append=0)
    return np.flatnonzero(change_T == 1), np.flatnonzero(change_T == -1)


def _longest(starts: NDArray[np.int64], ends: NDArray[np.int64], most: int) -> int:
    """The middle of the longest run in the second half; if none is there, the end."""
    middles = (starts + ends) // 2
    late = (middles >= most // 2) & (middles < most)
    if not late.any():
        return most
    return int(middles[late][(ends - starts)[late].argmax()])
