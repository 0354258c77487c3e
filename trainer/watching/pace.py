"""Pace: how fast a run goes, and what it waits for.

    Pace(audio_seconds=865.6, seconds=4.1, waited=0.04, memory=3_100_000_000)  ->  211 hours of audio in an hour

Sums over steps, and quotients of the sums: a mean of quotients would give short steps too much weight.
"""

import math
from collections import deque
from dataclasses import dataclass

from ..training.reports import StepReport

WINDOW = 50
"""Steps that a figure of the present is taken over: batches are of clips of like length, so one alone says little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What some steps took."""

    audio_seconds: float = 0.0
    seconds: float = 0.0
    waited: float = 0.0
    """Seconds of them in which the first process waited for its data."""
    memory: int = 0
    """Bytes: the most that it has had."""

    def after(self, more: "StepReport | Pace") -> "Pace":
        """With a step more, or several."""
        return Pace(
            audio_seconds=self.audio_seconds + more.audio_seconds,
            seconds=self.seconds + more.seconds,
            waited=self.waited + more.waited,
            memory=max(self.memory, more.memory),
        )

    @property
    def hours_per_hour(self) -> float:
        """Hours of audio that an hour is enough for; 0 before the first step."""
        return self.audio_seconds / self.seconds if self.seconds else 0.0

    @property
    def wait_share(self) -> float:
        """Share of the time, from 0 to 1, in which data were waited for."""
        return self.waited / self.seconds if self.seconds else 0.0


class Recent:
    """The last `WINDOW` steps."""

    def __init__(self) -> None:
        self._reports: deque[StepReport] = deque(maxlen=WINDOW)
        self.bad = 0
        """Steps that were skipped, of all so far."""

    def add(self, report: StepReport) -> None:
        """One step more."""
        self._reports.append(report)
        self.bad += bool(report.bad) or not math.isfinite(report.loss + report.norm)

    @property
    def loss(self) -> float:
        """Mean loss of an utterance in nats, steps that were skipped left out; nan if there is none."""
        good = [report for report in self._reports if math.isfinite(report.loss)]
        utterances = sum(report.utterances for report in good)
        return sum(report.loss * report.utterances for report in good) / utterances if utterances else math.nan

    @property
    def pace(self) -> Pace:
        """Of these steps."""
        pace = Pace()
        for report in self._reports:
            pace = pace.after(report)
        return pace
