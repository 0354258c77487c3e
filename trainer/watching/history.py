"""The table at the end: what each epoch came to, the best of them marked.

epoch           loss  dev loss     WER     CER     rate
1             41.207    38.114  93.01%  61.20%   0.0003
10 not shown
12             8.130     9.940   4.10%   1.20%   0.0003  best
13             7.964     9.951   4.32%   1.25%   0.0003
"""

import math
from collections.abc import Iterator, Sequence

from .watcher import EpochReport, best_of

HEADER = ("epoch", "loss", "dev loss", "WER", "CER", "rate", "")
FEW = 20
"""Epochs that are all shown."""
LAST = 8
"""Of more than that."""
Row = tuple[str, ...]


def table_rows(history: Sequence[EpochReport]) -> tuple[Row, list[Row]]:
    """Header and rows, for `pipeline.tables.table`: all epochs if they are few, else the first, best and last ones.

    Where some are left out, a row says how many.
    """
    if not history:
        return HEADER, []
    best = best_of(history)
    shown = [
        place
        for place, report in enumerate(history)
        if len(history) <= FEW or place == 0 or report is best or place >= len(history) - LAST
    ]
    return HEADER, list(_rows(history, shown, best))


def _rows(history: Sequence[EpochReport], shown: Sequence[int], best: EpochReport) -> Iterator[Row]:
    before = -1
    for place in shown:
        if gap := place - before - 1:
            yield (f"{gap} not shown", *[""] * (len(HEADER) - 1))
        before = place
        yield _row(history[place], history[place] is best)


def _row(report: EpochReport, best: bool) -> Row:
    return (
        str(report.epoch),
        _number(report.loss, ".3f"),
        _number(report.dev_loss, ".3f"),
        _number(report.wer, ".2%"),
        _number(report.cer, ".2%"),
        f"{report.rate:.3g}",
        "best" if best else "",
    )


def _number(value: float, form: str) -> str:
    return format(value, form) if math.isfinite(value) else "none"
