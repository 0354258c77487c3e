"""Progress: where long work stands.

    epoch 1: 22 batches of 38 batches

A terminal gets a tqdm bar a stage; a log file gets such a line now and then.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ..manifests import Progress, silent, size_text

if TYPE_CHECKING:
    from ..trainer.watching.line import Line

SECONDS_BETWEEN_LINES = 10
"""Where there is no terminal to draw a bar on."""


@contextlib.contextmanager
def show_progress(aloud: bool = True, line: Line | None = None) -> Iterator[Progress]:
    """A listener for the library's work; what it drew is gone afterwards. Of several processes one is to be aloud.

    Beside the batches of a training run comes its `line`.
    """
    from tqdm import tqdm

    if not aloud:
        yield silent
        return

    bars: dict[str, Any] = {}
    spoke = time.monotonic()

    def show(stage: str, done: int, total: int, unit: str) -> None:
        nonlocal spoke
        training = line if unit == "batches" else None
        if stage not in bars:
            for bar in bars.values():
                bar.close()
            bars.clear()
            bars[stage] = tqdm(
                desc=stage,
                total=total or None,
                unit=unit,
                unit_scale=unit == "B",
                leave=False,
                disable=None,
                bar_format=training.form if training else None,
                dynamic_ncols=True,
            )
        bar = bars[stage]
        if training and not bar.disable:
            bar.set_postfix_str(training.beside(stage, total, bar.ncols or 80), refresh=False)
        bar.update(done - bar.n)
        if bar.disable and time.monotonic() - spoke > SECONDS_BETWEEN_LINES:
            spoke = time.monotonic()
            amount = f"{stage}: {_amount(done, unit)}" + (f" of {_amount(total, unit)}" if total else "")
            click.echo(f"{amount}, {training.text()}" if training else amount, err=True)

    try:
        yield show
    finally:
        for bar in bars.values():
            bar.close()


def _amount(count: int, unit: str) -> str:
    return size_text(count) if unit == "B" else f"{count} {unit}"
