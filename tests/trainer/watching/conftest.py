"""Reports of a made-up run."""

import math

import pytest

from dsprep.trainer.training.reports import StepReport
from dsprep.trainer.watching.watcher import EpochReport


class Told:
    """What a run of epochs of 10 steps tells, always the same."""

    @staticmethod
    def step(epoch: int, step: int, steps: int = 10, **changed: object) -> StepReport:
        count = (epoch - 1) * steps + step
        facts = {
            "epoch": epoch,
            "step": step,
            "steps": steps,
            "loss": 100 / count,
            "rate": 3e-4 * 0.99 ** (epoch - 1),
            "norm": 50 / count,
            "utterances": 8,
            "audio_seconds": 80.0,
            "seconds": 0.5,
            "waited": 0.01,
            "memory": 10**9 + count,
        }
        return StepReport(**{**facts, **changed})  # type: ignore[arg-type]

    @staticmethod
    def epoch(epoch: int, **changed: float) -> EpochReport:
        facts = {
            "loss": 100 / epoch,
            "dev_loss": 110 / epoch + 5,
            "wer": min(1.0, 2 / epoch),
            "cer": min(0.8, 1 / epoch),
            "rate": 3e-4 * 0.99 ** (epoch - 1),
        }
        return EpochReport(epoch=epoch, **{**facts, **changed})

    @classmethod
    def history(cls, epochs: int, **changed: float) -> list[EpochReport]:
        return [cls.epoch(epoch, **changed) for epoch in range(1, epochs + 1)]

    @staticmethod
    def skipped(epoch: int, step: int, *bad: str) -> StepReport:
        return Told.step(epoch, step, loss=math.nan, norm=math.inf, bad=bad)


@pytest.fixture(scope="session")
def told() -> type[Told]:
    return Told
