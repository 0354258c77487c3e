"""Progress: where long work stands.

    epoch 1: 22 batches of 38 batches

A terminal gets a tqdm bar a stage; a log file gets such a line now and then.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import click

from ..manifests import Progress, silent, size_text

SECONDS_BETWEEN_LINES = 10
"""Where there is no terminal to draw a bar on."""


@contextlib.contextmanager
def show_progress(aloud: bool = True) -> Iterator[Progress]:
    """A listener for the library's work; what it drew is gone afterwards. Of several processes one is to be aloud."""
    from tqdm import tqdm

    if not aloud:
        yield silent
        return

    bars: dict[str, Any] = {}
    spoke = time.monotonic()

    def show(stage: str, done: int, total: int, unit: str) -> None:
        nonlocal spoke
        if stage not in bars:
            for bar in bars.values():
                bar.close()
            bars.clear()
            bars[stage] = tqdm(
                desc=stage, total=total or None, unit=unit, unit_scale=unit == "B", leave=False, disable=None
            )
        bar = bars[stage]
        bar.update(done - bar.n)
        if bar.disable and time.monotonic() - spoke > SECONDS_BETWEEN_LINES:
            spoke = time.monotonic()
            click.echo(f"{stage}: {_amount(done, unit)}" + (f" of {_amount(total, unit)}" if total else ""), err=True)

    try:
        yield show
    finally:
        for bar in bars.values():
            bar.close()


def _amount(count: int, unit: str) -> str:
    return size_text(count) if unit == "B" else f"{count} {unit}"
