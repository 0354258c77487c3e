"""Data: the samples that a run trains on or is judged by, and how long they are."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..manifests import Alphabet, DataError, Sample, ctc, describe
from ..manifests.ctc import RATE
from ..pipeline.commit import digest_of
from ..pipeline.pcm import read_pcm
from ..pipeline.places import Cache, Place
from ..pipeline.reading import Reader
from ..pipeline.samples import read_samples
from .features import Features
from .models import Model
from .plan import Clip


@dataclass(frozen=True, slots=True)
class Data:
    """Samples with known lengths, sorted by id."""

    samples: tuple[Sample, ...]
    clips: tuple[Clip, ...]

    @property
    def digest(self) -> str:
        """Of ids, sizes, transcripts and lengths, wherever the samples lie; of the sound itself only its size."""
        return digest_of([[one.id, one.size, one.transcript, one.duration] for one in self.samples])

    @property
    def hours(self) -> float:
        """Hours of audio."""
        return sum(clip.seconds for clip in self.clips) / 3600

    def without(self, ids: set[str]) -> "Data":
        """The same data less some samples."""
        kept = [pair for pair in zip(self.samples, self.clips, strict=True) if pair[0].id not in ids]
        return Data(tuple(sample for sample, _ in kept), tuple(clip for _, clip in kept))


def read_data(places: Sequence[Place], cache: Cache | None = None) -> Data:
    """The samples of any mix of manifests and shard folders.

    Raises:
        DataError: a place is neither, is empty, names a file that is gone, or shares an id with another.
    """
    return _data(read_samples(places, cache))


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
        for sample, clip in zip(data.samples, data.clips, strict=True)
        if model.steps(features.frames(round(clip.seconds * RATE))) < ctc.needed(alphabet.encode(sample.transcript))
    ]


def _data(samples: Sequence[Sample]) -> Data:
    ordered = tuple(sorted(samples, key=lambda sample: sample.id))
    with Reader() as reader:
        return Data(ordered, tuple(Clip(sample.id, _seconds(sample, reader)) for sample in ordered))


def _seconds(sample: Sample, reader: Reader) -> float:
    return len(read_pcm(sample, reader)) / RATE if sample.duration is None else sample.duration
