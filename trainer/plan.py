"""Plan: which utterances make which batch of an epoch, in which order. A pure function, and no torch.

    plan_epoch(clips, settings, seed=1, epoch=0)  ->  [(17, 3), (8, 2, 11), ...]     indices into clips

The order depends on the ids, lengths, settings, seed and epoch, and on nothing else: not on where the data
lies, not on how many processes read it, not on what happened before. So the state of the data is two
integers, (epoch, step), and a run can stop and go on between any two steps.

Every clip is in exactly one batch of an epoch. A batch holds clips of like length; which ones meet, and in
what order the batches come, is drawn anew each epoch from BLAKE2b of (seed, epoch, id), which is the same on
every machine and in every version of Python.
"""

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .config import BatchConfig

BUCKETS_PER_DOUBLING = 8
"""Lengths within a factor of 2 ** (1 / 8) = 1.09 are alike: they mix freely, and padding stays below 9 %."""


@dataclass(frozen=True, slots=True)
class Clip:
    """What the plan needs to know of a sample."""

    id: str
    seconds: float


Batch = tuple[int, ...]


def plan_epoch(clips: Sequence[Clip], batch: BatchConfig, seed: int, epoch: int) -> list[Batch]:
    """The batches of an epoch, as indices into `clips`; the order of `clips` decides nothing but these numbers."""

    def order(index: int) -> tuple[int, bytes]:
        clip = clips[index]
        return _bucket(clip.seconds), draw(seed, epoch, clip.id)

    batches = list(_cut(sorted(range(len(clips)), key=order), clips, batch))
    return sorted(batches, key=lambda indices: draw(seed, epoch, "batch", clips[indices[0]].id))


def plan_reading(clips: Sequence[Clip], batch: BatchConfig) -> list[Batch]:
    """Every clip once, longest first, for evaluation: a batch that does not fit in memory fails at once."""
    order = sorted(range(len(clips)), key=lambda index: (-clips[index].seconds, clips[index].id))
    return list(_cut(order, clips, batch))


def draw(*parts: int | str) -> bytes:
    """Eight random-looking bytes that belong to these numbers and words for ever."""
    text = "\0".join(map(str, parts)).encode()
    return hashlib.blake2b(text, digest_size=8).digest()


def _bucket(seconds: float) -> int:
    return round(math.log2(max(seconds, 1e-3)) * BUCKETS_PER_DOUBLING)


def _cut(order: Sequence[int], clips: Sequence[Clip], batch: BatchConfig) -> Iterator[Batch]:
    """Runs of `order` whose padded seconds and count stay within bounds; a longer clip goes alone."""
    run: list[int] = []
    longest = 0.0
    for index in order:
        longer = max(longest, clips[index].seconds)
        if run and (longer * (len(run) + 1) > batch.seconds or len(run) == batch.samples):
            yield tuple(run)
            run, longer = [], clips[index].seconds
        run.append(index)
        longest = longer
    if run:
        yield tuple(run)
