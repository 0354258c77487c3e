"""Stopping: what Ctrl-C and a polite kill mean to work that is better ended than broken off.

    stopping after this step; once more stops at once

Elsewhere an interruption needs no care: what is done is kept, and `dsprep.cli` says so.
"""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import click

from ..manifests import Interrupted


@contextlib.contextmanager
def stop_after_step(aloud: bool = True, alone: bool = True) -> Iterator[Callable[[], bool]]:
    """Ctrl-C asks for a stop after the step under way, with a checkpoint; a second one stops at once."""
    asked: list[float] = []

    def ask(number: int, frame: Any) -> None:
        asked.append(time.monotonic())
        if len(asked) == 1 and aloud:
            click.echo("stopping after this step; once more stops at once", err=True)
        if asked[-1] - asked[0] > 1:  # `timeout`, for one, sends each signal twice
            raise KeyboardInterrupt

    # Of several processes torchrun ends by SIGTERM those that wait for one that has died: they could not hear a wish.
    asking = (signal.SIGINT, signal.SIGTERM) if alone else (signal.SIGINT,)
    before = {number: signal.signal(number, ask) for number in asking}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def if_interrupted(told: str) -> Iterator[None]:
    """What is told about the work within, where an interruption does not leave it for the same command to finish."""
    try:
        yield
    except KeyboardInterrupt as stop:
        raise Interrupted(told) from stop
