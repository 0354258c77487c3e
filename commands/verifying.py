"""`dsprep verify`: whether what dsprep wrote is still there, whole, and shards mended where it is not.

    dsprep verify shards --repair data/train.csv

What is damaged and cannot be mended here is told with the command that makes it anew.
"""

from __future__ import annotations

import contextlib
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..manifests import Progress, UsageError
from ..pipeline.places import Cache, Place
from ..pipeline.tables import printable
from .caching import cached, indexing
from .options import place_type, workers_option
from .progress import show_progress
from .showing import notice
from .stopping import if_interrupted

if TYPE_CHECKING:
    from ..pipeline.verdict import Verdict


@click.command()
@click.argument("path", type=place_type)
@click.option("--deep", is_flag=True, help="Read and hash every byte; of shards, decode every clip.")
@click.option(
    "--repair",
    "sources",
    multiple=True,
    type=place_type,
    metavar="MANIFEST",
    help="Mend shards from MANIFEST, or a shard folder, or the URL of one, of which they were made. Repeatable.",
)
@workers_option
@cached
def verify(path: Place, deep: bool, sources: tuple[Place, ...], workers: int, cache: Cache) -> None:
    """Say whether what import, shard or convert wrote into PATH is complete, and if not, what is wrong where.

    PATH may be the URL of a folder of shards.
    """
    from ..pipeline.shards.repair import repair
    from ..pipeline.verdict import finding_lines
    from ..pipeline.verify import verify as verify_folder

    with (
        if_interrupted("interrupted; the same command begins again, what is mended stays mended"),
        show_progress() as progress,
        _at_hand(path, bool(sources), cache, progress) as folder,
    ):
        if sources:
            cache = indexing(cache, progress, workers)
            done = repair(folder, sources, workers=workers, progress=progress, cache=cache)
            verdict, mended = done.verdict, done.mended
        else:
            verdict, mended = verify_folder(folder, deep=deep, workers=workers, progress=progress), ()
    for name in mended:
        click.echo(f"mended {printable(str(name))}")
    for line in finding_lines(verdict.findings, folder):
        click.echo(line)
    for unknown in verdict.unknown if isinstance(path, Path) else ():
        notice(f"note: {unknown} was not written by dsprep")
    if verdict.findings:
        raise click.ClickException(_what_mends(path, verdict))
    click.echo(f"complete: {verdict.files} files, {'every byte' if deep or sources else 'sizes'} as written")


def _at_hand(place: Place, to_mend: bool, cache: Cache, progress: Progress) -> contextlib.AbstractContextManager[Path]:
    """A folder to verify: the one named, or one that stands for what lies behind a URL."""
    if isinstance(place, Path):
        return contextlib.nullcontext(place)
    if to_mend:
        raise UsageError(f"{place}: --repair mends a folder on this machine; remove what is damaged and shard again")
    from ..pipeline.cloud.verifiable import verifiable

    return verifiable(place, cache, progress)


def _what_mends(place: Place, verdict: Verdict) -> str:
    """What to type about a damaged folder."""
    damaged = printable(f"{place} is damaged, findings: {len(verdict.findings)}")
    if not isinstance(place, Path):
        return f"{damaged}; remove these files there, and type the dsprep shard that made them once more"
    if verdict.kind == "shard":
        typed = printable(f"dsprep verify {shlex.quote(str(place))} --repair MANIFEST")
        return f"{damaged}; {typed} mends it, with the manifests that it was made of"
    return (
        f"{damaged}; dsprep {verdict.kind} with the same options mends what is missing or has another size; "
        "remove files with other bytes first"
    )
