"""`dsprep stats` and `dsprep check`: what data hold, and what is wrong with them.

    dsprep check train.csv dev.csv --model ds2 --json findings.json

The lines are made by `pipeline/inspection/summary.py`; here they are printed.
"""

from __future__ import annotations

from pathlib import Path

import click

from ..manifests import one_of
from ..pipeline.places import Cache, Place
from .caching import cached, indexing
from .figures import json_option, save
from .options import alphabet_of, alphabet_option, place_type, workers_option
from .progress import show_progress
from .stopping import if_interrupted


@click.command()
@click.argument("data", nargs=-1, required=True, type=place_type)
@json_option("everything")
@cached
def stats(data: tuple[Place, ...], json_file: Path | None, cache: Cache) -> None:
    """Show what DATA, manifests or shard folders, hold: clips, hours, speakers, words, lengths, further columns."""
    import shutil

    from ..pipeline.inspection.stats import stats as stats_of
    from ..pipeline.inspection.summary import stats_lines

    with show_progress() as progress:
        found = stats_of(data, indexing(cache, progress))
    aside = save(json_file, found.facts())
    for line in stats_lines(found, shutil.get_terminal_size().columns):
        click.echo(line, err=aside)


@click.command()
@click.argument("data", nargs=-1, required=True, type=place_type)
@alphabet_option
@click.option("--model", default="any", show_default=True, help="Whose steps a text must fit: ds1, ds2, or any.")
@click.option("--quick", is_flag=True, help="Decode no audio.")
@json_option("all findings")
@workers_option
@cached
def check(
    data: tuple[Place, ...],
    alphabet_file: Path | None,
    model: str,
    quick: bool,
    json_file: Path | None,
    workers: int,
    cache: Cache,
) -> None:
    """Look for what spoils training or its scores in DATA, manifests or shard folders; exit code 1 if there is any.

    Every clip is decoded. Notes, which a person may judge, do not count.
    """
    from ..pipeline.inspection.checking import MODELS
    from ..pipeline.inspection.checking import check as check_data
    from ..pipeline.inspection.summary import check_lines, verdict

    alphabet, model = alphabet_of(alphabet_file), one_of("model", model, MODELS)
    told = "interrupted; a check keeps nothing, the same command begins again"
    with if_interrupted(told), show_progress() as progress:
        report = check_data(
            data,
            alphabet,
            model=model,
            quick=quick,
            workers=workers,
            progress=progress,
            cache=indexing(cache, progress, workers),
        )
    aside = save(json_file, report.facts())
    for line in check_lines(report):
        click.echo(line, err=aside)
    if report.errors:
        raise click.ClickException(f"{verdict(report)}: mend the errors, or take their rows out")
    click.echo(verdict(report), err=aside)
