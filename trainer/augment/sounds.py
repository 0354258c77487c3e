"""Sounds: the noises or impulse responses that a config names, read when they are drawn.

    noise = "data/musan.csv"        a manifest, a shard folder or a URL of either; transcripts may be empty

A sound is read whole, by whichever thread wants it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

import numpy as np

from ...manifests import DsprepError
from ...manifests.ctc import RATE
from ...pipeline.pcm import read_pcm
from ...pipeline.places import Cache, place_of
from ...pipeline.reading import Reader
from ...pipeline.table import Table
from ...pipeline.tabling import read_table
from .chance import Chance
from .waves import Wave


@dataclass(frozen=True, slots=True, eq=False)
class Sounds:
    """Sounds of one kind."""

    key: str
    """Of the config, for messages: `augment.noise`."""
    table: Table

    @classmethod
    def of(cls, key: str, place: str, cache: Cache | None) -> Self:
        """The sounds at a place.

        Raises:
            DataError: it is no data, is empty, or names a file that is gone.
            FetchError, UsageError, MissingExtraError, OutputError: it is behind a URL and cannot be had.
        """
        with _told(key):
            return cls(key, read_table([place_of(place)], cache))

    @property
    def digest(self) -> str:
        """Of ids, sizes and lengths, wherever the sounds lie."""
        return self.table.layout.digest

    def drawn(self, chance: Chance) -> Wave:
        """One of them, all alike likely.

        Raises:
            DataError, FetchError: it cannot be read.
        """
        sample = self.table[chance.below(f"{self.key} id", len(self.table))]
        with _told(self.key), Reader() as reader:
            room = np.empty(round((sample.duration or 0) * RATE), np.int16)
            return read_pcm(sample, reader, room).astype(np.float32)


@contextmanager
def _told(key: str) -> Iterator[None]:
    """Say that it is not the speech that something is wrong with."""
    try:
        yield
    except DsprepError as error:
        raise type(error)(f"{key}: {error}") from error
