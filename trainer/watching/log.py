"""The log of a run, RUN/log.jsonl: a line for each step, each epoch and each notice, in strict JSON.

    {"epoch": 3, "step": 41, "kind": "step", "time": "2026-11-20T19:30:41.120+00:00", "steps": 146, "loss": 12.7, ...}
    {"epoch": 3, "step": null, "kind": "epoch", "time": ..., "loss": 12.1, "dev_loss": 13.0, "wer": 0.21, ...}
    {"epoch": 4, "step": 0, "kind": "notice", "time": ..., "text": "going on after epoch 3, batch 0 of the next"}

What is not finite (a loss that broke, say) is null. The clock is read here and nowhere else: nothing depends on it.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from torch import nn

from ...manifests import DataError
from ..scoring.heard import Evaluation
from ..training.reports import StepReport
from .lines import Lines, read_lines
from .pace import Pace
from .watcher import EpochReport, Watcher


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLine:
    """A step."""

    time: datetime
    report: StepReport


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochLine:
    """The end of an epoch."""

    time: datetime
    report: EpochReport
    pace: Pace
    """Of its steps, those before an interruption among them; not of its judgement on the dev data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeLine:
    """What the user was told."""

    time: datetime
    epoch: int
    """In which it was told, counted from 1."""
    step: int
    """After which step of it."""
    text: str


Line = StepLine | EpochLine | NoticeLine


class Log(Watcher):
    """The log, open at its end."""

    def __init__(self, run: Path, after: tuple[int, int]) -> None:
        """Go on after so many epochs and so many steps of the next: what was told of later ones is taken out.

        Raises:
            OutputError: it cannot be read or written.
        """
        self._lines = Lines(run / "log.jsonl", after)
        self._at = after[0] + 1, after[1]
        self._pace = _pace_told(self._lines.path, self._at[0])

    def on_step(self, report: StepReport) -> None:
        """A line for a step."""
        facts = asdict(report)
        del facts["ids"]  # RUN/ids is for them
        self._add(facts.pop("epoch"), facts.pop("step"), "step", facts)
        self._at = report.epoch, report.step
        self._pace = self._pace.after(report)

    def on_epoch(self, report: EpochReport, judged: Evaluation, model: nn.Module) -> None:
        """A line for an epoch."""
        facts, pace = asdict(report), self._pace
        quotients = {"hours_per_hour": pace.hours_per_hour, "wait_share": pace.wait_share}
        self._add(facts.pop("epoch"), None, "epoch", {**facts, **quotients, **asdict(pace)})
        self._at, self._pace = (report.epoch + 1, 0), Pace()

    def on_notice(self, text: str) -> None:
        """A line for a notice."""
        self._add(*self._at, "notice", {"text": text})

    def close(self) -> None:
        """Let go of the file."""
        self._lines.close()

    def _add(self, epoch: int, step: int | None, kind: str, facts: dict[str, Any]) -> None:
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._lines.add(epoch, step, {"kind": kind, "time": time, **facts})


def read_log(path: Path) -> Iterator[Line]:
    """The lines of a log, in their order; null is read as not a number.

    Raises:
        DataError: there is no such file, or it is no log of ours.
    """
    for number, facts in read_lines(path):
        with _ours(path, number):
            yield _line(facts)


def _pace_told(path: Path, epoch: int) -> Pace:
    """The pace of the steps of an epoch that a log tells of."""
    pace = Pace()
    for number, facts in read_lines(path, epoch):
        with _ours(path, number):
            if facts["kind"] == "step":
                pace = pace.after(_held(Pace, facts))
    return pace


@contextmanager
def _ours(path: Path, number: int) -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        raise DataError.at(path, number, f"this is no line of a log of dsprep train: {error!r}") from error


def _line(facts: dict[str, Any]) -> Line:
    kind, time = facts["kind"], datetime.fromisoformat(facts["time"])
    if kind == "step":
        return StepLine(time=time, report=_held(StepReport, {**facts, "bad": tuple(facts["bad"]), "ids": ()}))
    if kind == "epoch":
        return EpochLine(time=time, report=_held(EpochReport, facts), pace=_held(Pace, facts))
    if kind == "notice":
        return NoticeLine(time=time, epoch=facts["epoch"], step=facts["step"], text=facts["text"])
    raise ValueError(kind)


T = TypeVar("T")


def _held(kind: type[T], facts: dict[str, Any]) -> T:
    """What the fields of a dataclass are in a line."""
    names = [one.name for one in fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: math.nan if facts[name] is None else facts[name] for name in names})


def steps_told(path: Path) -> int:
    """How many steps a log tells of, without reading what it says of them; 0 if there is none."""
    if not path.exists():
        return 0
    with path.open("rb") as file:
        return sum(b'"kind": "step"' in line for line in file)
