"""`dsprep shard`: samples of manifests, or of anybody's shards, as webdataset tars.

    dsprep shard data/train-clean-5.csv s3://speech/train-clean-5 --shard-bytes 256MB

Rows that are in no shard make it fail in the end, unless that was allowed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..manifests import one_of, size_text
from ..pipeline.places import Cache, Place
from .caching import cached, indexing
from .options import place_type, size_of, workers_option
from .progress import show_progress
from .showing import hours, notice

if TYPE_CHECKING:
    from ..pipeline.shards.inventory import ShardReport
    from ..pipeline.shards.shelf import Shelf

SHARD_BYTES = "256MB"
"""Where neither bytes nor samples are asked for."""


@click.command()
@click.argument("manifests", nargs=-1, required=True, type=place_type)
@click.argument("out", type=place_type)
@click.option(
    "--shard-bytes", help=f"Largest size of a shard.  [default: {SHARD_BYTES}, if --shard-samples is not given]"
)
@click.option("--shard-samples", type=click.IntRange(1), help="Most samples in a shard.  [default: any number]")
@click.option("--seed", default=0, show_default=True, help="Of the order of samples.")
@click.option("--format", "form", default="keep", show_default=True, help="wav, flac, or keep: FLAC stays, else WAV.")
@click.option("--keep-order", is_flag=True, help="Keep the order of the manifests, as they are named.")
@click.option("--allow-rejects", is_flag=True, help="Exit with code 0 though some rows could not be taken in.")
@workers_option
@cached
def shard(
    manifests: tuple[Place, ...],
    out: Place,
    shard_bytes: str | None,
    shard_samples: int | None,
    seed: int,
    form: str,
    keep_order: bool,
    allow_rejects: bool,
    workers: int,
    cache: Cache,
) -> None:
    """Write the samples of MANIFESTS, of dsprep's shards or others', as webdataset tars into the folder OUT.

    Any of them may be a URL, OUT one of s3:// or gs://. WAV and FLAC of 16 kHz, mono, 16 bit go in as they are. A row
    whose audio cannot be had is listed in OUT/rejected.csv. Killed or interrupted, the same command goes on.
    """
    from ..pipeline.shards.placement import FORMS, Sharding
    from ..pipeline.shards.sharding import shard as write_shards

    if shard_bytes is None and shard_samples is None:
        shard_bytes = SHARD_BYTES
    sharding = Sharding(
        shard_bytes=None if shard_bytes is None else size_of("--shard-bytes", shard_bytes),
        shard_samples=shard_samples,
        seed=seed,
        form=one_of("format", form, FORMS),
        keep_order=keep_order,
    )
    with show_progress() as progress:
        to = _shelf(out, cache)
        report = write_shards(manifests, to, sharding, workers, progress, indexing(cache, progress, workers))
    _show_shards(report, out)
    if not report.samples:
        raise click.ClickException(f"nothing was taken in: {out / 'rejected.csv'} tells why")
    if report.left_out and not allow_rejects:
        raise click.ClickException(
            f"{report.rejected} rows are in no shard: mend what {out / 'rejected.csv'} tells of and type the same "
            "command again, or add --allow-rejects"
        )


def _shelf(out: Place, cache: Cache) -> Path | Shelf:
    """Where shards go."""
    if isinstance(out, Path):
        return out
    from ..pipeline.cloud.remote_shelf import RemoteShelf

    return RemoteShelf(out, cache)


def _show_shards(report: ShardReport, out: Place) -> None:
    """How much was written, and by reason what was not."""
    seconds, written = hours(report.seconds), size_text(report.bytes)
    click.echo(f"{report.samples} samples, {seconds} h, in {report.shards} shards, {written}: {out}")
    for reason, count in report.left_out:
        click.echo(f"left out {count}: {reason}")
    if report.oversized:
        notice(
            f"note: {report.oversized} shards are larger than --shard-bytes: how large converted audio becomes can "
            "only be told where the manifest has the right duration"
        )
    if len(report.forms) > 1:
        notice("note: the shards hold WAV and FLAC, which some readers do not take together: --format makes them one")
