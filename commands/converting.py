"""`dsprep convert`: data sets of other tools, read and written.

    dsprep convert kaldi/data/train out --to nemo

What a format cannot hold is told in notes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..manifests import one_of
from .options import path_type, workers_option
from .progress import show_progress
from .showing import notice

if TYPE_CHECKING:
    from ..pipeline.formats import Format


class ConvertCommand(click.Command):
    """A command whose help ends with the table of formats, looked up only then."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from ..pipeline.formats import FORMATS

        with formatter.section("Formats"):
            formatter.write_dl([(one.name, _title(one)) for one in FORMATS.values()])


def _title(one: Format) -> str:
    return one.title if one.read else f"{one.title} (--to only)"


@click.command(cls=ConvertCommand)
@click.argument("source", type=path_type)
@click.argument("out", type=path_type)
@click.option("--to", required=True, help="Format to write.")
@click.option("--from", "by", help="Format of SOURCE.  [default: what it looks like]")
@click.option("--root", type=path_type, help="Where relative paths in SOURCE begin.  [default: its own folder]")
@click.option("--copy-audio", is_flag=True, help="Write the audio into OUT/audio instead of naming where it is.")
@workers_option
def convert(
    source: Path,
    out: Path,
    to: str,
    by: str | None,
    root: Path | None,
    copy_audio: bool,
    workers: int,
) -> None:
    """Write the data set SOURCE in another format into the folder OUT, and say what that cannot hold."""
    from ..pipeline.converting import convert as convert_data
    from ..pipeline.formats import FORMATS

    target = FORMATS[one_of("format", to, FORMATS)]
    origin = FORMATS[one_of("format", by, FORMATS)] if by else None
    with show_progress() as progress:
        report = convert_data(
            source,
            out,
            target,
            origin,
            root=root,
            copy_audio=copy_audio,
            workers=workers,
            progress=progress,
        )
    for note in report.notes:
        notice(f"note: {note}")
    click.echo(f"{report.samples} samples from {report.source.name} to {to}: {out / target.mains[0]}")
