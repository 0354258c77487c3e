"""`dsprep import`: a corpus as its publisher packed it, to manifests and 16 kHz audio.

    dsprep import librispeech data --part train-clean-5 --part dev-clean-2

What was kept and what was not is told by part and by reason, in rows and hours.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..manifests import UsageError, one_of
from .options import NumberRange, path_type, workers_option
from .progress import show_progress
from .showing import hours, notice, show_table

if TYPE_CHECKING:
    from ..pipeline.coverage import Coverage
    from ..pipeline.report import ImportReport, PartReport

CHARACTERS = 60
"""Of a coverage table, to be shown."""


@click.command("import")
@click.argument("corpus")
@click.argument("out", type=path_type)
@click.option(
    "--source",
    "sources",
    multiple=True,
    help="An archive, a folder of archives, an unpacked folder, a URL, or mdc:ID (key in MDC_API_KEY). Repeatable.",
)
@click.option(
    "--part", "parts", multiple=True, help="A part to import, repeatable.  [default: all that the sources hold]"
)
@click.option("--only", multiple=True, metavar="FILTER", help="Rows to keep, as gender=female or 'up_votes>=3'.")
@click.option("--format", "form", type=click.Choice(["wav", "flac"]), default="wav", show_default=True)
@click.option("--channel", type=click.IntRange(1), help="Of audio with several, from 1.  [default: mix them]")
@click.option("--text", help="Text profile.  [default: the one that fits the corpus]")
@click.option("--alphabet", help="Leave out texts with characters not in FILE or `english`; `auto` collects them.")
@click.option("--model", type=click.Choice(["any", "ds1", "ds2"]), help="Whose steps a text must fit.  [default: any]")
@click.option("--min-seconds", type=NumberRange(0), help="Leave out shorter clips.")
@click.option("--max-seconds", type=NumberRange(0), help="Leave out longer clips.")
@click.option("--profile", help="Text and filters of an ancestor: deepspeech-0.1 or deepspeech-0.9.")
@click.option("--split", metavar="RATIOS", help="Cut each part by speakers, as train=0.8,dev=0.1,test=0.1.")
@click.option("--seed", default=0, show_default=True, help="Of the order of speakers in --split.")
@click.option("--without-ffmpeg", is_flag=True, help="Leave out what needs ffmpeg, if it is not installed.")
@workers_option
def import_(
    corpus: str,
    out: Path,
    sources: tuple[str, ...],
    parts: tuple[str, ...],
    channel: int | None,
    workers: int,
    **as_named: Any,
) -> None:
    """Import CORPUS into the folder OUT: manifests, 16 kHz audio, and a list of what was left out.

    Without --source the published archives are fetched. Killed or interrupted, the same command goes on.
    """
    from ..importers import CORPORA
    from ..pipeline.fetching.access import Access
    from ..pipeline.importing import import_corpus
    from ..pipeline.job import job

    what = CORPORA[one_of("corpus", corpus, CORPORA)]
    if "" in sources:
        raise UsageError("--source is empty: it takes an archive, a folder or a URL")
    names = [one.name for one in what.parts]
    parts = tuple(one_of(f"part of {corpus}", name, names) for name in dict.fromkeys(parts))
    # The other options are called what the job calls them.
    asked = job(what, parts=parts, sources=sources, channel=None if channel is None else channel - 1, **as_named)
    with show_progress() as progress:
        access = Access(mdc_key=os.environ.get("MDC_API_KEY", "").strip())
        report = import_corpus(asked, out, workers, progress, access)
    _show_import(report, out)
    empty = [one.name for one in report.parts if one.name and one.name in (parts or [one.name]) and not one.kept.rows]
    if (empty and parts) or not any(one.kept.rows for one in report.parts):
        raise click.ClickException(f"nothing was kept of {', '.join(empty) or corpus}: see {out / 'rejected.csv'}")


def _show_import(report: ImportReport, out: Path) -> None:
    """What became of the rows, by part and by reason."""
    header = ("part", "rows", "kept", "hours", "left out", "hours", "efficiency")
    show_table([header, *map(_row, report.parts)])
    for one in report.parts:
        _show_part(one)
    if waiting := sum(one.reasons.get("no-decoder", 0) for one in report.parts):
        notice(f"note: {waiting} rows wait for ffmpeg: install it and type the same command again")
    if report.coverage:
        _show_coverage(report.coverage, out)
    for file in report.sources:
        if file.published is False:
            notice(f"note: {file.name} is not the published file (its digest differs)")
    click.echo(f"manifests in {out}; rows left out, with reasons, in {out / 'rejected.csv'}")


def _row(part: PartReport) -> tuple[Any, ...]:
    kept, left_out = part.kept, part.left_out
    counts = part.rows, kept.rows, hours(kept.seconds), left_out.rows, hours(left_out.seconds)
    return _name(part), *counts, f"{part.efficiency:.1%}"


def _name(part: PartReport) -> str:
    return part.name or "(of no part)"


def _show_part(part: PartReport) -> None:
    """Its splits, and why rows were left out."""
    for split, tally in part.splits.items():
        click.echo(f"{part.name}-{split}: {tally.rows} rows, {hours(tally.seconds)} h")
        if not tally.rows:
            notice(f"note: {part.name}-{split} is empty: there are too few speakers to split")
    for reason, count in part.reasons.items():
        click.echo(f"{_name(part)}: left out {count}, {hours(part.rejected[reason].seconds)} h: {reason}")


def _show_coverage(coverage: Coverage, out: Path) -> None:
    from ..pipeline.coverage import HEADER

    rows = coverage.table()
    show_table([HEADER, *rows[:CHARACTERS]], left=len(HEADER))
    more = f"; {len(rows) - CHARACTERS} rarer ones are not shown" if len(rows) > CHARACTERS else ""
    click.echo(f"{len(rows)} characters, for --alphabet {out / 'alphabet.txt'}{more}")
