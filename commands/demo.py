"""`dsprep demo`: the whole way once, on speech that it makes itself.

    dsprep demo /tmp/demo

It ends with the commands that do the same on a real corpus.
"""

from __future__ import annotations

from pathlib import Path

import click

from .extras import TRAIN, need
from .options import path_type, workers_option
from .progress import show_progress
from .showing import show_table
from .stopping import stop_after_step
from .training import show_epoch


@click.command()
@click.argument("out", type=path_type, default=Path("demo"))
@workers_option
def demo(out: Path, workers: int) -> None:
    """Do the main job once, offline, in the folder OUT: make speech, import, shard, train, evaluate."""
    need("demo", *TRAIN, "espeakng-loader")
    from ..trainer.demo import run_demo
    from ..trainer.training.means import Callbacks

    with show_progress() as progress, stop_after_step() as should_stop:
        report = run_demo(out, workers, Callbacks(progress=progress, on_epoch=show_epoch, should_stop=should_stop))
    show_table([("what", "", ""), *report.lines()])
    click.echo("\nThe same with a real corpus (LibriSpeech's mini set, 0.5 GB):\n")
    for command in report.next_commands:
        click.echo(f"    {command}")
