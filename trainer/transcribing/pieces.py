"""Pieces: log-probabilities of any length, cut where nothing is said, so that what a decoder must hold is bounded.

    heard       _ _ _ o n e _ t w o _ _ _ _ _ _ _ _ _ _ _ _ t h r e e _ _
    pieces      1                           | 2

Where they are cut depends on the log-probabilities alone, not on how they came. Silent are steps whose likeliest label
is the blank or the space.

Axes: T steps of 20 ms, V labels.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...manifests import Alphabet
from ..decoding.decoder import STEP, LogProbs

MOST = round(31 / STEP)
"""Steps of a piece: a sound of one window is decoded whole."""
PAUSE = round(0.8 / STEP)
"""Silent steps that end what was said in a stream."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Piece:
    """A stretch of steps."""

    first: int
    """Where it begins, in steps from the beginning of the sound."""
    log_probs_TV: LogProbs


class Pieces:
    """Cuts what it is given.

    With a `pause`, so many silent steps after something was said end a piece, and of silence before anything is said
    less than a pause is held.
    """

    def __init__(self, alphabet: Alphabet, pause: int | None = None, most: int = MOST) -> None:
        self._alphabet, self._pause, self._most = alphabet, pause, most
        self._held_TV: LogProbs = np.zeros((0, alphabet.size), np.float32)
        self._first = 0

    def take(self, come_TV: LogProbs) -> Iterator[Piece]:
        """The pieces that are whole now."""
        self._held_TV = np.concatenate([self._held_TV, come_TV])
        while cut := self._cut(self._held_TV[: self._most].argmax(1)):
            at, said = cut
            piece = Piece(first=self._first, log_probs_TV=self._held_TV[:at])
            self._held_TV, self._first = self._held_TV[at:], self._first + at
            if said:
                yield piece

    @property
    def pending(self) -> Piece | None:
        """What has come after the last piece; None for nothing, and with a pause if nothing is said in it."""
        if not len(self._held_TV) or (self._pause is not None and not self.spoken):
            return None
        return Piece(first=self._first, log_probs_TV=self._held_TV)

    @property
    def spoken(self) -> int:
        """Steps that are not silent, of those after the last piece."""
        return int((~self._silent(self._held_TV.argmax(1))).sum())

    def _cut(self, best_T: NDArray[np.int64]) -> tuple[int, bool] | None:
        """(after how many steps to cut, whether anything is said in these); None to wait for more."""
        starts, ends = runs(self._silent(best_T))
        if self._pause is not None:
            for start in starts[ends - starts >= self._pause].tolist():
                return start + max(1, self._pause // 2), start > 0
        if len(best_T) < self._most:
            return None
        return self._quietest(best_T, starts, ends), True

    def _silent(self, best_T: NDArray[np.int64]) -> NDArray[np.bool_]:
        silent_T: NDArray[np.bool_] = (best_T == self._alphabet.blank) | self._space(best_T)
        return silent_T

    def _space(self, best_T: NDArray[np.int64]) -> NDArray[np.bool_]:
        space_T: NDArray[np.bool_] = np.isin(best_T, [] if self._alphabet.missing(" ") else self._alphabet.encode(" "))
        return space_T

    def _quietest(self, best_T: NDArray[np.int64], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> int:
        """The middle of the longest silence in the second half, one between words if there is any; or the end."""
        middles = (starts + ends) // 2
        late = (middles >= len(best_T) // 2) & (middles < len(best_T))
        if not late.any():
            return len(best_T)
        spaces_T = np.append(0, np.cumsum(self._space(best_T)))
        between = spaces_T[ends] > spaces_T[starts]
        return int(middles[np.lexsort((ends - starts, between, late))[-1]])


def runs(silent_T: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each run of silent steps begins, and the steps after their last."""
    change_T = np.diff(silent_T.astype(np.int8), prepend=0, append=0)
    return np.flatnonzero(change_T == 1), np.flatnonzero(change_T == -1)
