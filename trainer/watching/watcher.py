"""Watchers: what a run tells after each step and each epoch, and those who are told.

EpochReport(epoch=12, loss=8.13, dev_loss=9.94, wer=0.041, cer=0.012, rate=0.0018)

A watcher changes nothing of the run: it leaves the model, the random numbers and the order of the data alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from ..scoring.heard import Evaluation
from ..training.reports import StepReport
from ..training.standing import EpochResult


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochReport:
    """An epoch that is done and judged, on all processes together."""

    epoch: int
    """Counted from 1."""
    loss: float
    """Mean CTC loss of a training utterance, in nats."""
    dev_loss: float
    """Of an utterance of the dev data; infinite where none can have one."""
    wer: float
    """Word error rate on the dev data, as a fraction; infinite where there are no words."""
    cer: float
    """Character error rate."""
    rate: float
    """Learning rate of its last step."""

    @property
    def merit(self) -> tuple[float, float]:
        """Lower is better, as `EpochResult.merit`."""
        return self.wer, self.cer


def report_of(result: EpochResult) -> EpochReport:
    """What is told of an epoch that came to `result`."""
    return EpochReport(
        epoch=result.epoch,
        loss=result.loss,
        dev_loss=result.dev_loss,
        wer=result.dev_words.rate,
        cer=result.dev_characters.rate,
        rate=result.rate,
    )


def best_of(history: Sequence[EpochReport]) -> EpochReport:
    """The best epoch, of which there must be one; of equals, the earliest."""
    return min(history, key=lambda report: report.merit)


class Watcher:
    """One who is told, and does nothing with it: each kind overrides what it wants."""

    def on_step(self, report: StepReport) -> None:
        """A step is done, or was skipped."""

    def on_epoch(self, report: EpochReport, judged: Evaluation, model: nn.Module) -> None:
        """An epoch is done and judged; the model has the gradient of its last step still."""

    def on_notice(self, text: str) -> None:
        """Something that the user is told in a line."""

    def close(self) -> None:
        """There is no more to come."""
