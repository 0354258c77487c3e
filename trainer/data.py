"""Data: the samples that a run trains on or is judged by, and how long they are."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..manifests import Alphabet, DataError, Sample, ctc, describe
from ..manifests.ctc import RATE
from ..pipeline.commit import digest_of
from ..pipeline.pcm import read_pcm
from ..pipeline.places import Cache, Place
from ..pipeline.reading import Reader
from ..pipeline.samples import read_sets
from .clips import Clips, clips_of
from .config import Config
from .features import Features
from .models import Model


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """Samples with known lengths, sorted by id."""

    samples: tuple[Sample, ...]
    clips: Clips
    """The same, as the plan sees them."""

    @property
    def digest(self) -> str:
        """Of ids, sizes, transcripts and lengths, wherever the samples lie; of the sound itself only its size."""
        return digest_of([[one.id, one.size, one.transcript, one.duration] for one in self.samples])

    def ordered_digest(self, config: Config) -> str:
        """The digest, and of what else decides the order: sets where they are mixed, shards where they are windows."""
        sets = [self.clips.sets.tolist()] if config.mix.hours else []
        shards = [self.clips.shards.tolist()] if config.batch.window else []
        return digest_of([self.digest, *sets, *shards]) if sets or shards else self.digest

    @property
    def hours(self) -> float:
        """Hours of audio."""
        return float(self.clips.seconds.sum()) / 3600

    @property
    def summary(self) -> str:
        """What it is, in a few words."""
        return f"{len(self.samples)} utterances, {self.hours:.2f} h"

    def without(self, ids: set[str]) -> "Data":
        """The same data less some samples."""
        keep = [sample.id not in ids for sample in self.samples]
        return Data(tuple(itertools.compress(self.samples, keep)), self.clips.kept(np.array(keep, bool)))


def read_data(places: Sequence[Place], cache: Cache | None = None) -> Data:
    """The samples of any mix of manifests and shard folders.

    Raises:
        DataError: a place is neither, is empty, names a file that is gone, or shares an id with another.
    """
    sets = read_sets(places, cache)
    told = ((sample, number) for number, samples in enumerate(sets) for sample in samples)
    ordered = sorted(told, key=lambda one: one[0].id)
    samples = tuple(sample for sample, _ in ordered)
    return Data(samples, clips_of(samples, _seconds(samples), (one for _, one in ordered), list(map(str, places))))


def unwritable(data: Data, alphabet: Alphabet) -> str:
    """Which characters of the transcripts have no label, how often, and where first; empty if all have one."""
    count: dict[str, int] = {}
    first: dict[str, Sample] = {}
    for sample in data.samples:
        for character in alphabet.missing(sample.transcript):
            count[character] = count.get(character, 0) + 1
            first.setdefault(character, sample)
    return ", ".join(
        f"{describe(character)} in {count[character]} transcripts, first {first[character].id}"
        for character in sorted(count, key=lambda one: -count[one])[:10]
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


def unfit(data: Data, features: Features, model: Model, alphabet: Alphabet) -> list[str]:
    """Ids of samples with more labels than the model has steps for: CTC's loss would be infinite."""
    return [
        sample.id
        for sample, seconds in zip(data.samples, data.clips.seconds.tolist(), strict=True)
        if model.steps(features.frames(round(seconds * RATE))) < ctc.needed(alphabet.encode(sample.transcript))
    ]


def _seconds(samples: Iterable[Sample]) -> Iterator[float]:
    with Reader() as reader:
        for one in samples:
            yield len(read_pcm(one, reader)) / RATE if one.duration is None else one.duration
