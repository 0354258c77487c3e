"""Rehearsal: what would end a run hours later, tried before the first step.

The batch with the longest clips, forwards and backwards with all that a step holds in memory, and room on the disk for
the checkpoints. Whether every transcript can be written and fits its audio is asked in `loading.data`.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from ...manifests import OutputError, TrainingError, size_text
from ...manifests.ctc import RATE
from ...pipeline.reading import Reader
from ..config import BatchConfig
from ..loading.batches import Loaded, load
from ..loading.data import Data
from ..order.plan import plan_reading, share
from .learner import Learner

PIECES = (1, 2, 4, 8, 16, 32, 64)
"""Into which a batch that does not fit is cut, to find out what would."""


def rehearse(learner: Learner, data: Data, longest: Callable[[int], int] = lambda samples: samples) -> None:
    """Make sure that the batch with the longest clips fits in memory; no weight is changed.

    `longest` tells how many samples a clip of so many may become by augmentation.

    Raises:
        TrainingError: it does not; the message says what would.
        DataError: one of its clips cannot be read.
    """
    batch, ranks = learner.config.batch, learner.ranks
    rows = share(plan_reading(data.clips, batch)[0], ranks.rank, ranks.count)
    with Reader() as reader:
        found = load(data, rows, reader)
    lengths = [longest(length) for length in found.lengths]
    room = max(lengths, default=0) - found.pcm_BN.shape[1]
    worst = Loaded(found.samples, np.pad(found.pcm_BN, ((0, 0), (0, room))), lengths)
    fits = _fitting(learner, worst, batch)
    needed = ranks.gathered(fits)
    if set(needed) == {batch.pieces}:
        return
    size, seconds = len(found.samples), max(lengths, default=0) / RATE
    what = f"the batch of the longest clips ({size} of up to {seconds:.1f} s) does not fit in the memory of "
    if all(needed):
        raise TrainingError(f"{what}{learner.device}: add --set batch.pieces={max(needed)}, or lower batch.seconds")
    raise TrainingError(f"{what}{learner.device}, not even one by one: leave out long clips, or take a smaller model")


def _fitting(learner: Learner, longest: Loaded, batch: BatchConfig) -> int:
    """The fewest pieces, from those of `batch` on, in which the batch fits; 0 for none."""
    clips = max(1, len(longest.samples))
    for count in (batch.pieces, *(more for more in PIECES if more > batch.pieces)):
        if _fits(learner, longest.part(0, min(count, clips))):
            return count
        if count >= clips:
            return 0
    return 0


def _fits(learner: Learner, part: Loaded) -> bool:
    statistics = [buffer.clone() for buffer in learner.model.buffers()]
    try:
        # The optimiser will hold two numbers for each weight.
        held = [torch.empty_like(one) for one in learner.learning for _ in range(2)]
        learner.model.train()
        learner.losses(part, 0).sum().backward()  # type: ignore[no-untyped-call]
        del held
    except (MemoryError, RuntimeError) as error:
        if not _lacks_memory(error):
            raise
        return False
    finally:
        learner.optimizer.zero_grad()
        for buffer, before in zip(learner.model.buffers(), statistics, strict=True):
            buffer.copy_(before)
        if learner.device.type == "cuda":
            torch.cuda.empty_cache()
    return True


def _lacks_memory(error: Exception) -> bool:
    text = str(error)
    # oneDNN does not say why it could not.
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate memory" in text or "a primitive" in text


def check_room(learner: Learner, run: Path) -> None:
    """Make sure that the checkpoints fit on the disk: those that are kept, the best, and one that is being written.

    Raises:
        OutputError: they do not.
    """
    weights = sum(one.numel() * one.element_size() for one in learner.model.state_dict().values())
    state = 2 * sum(one.numel() * one.element_size() for one in learner.learning)
    wanted = (weights + state) * (learner.config.train.keep + 2)
    there = sum(path.stat().st_size for path in (run / "checkpoints").glob("*.safetensors"))
    free = shutil.disk_usage(run).free
    if free + there < wanted:
        raise OutputError(
            f"{run}: the checkpoints take up to {size_text(wanted)}, and {size_text(free)} are free: make room, "
            "name another --run, or lower train.keep"
        )
