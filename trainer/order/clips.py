"""Clips: what the plan needs to know of samples, in columns of numbers, so that a hundred million fit.

ids      1272-128104-0000   1272-128104-0001   1272-128104-0002
keys     6b1e...            f0c2...            03d9...             BLAKE2b of the id
seconds  5.855              4.815              12.485
shards   0                  1                  0                   the first file, the second, the first again
sets     0                  0                  1                   of `--train a --train b`
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Clips:
    """Samples as the plan sees them: sample `i` is row `i` of each column."""

    keys: NDArray[np.uint64]
    """Of the id: what is drawn for a clip does not depend on the clips beside it."""
    seconds: NDArray[np.float64]
    """Length of the audio."""
    shards: NDArray[np.int32]
    """Number of the tar that a clip lies in, or of the folder of a file of its own: what is read together."""
    sets: NDArray[np.int32]
    """Number of the data set that a clip comes from."""
    places: tuple[str, ...]
    """Where each data set lies, for messages."""

    def __post_init__(self) -> None:
        columns = (self.keys, self.seconds, self.shards, self.sets)
        if any(column.shape != self.keys.shape or column.ndim != 1 for column in columns):
            raise ValueError(f"columns of {', '.join(str(column.shape) for column in columns)}: not one row a clip")
        if len(self) and not 0 <= self.sets.min() <= self.sets.max() < len(self.places):
            raise ValueError(f"sets from {self.sets.min()} to {self.sets.max()} of {len(self.places)}")

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def bytes(self) -> int:
        """Memory that the columns take."""
        return sum(column.nbytes for column in (self.keys, self.seconds, self.shards, self.sets))
