"""Schedule: the learning rate of a step, and when to end. Pure functions of the config and the history of epochs.

    rate_at(TrainConfig(rate=1.0, schedule="cosine", warmup=0.2, epochs=10), epoch=1, step=5, steps=10, history=())

Epochs may differ in steps, where sets are mixed or shuffled in windows: a step of one is counted as if all epochs were
like it, so that the rate follows the share of the epochs that is done, and needs no epoch's plan but its own.
"""

import math
from collections.abc import Sequence

from ..config import TrainConfig
from .standing import EpochResult


def rate_at(train: TrainConfig, epoch: int, step: int, steps: int, history: Sequence[EpochResult]) -> float:
    """The learning rate of a step, counted from 0, of an epoch, counted from 0, that has `steps`."""
    done, total = epoch * steps + step, train.epochs * steps
    rise = train.warmup * total
    if done < rise:
        return train.rate * (done + 1) / (rise + 1)
    if train.schedule == "cosine":  # Loshchilov and Hutter 2017, without restarts
        return train.rate * (1 + math.cos(math.pi * (done - rise) / max(1.0, total - rise))) / 2
    if train.schedule == "decay":
        return train.rate * train.decay**epoch
    if train.schedule == "plateau":
        return train.rate * train.plateau_factor ** lowered(history, train.plateau_epochs)
    return train.rate


def lowered(history: Sequence[EpochResult], patience: int) -> int:
    """How often `patience` epochs in a row have brought nothing better: each time the counting begins anew."""
    times = waited = 0
    for index, result in enumerate(history):
        waited = 0 if _better(result, history[:index]) else waited + 1
        if waited == patience:
            times, waited = times + 1, 0
    return times


def stale(history: Sequence[EpochResult]) -> int:
    """Epochs since the best."""
    best = min(range(len(history)), key=lambda index: history[index].merit, default=0)
    return max(0, len(history) - 1 - best)


def finished(train: TrainConfig, history: Sequence[EpochResult]) -> bool:
    """Whether a run ends here: all its epochs are done, or as many as it may have had brought nothing better."""
    return len(history) >= train.epochs or 0 < train.stop_epochs <= stale(history)


def _better(result: EpochResult, before: Sequence[EpochResult]) -> bool:
    return all(result.merit < one.merit for one in before)
