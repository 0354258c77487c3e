"""Ranks: the processes that train one model together, as torchrun starts them, or one process alone.

    torchrun --nproc-per-node 4 -m dsprep train ...      Ranks(rank=2, count=4)

What only one may do, rank 0 does: read a checkpoint, write one, decide. The others are told what came of it.
Numbers travel by gloo, between CPUs; gradients by NCCL where the model is on GPUs.
"""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
from torch import distributed
from torch.distributed.rendezvous import rendezvous

from ...manifests import DsprepError, FailedElsewhere, TrainingError
from .meeting import met

T = TypeVar("T")
PATIENCE = timedelta(hours=12)
"""For which ranks wait for another, as for rank 0 while it indexes a large corpus. One that dies is known at once."""


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process among all that train together."""

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that writes and speaks."""
        return self.rank == 0

    def once(self, work: Callable[[], T]) -> T:
        """What `work` returns on rank 0, on all ranks.

        Raises:
            DsprepError: as `work` raised it on rank 0; FailedElsewhere on the others.
        """
        if self.count == 1:
            return work()
        told: list[tuple[bool, T | str]] = [(False, "")]
        if self.first:
            try:
                told = [(True, work())]
            except DsprepError as error:
                distributed.broadcast_object_list([(False, str(error))])
                raise
        distributed.broadcast_object_list(told)
        good, value = told[0]
        if not good:
            raise FailedElsewhere(str(value))
        return value  # type: ignore[return-value]

    def in_turn(self, work: Callable[[], T]) -> T:
        """What `work` returns on each rank, rank 0 first: what it puts into a cache, the others find there."""
        if self.count == 1:
            return work()
        done: list[T] = []
        self.once(lambda: done.append(work()))
        return done[0] if done else work()

    def gathered(self, value: T) -> list[T]:
        """What all ranks hold, in their order, on all ranks."""
        if self.count == 1:
            return [value]
        found: list[T | None] = [None] * self.count
        distributed.all_gather_object(found, value)
        return found  # type: ignore[return-value]

    def table(self, numbers: Sequence[float]) -> list[list[float]]:
        """As `gathered`, of a few numbers: one small message, at each step."""
        if self.count == 1:
            return [list(numbers)]
        mine = torch.tensor(numbers, dtype=torch.float64)
        found = [torch.empty_like(mine) for _ in range(self.count)]
        distributed.all_gather(found, mine)
        return [one.tolist() for one in found]


@contextmanager
def joined(device: torch.device) -> Iterator[Ranks]:
    """The ranks that torchrun has started this process with; itself alone where it has not."""
    if not distributed.is_torchelastic_launched():
        yield Ranks()
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    # torchrun ends the ranks that are left when one has died: they may be waiting for it, where Python hears no signal.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    store, rank, count = next(rendezvous("env://"))
    distributed.init_process_group(
        backend, store=met(store, rank, count), rank=rank, world_size=count, timeout=PATIENCE
    )
    try:
        yield Ranks(distributed.get_rank(), distributed.get_world_size())
    except RuntimeError as error:
        if not isinstance(error, distributed.DistError) and "gloo" not in str(error):
            raise
        raise TrainingError(
            f"rank {distributed.get_rank()}: another process has ended or cannot be reached; its own message tells why"
        ) from error
    finally:
        distributed.destroy_process_group()
