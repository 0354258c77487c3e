"""Showing: results on standard output, notes beside them on standard error.

    part         rows  kept  hours  left out  hours  efficiency
    dev-clean-2  1089  1089   2.10         0   0.00      100.0%
    note: the shards hold WAV and FLAC, which some readers do not take together: --format makes them one

What comes from data is shown with its control characters as escapes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from ..pipeline.tables import printable, table


def notice(text: str) -> None:
    """Tell the user something beside the results. A cache takes it along to worker processes, so it has a name."""
    click.echo(printable(text), err=True)


def show_table(rows: Sequence[Sequence[Any]], left: int = 1) -> None:
    """Print rows, a header the first of them, in columns, the first `left` of them to the left."""
    for line in table(rows[0], rows[1:], left):
        click.echo(line)


def hours(seconds: float) -> str:
    """A length of time in hours, as `5.38`."""
    return f"{seconds / 3600:.2f}"
