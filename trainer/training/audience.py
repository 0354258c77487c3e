"""Audience: all who are told of a run, the caller and those who write it down.

Notices that come before a log can be opened, for nobody knows yet where the run stands, are told to it later.
"""

from collections.abc import Sequence
from pathlib import Path

from torch import nn

from ..loading.data import Data
from ..scoring.heard import Evaluation
from ..watching.ids import Ids
from ..watching.log import Log, steps_told
from ..watching.watcher import Watcher, report_of
from .means import Callbacks, Means
from .reports import StepReport
from .standing import EpochResult, Standing


class Audience:
    """Those who are told of each step."""

    def __init__(self, callbacks: Callbacks) -> None:
        self._callbacks, self._told = callbacks, list[str]()
        self._watchers: Sequence[Watcher] = ()

    def open(self, run: Path, at: Standing, means: Means, dev: Data) -> None:
        """From here on the run is written down, in what `means` asks for besides the log."""
        place, found = (at.epoch, at.step), list[Watcher]()
        self._watchers = found
        if means.ranks.first:
            found.append(Log(run, place))
        if means.ranks.first and means.tensorboard:
            from ..watching.board import Board, examples_of

            found.append(Board(run, at.epoch, steps_told(run / "log.jsonl"), examples_of(dev)))
        if means.log_ids:
            found.append(Ids(run, means.ranks.rank, means.ranks.count, place))
        for text in self._told:
            for watcher in found:
                watcher.on_notice(text)

    def notice(self, text: str) -> None:
        """Something that the user is told in a line."""
        self._callbacks.on_notice(text)
        self._told.append(text)
        for watcher in self._watchers:
            watcher.on_notice(text)

    def step(self, report: StepReport) -> None:
        """A step is done, or was skipped."""
        self._callbacks.on_step(report)
        for watcher in self._watchers:
            watcher.on_step(report)

    def epoch(self, result: EpochResult, judged: Evaluation, model: nn.Module) -> None:
        """An epoch is done and judged; the caller hears of it when it is saved."""
        for watcher in self._watchers:
            watcher.on_epoch(report_of(result), judged, model)

    def close(self) -> None:
        """There is no more to come."""
        for watcher in self._watchers:
            watcher.close()
