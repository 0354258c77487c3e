"""Gathering: clips as a stream brings them, into padded batches of like length.

    gathered(clips, bounds, chance)  ->  Loaded(samples, pcm_BN, lengths), Loaded(...), ...

Axes: B clips, N samples. Clips wait in buckets of like length, as the plan has them, until one is full. All are held in
memory meanwhile: of a bucket less than `batch.seconds`, and there are some 40 buckets from half a second to 16.
"""

import math
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ...manifests import Sample
from ...manifests.ctc import RATE
from ...pipeline.sound.audio import Pcm
from ..config import BatchConfig
from ..order.buckets import PER_DOUBLING
from .batches import Loaded, packed


@dataclass(frozen=True, slots=True)
class Clip:
    """A sample out of a tar, decoded."""

    sample: Sample
    pcm: Pcm


def gathered(clips: Iterable[Clip], bounds: BatchConfig, chance: random.Random) -> Iterator[Loaded]:
    """Every clip in one batch within bounds; at the end what is left over, by length, in a drawn order."""
    waiting: dict[int, list[Clip]] = {}
    for clip in clips:
        bucket = waiting.setdefault(round(math.log2(len(clip.pcm)) * PER_DOUBLING), [])
        if not _fits([*bucket, clip], bounds):
            yield _batch(bucket)
            bucket.clear()
        bucket.append(clip)
    rest = list(_cut(sorted((clip for one in waiting.values() for clip in one), key=_length), bounds))
    chance.shuffle(rest)
    yield from map(_batch, rest)


def _cut(clips: Iterable[Clip], bounds: BatchConfig) -> Iterator[list[Clip]]:
    batch: list[Clip] = []
    for clip in clips:
        if not _fits([*batch, clip], bounds):
            yield batch
            batch = []
        batch.append(clip)
    if batch:
        yield batch


def _fits(batch: Sequence[Clip], bounds: BatchConfig) -> bool:
    """Whether padded seconds and count stay within bounds; a longer clip goes alone."""
    padded = max(map(_length, batch)) * len(batch) / RATE
    return len(batch) == 1 or (len(batch) <= bounds.samples and padded <= bounds.seconds)


def _length(clip: Clip) -> int:
    return len(clip.pcm)


def _batch(clips: Sequence[Clip]) -> Loaded:
    return packed(tuple(clip.sample for clip in clips), [clip.pcm for clip in clips])
