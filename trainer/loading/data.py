"""Data: the samples that a run trains on or is judged by, and how long they are."""

from collections.abc import Sequence
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from ...manifests import Alphabet, DataError, Sample, describe
from ...manifests.ctc import RATE
from ...pipeline.places import Cache, Place
from ...pipeline.table import Table
from ...pipeline.tabling import read_table
from ..config import Config
from ..features import Features
from ..models import Model
from ..order.clips import Clips

AT_HAND = 100_000
"""Samples that are made once and held, 0.6 kB each; of more, each is made when it is asked for, in some 10 us."""


class Data:
    """Samples with known lengths, by the keys of their ids."""

    def __init__(self, table: Table, places: Sequence[Place]) -> None:
        self.table, self.places = table, places
        self.samples: Sequence[Sample] = list(table) if len(table) <= AT_HAND else table
        self.clips = Clips(
            keys=table.keys, seconds=table.seconds, shards=table.shards, sets=table.sets, places=tuple(map(str, places))
        )
        """The same, as the plan sees them."""

    @property
    def digest(self) -> str:
        """Of ids, sizes, transcripts and lengths, wherever the samples lie; of the sound itself only its size.

        Data of which something was left out has the digest of all of it.
        """
        return self.table.layout.digest

    def ordered_digest(self, config: Config) -> str:
        """The digest, and of what else decides the order: sets where they are mixed, shards where they are windows."""
        digest = sha256(self.digest.encode())
        if config.mix.hours:
            digest.update(self.clips.sets.astype("<i4").tobytes())
        if config.batch.window:
            digest.update(self.clips.shards.astype("<i4").tobytes())
        return digest.hexdigest()

    @property
    def hours(self) -> float:
        """Hours of audio."""
        return float(self.clips.seconds.sum()) / 3600

    @property
    def summary(self) -> str:
        """What it is, in a few words."""
        return f"{len(self.samples)} utterances, {self.hours:.2f} h"

    def without(self, rows: NDArray[np.int64]) -> "Data":
        """The same data less some samples."""
        kept = np.ones(len(self.table), bool)
        kept[rows] = False
        return Data(self.table.taken(kept), self.places)


def read_data(places: Sequence[Place], cache: Cache | None = None) -> Data:
    """The samples of any mix of manifests and shard folders; foreign shards are indexed in `cache`.

    Raises:
        DataError: a place is neither, is empty, names a file that is gone, or shares an id with another.
        FetchError: a place is behind a URL and cannot be had.
    """
    return Data(read_table(places, cache), places)


def unwritable(data: Data, alphabet: Alphabet) -> str:
    """Which characters of the transcripts have no label, how often, and where first; empty if all have one."""
    found = data.table.layout.characters
    missing = sorted(set(found) - set(alphabet.characters), key=lambda character: (-found[character][0], character))
    return ", ".join(
        f"{describe(character)} in {found[character][0]} transcripts, first {found[character][1]}"
        for character in missing[:10]
    )


def check_alphabet(data: Data, alphabet: Alphabet) -> None:
    """Make sure that every transcript can be written.

    Raises:
        DataError: a character has no label.
    """
    if listed := unwritable(data, alphabet):
        raise DataError(
            f"the alphabet lacks {listed}: name one that has them with --alphabet FILE, "
            "or import with another text profile"
        )


def unfit(data: Data, features: Features, model: Model) -> NDArray[np.int64]:
    """Rows of samples with more labels than the model has steps for: CTC's loss would be infinite."""
    lengths, which = np.unique(np.rint(data.clips.seconds * RATE).astype(np.int64), return_inverse=True)
    steps = np.array([model.steps(features.frames(length)) for length in lengths.tolist()], np.int64)
    return np.flatnonzero(steps[which] < data.table.needed)
