"""Data: the samples that a run trains on or is judged by, and their sound, one `pread` each."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..manifests import Alphabet, DataError, Sample, ctc, describe
from ..manifests.ctc import RATE
from ..pipeline.commit import digest_of
from ..pipeline.foreign import Cache
from ..pipeline.reading import audio_bytes
from ..pipeline.samples import read_samples
from ..pipeline.sound.audio import FULL_SCALE, Pcm, Unreadable, decode, wav_header
from .features import Features
from .models import Model
from .plan import Batch, Clip

HEADER = len(wav_header(0))
LENGTH_TOLERANCE = 0.01
"""Seconds by which a manifest may round a clip's length."""


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

    @property
    def summary(self) -> str:
        """What it is, in a few words."""
        return f"{len(self.samples)} utterances, {self.hours:.2f} h"

    def without(self, ids: set[str]) -> "Data":
        """The same data less some samples."""
        kept = [pair for pair in zip(self.samples, self.clips, strict=True) if pair[0].id not in ids]
        return Data(tuple(sample for sample, _ in kept), tuple(clip for _, clip in kept))


def read_data(places: Sequence[Path], cache: Cache | None = None) -> Data:
    """The samples of any mix of manifests and shard folders; foreign shards are indexed in `cache`.

    Raises:
        DataError: a place is neither, is empty, names a file that is gone, or shares an id with another.
    """
    return _data(read_samples(places, cache))


def read_pcm(sample: Sample) -> Pcm:
    """The samples of a clip, 16 kHz mono.

    Raises:
        DataError: its file is gone, cut off, or no audio.
    """
    data = audio_bytes(sample)
    if len(data) > HEADER and data[:HEADER] == wav_header(len(data) - HEADER):
        return np.frombuffer(data, dtype="<i2", offset=HEADER)
    try:
        pcm = decode(data)
    except Unreadable as error:
        raise DataError(f"{sample.id}: {sample.path} at byte {sample.offset or 0}: {error}") from error
    if not len(pcm):
        raise DataError(f"{sample.id}: {sample.path} at byte {sample.offset or 0} holds no sound")
    return pcm


def load(data: Data, batch: Batch) -> tuple[Tensor, list[int]]:
    """The sound of a batch: (samples_BN from -1 to 1, zero past each length; the lengths)."""
    clips = [read_pcm(data.samples[index]) for index in batch]
    lengths = [len(clip) for clip in clips]
    for index, length in zip(batch, lengths, strict=True):
        _check_length(data.samples[index], data.clips[index].seconds, length / RATE)
    samples_BN = np.zeros((len(clips), max(lengths)), dtype=np.float32)
    for row, clip in zip(samples_BN, clips, strict=True):
        row[: len(clip)] = clip
    samples_BN /= FULL_SCALE
    return torch.from_numpy(samples_BN), lengths


def loaded(data: Data, batches: Sequence[Batch]) -> Iterator[tuple[Batch, Tensor, list[int]]]:
    """Each batch with its sound, the next one read while this one is worked on."""
    with ThreadPoolExecutor(1) as reader:
        ahead = [reader.submit(load, data, batch) for batch in batches[:2]]
        for number, batch in enumerate(batches):
            samples_BN, lengths = ahead.pop(0).result()
            if number + 2 < len(batches):
                ahead.append(reader.submit(load, data, batches[number + 2]))
            yield batch, samples_BN, lengths


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


def _check_length(sample: Sample, promised: float, found: float) -> None:
    """A length decides which batch a clip is in, and whether its text fits: the manifest must tell the truth."""
    if abs(promised - found) > LENGTH_TOLERANCE:
        raise DataError(
            f"{sample.id}: {sample.path} holds {found:.3f} s, its manifest says {promised:.3f} s: "
            "leave the duration out of the manifest, or import again"
        )


def _data(samples: Sequence[Sample]) -> Data:
    ordered = tuple(sorted(samples, key=lambda sample: sample.id))
    return Data(ordered, tuple(Clip(sample.id, _seconds(sample)) for sample in ordered))


def _seconds(sample: Sample) -> float:
    return len(read_pcm(sample)) / RATE if sample.duration is None else sample.duration
