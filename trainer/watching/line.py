"""The progress line: how training goes, beside the count of its steps, in 80 columns.

    epoch 12 1041/8146 55:50 left, loss 12.70 lr 0.0018 812 h/h wait 1% 3.1 GB

Loss, hours of audio an hour and the share of waiting are those of the last steps (`pace.WINDOW`).
"""

from ...manifests import size_text
from ..training.reports import StepReport
from .pace import Recent
from .watcher import Watcher

BAR_FORMAT = "{desc} {n_fmt}/{total_fmt} {remaining} left{postfix}"
"""For tqdm: a bar would take the room that `text` needs."""
TIME_LEFT = " 10:55:50 left, "
"""As wide as it commonly gets."""


class Line(Watcher):
    """The latest that is known."""

    def __init__(self) -> None:
        self._recent = Recent()
        self._latest: StepReport | None = None

    def on_step(self, report: StepReport) -> None:
        """The figures from here on are with this step."""
        self._recent.add(report)
        self._latest = report

    def text(self, columns: int = 80) -> str:
        """The figures in at most so many columns, those that matter least left out first; empty before a step."""
        if self._latest is None:
            return ""
        pace = self._recent.pace
        ranked = [  # by place in the line, each with how much it matters
            (1, f"loss {self._recent.loss:.2f}"),
            (4, f"lr {self._latest.rate:.2g}"),
            (2, f"{pace.hours_per_hour:.0f} h/h" if pace.hours_per_hour >= 10 else f"{pace.hours_per_hour:.1f} h/h"),
            (3, f"wait {pace.wait_share:.0%}"),
            (5, size_text(pace.memory)),
            (0, f"bad {self._recent.bad}" if self._recent.bad else ""),
        ]
        for least in range(len(ranked), 0, -1):
            text = " ".join(part for rank, part in ranked if part and rank < least)
            if len(text) <= columns:
                return text
        return ""

    def beside(self, stage: str, total: int, columns: int = 80) -> str:
        """The figures that fit beside tqdm's count of `total` steps in so many columns, drawn by `BAR_FORMAT`."""
        count = f"{total}/{total}" if total else "1000000/?"
        return self.text(columns - len(f"{stage} {count}") - len(TIME_LEFT))
