"""Loading: planned batches in, padded sound out, in the order of the plan.

    with closing(loaded(data, batches, workers=2)) as coming:
        for batch in coming:
            batch.pcm_BN        int16: 16 clips, side by side, zeros past the end of each

Axes: B clips, N samples. Workers are threads: reading and decoding let others run, and a batch that a thread has
made is the caller's without a copy, where a process would have to hand it over.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from queue import SimpleQueue
from threading import Event

import numpy as np
import torch
from torch import Tensor

from ...manifests import DataError, Sample
from ...manifests.ctc import RATE
from ...manifests.sample import ROUNDED
from ...pipeline.pcm import read_pcm
from ...pipeline.reading import Reader, shown
from ...pipeline.sound.audio import FULL_SCALE, Pcm
from ..order.windows import Batch
from .data import Data

AHEAD = 2
"""Batches for each worker that are made before they are asked for: one under way, one ready."""
Indices = Sequence[int] | Batch
"""Into the data: a batch of the plan, or any few."""
Change = Callable[[Sample, Pcm], Pcm]
"""What is done to the sound of a training clip, in the thread that has read it."""


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """A batch with its sound."""

    samples: tuple[Sample, ...]
    pcm_BN: Pcm
    """Zeros past each length; [0, 0] for no clips."""
    lengths: list[int]
    """In samples."""

    def sound(self, device: torch.device) -> Tensor:
        """The sound from -1 to 1 [B, N], float32, made on the device, for there and back goes half the weight."""
        return torch.from_numpy(self.pcm_BN).to(device).float() / FULL_SCALE

    def part(self, number: int, count: int) -> "Loaded":
        """One of `count` parts, alike in size but for one, that are the batch in their order."""
        rows = slice(len(self.samples) * number // count, len(self.samples) * (number + 1) // count)
        lengths = self.lengths[rows]
        return Loaded(self.samples[rows], self.pcm_BN[rows, : max(lengths, default=0)], lengths)


def loaded(data: Data, batches: Iterable[Indices], workers: int = 1, change: Change | None = None) -> Generator[Loaded]:
    """Each batch with its sound, the same for any number of workers; with 0 it is read when it is asked for.

    `change` is done to each clip once it is known to be as long as promised; it may make it longer or shorter.

    A generator: closed, or left by an error, it lets go of its threads and files; what is under way it waits for.

    Raises:
        DataError: when it is a batch's turn, one of its clips cannot be read or is not as long as promised.
    """
    with ExitStack() as held:
        readers = [held.enter_context(Reader()) for _ in range(max(1, workers))]
        if workers:
            yield from _ahead(data, batches, readers, held, change)
        else:
            yield from (load(data, batch, readers[0], change=change) for batch in batches)


def load(data: Data, batch: Indices, reader: Reader, stop: Event | None = None, change: Change | None = None) -> Loaded:
    """A batch with its sound.

    Raises:
        DataError: a clip cannot be read or is not as long as promised.
        CancelledError: `stop` was set.
    """
    promised = [round(float(data.clips.seconds[index]) * RATE) for index in batch]
    samples = tuple(data.samples[index] for index in batch)
    if change:
        rooms = (np.empty(length, np.int16) for length in promised)
        clips = zip(samples, rooms, strict=True)
        return packed(samples, [change(sample, _read(sample, reader, room, stop)) for sample, room in clips])
    pcm_BN = np.empty((len(batch), max(promised, default=0)), np.int16)
    lengths = []
    for number, (sample, length) in enumerate(zip(samples, promised, strict=True)):
        room = pcm_BN[number, :length]
        pcm = _read(sample, reader, room, stop)
        if pcm is not room:
            pcm_BN = _placed(pcm_BN, number, pcm)
        pcm_BN[number, len(pcm) :] = 0
        lengths.append(len(pcm))
    return Loaded(samples, pcm_BN[:, : max(lengths, default=0)], lengths)


def packed(samples: tuple[Sample, ...], clips: Sequence[Pcm]) -> Loaded:
    """Clips of any lengths, side by side in a batch."""
    lengths = [len(pcm) for pcm in clips]
    pcm_BN = np.zeros((len(clips), max(lengths, default=0)), np.int16)
    for row, pcm in zip(pcm_BN, clips, strict=True):
        row[: len(pcm)] = pcm
    return Loaded(samples, pcm_BN, lengths)


def _read(sample: Sample, reader: Reader, room: Pcm, stop: Event | None) -> Pcm:
    """The sound of a clip that is as long as promised; in `room`, if exactly."""
    if stop and stop.is_set():
        raise CancelledError
    pcm = read_pcm(sample, reader, room)
    _check_length(sample, len(room) / RATE, len(pcm) / RATE)
    return pcm


def _ahead(
    data: Data, batches: Iterable[Indices], readers: list[Reader], held: ExitStack, change: Change | None
) -> Iterator[Loaded]:
    """The batches, made by a thread for each reader while those before them are worked on."""
    free, stop, coming = SimpleQueue[Reader](), Event(), iter(batches)
    for reader in readers:
        free.put(reader)

    def one(batch: Indices) -> Loaded:
        reader = free.get()
        try:
            return load(data, batch, reader, stop, change)
        finally:
            free.put(reader)

    # Undone in reverse: told to stop, then waited for; the files are closed after that.
    threads = held.enter_context(ThreadPoolExecutor(len(readers), "loading"))
    held.callback(threads.shutdown, wait=False, cancel_futures=True)
    held.callback(stop.set)
    ahead = deque(threads.submit(one, batch) for batch in islice(coming, AHEAD * len(readers)))
    while ahead:
        ahead.extend(threads.submit(one, batch) for batch in islice(coming, 1))
        yield ahead.popleft().result()


def _placed(pcm_BN: Pcm, row: int, pcm: Pcm) -> Pcm:
    """The array with a clip in a row, made wider if the manifest had rounded its length down."""
    if len(pcm) > pcm_BN.shape[1]:
        pcm_BN = np.pad(pcm_BN, ((0, 0), (0, len(pcm) - pcm_BN.shape[1])))
    pcm_BN[row, : len(pcm)] = pcm
    return pcm_BN


def _check_length(sample: Sample, promised: float, found: float) -> None:
    """A length decides which batch a clip is in, and whether its text fits: the manifest must tell the truth."""
    if abs(promised - found) > ROUNDED:
        raise DataError(
            f"{sample.id}: {shown(sample.path)} holds {found:.3f} s, its manifest says {promised:.3f} s: "
            "leave the duration out of the manifest, or import again"
        )
