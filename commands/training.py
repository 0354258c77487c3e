"""`dsprep train`: a model from manifests or shards, a line an epoch.

    epoch    3  loss   19.999  dev loss    3.617  WER  13.13%  CER   2.63%

Ctrl-C ends it after the step under way; the same command goes on.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..manifests import UsageError
from ..pipeline.places import Cache, Place
from .caching import cached, indexing
from .extras import TRAIN, need
from .options import Decorator, alphabet_of, alphabet_option, device_option, path_type, place_type, readers_option
from .progress import show_progress
from .showing import notice
from .stopping import stop_after_step

if TYPE_CHECKING:
    from ..trainer.loading.streaming import Streamed
    from ..trainer.training.checkpoint import EpochResult


def _data_option(name: str, parameter: str) -> Decorator:
    told = "Manifest or shard folder, or the URL of one."
    return click.option(name, parameter, multiple=True, required=True, type=place_type, help=told)


@click.command()
@_data_option("--train", "train_data")
@_data_option("--dev", "dev_data")
@click.option("--run", required=True, type=path_type, help="Folder for checkpoints; the same one goes on.")
@click.option("--config", "source", default="ds2-small", show_default=True, help="Preset or TOML file.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Set one key of the config, as train.epochs=10.",
)
@alphabet_option
@device_option
@click.option(
    "--stream",
    is_flag=True,
    help="Read the tars of --train from end to end, with no index: a run that was stopped begins its epoch again, and "
    "the number of steps is not known. See docs/loading.md.",
)
@readers_option
@cached
def train(
    train_data: tuple[Place, ...],
    dev_data: tuple[Place, ...],
    run: Path,
    source: str,
    settings: tuple[str, ...],
    alphabet_file: Path | None,
    device: str | None,
    stream: bool,
    workers: int,
    cache: Cache,
) -> None:
    """Train a model; run again, it goes on where it stopped, with the same weights as if it had not."""
    need("train", *TRAIN)
    from ..trainer.config import read_config
    from ..trainer.loading.data import read_data
    from ..trainer.training.device import device_of
    from ..trainer.training.training import train as train_model

    config = read_config(source, settings)
    with show_progress() as progress:
        cache = indexing(cache, progress)
        data = _stream(train_data) if stream else read_data(train_data, cache)
        dev = read_data(dev_data, cache)
    click.echo(f"training on {data.summary}; judged by {len(dev.samples)}", err=True)
    with show_progress() as progress, stop_after_step() as should_stop:
        standing = train_model(
            config,
            alphabet_of(alphabet_file),
            data,
            dev,
            run,
            device_of(device),
            progress,
            on_epoch=show_epoch,
            on_notice=notice,
            should_stop=should_stop,
            workers=workers,
        )
    best = standing.best
    click.echo(f"best after epoch {best.epoch}: WER {best.dev_words.rate:.2%} on the dev data; run kept in {run}")


def _stream(places: Sequence[Place]) -> Streamed:
    """The shards that --train names, for --stream."""
    from ..trainer.loading.streaming import open_stream

    if os.environ.get("WORLD_SIZE", "1") != "1":
        raise UsageError("--stream cannot give several processes equal shares: leave it out, or run one process")
    notice("streaming: a run that was stopped begins its epoch again, and how many steps it has is not known")
    return open_stream(places)


def show_epoch(result: EpochResult) -> None:
    """Print an epoch's line, above the bars that are drawn at the time."""
    from tqdm import tqdm

    line = (
        f"epoch {result.epoch:>4}  loss {result.loss:8.3f}  dev loss {result.dev_loss:8.3f}  "
        f"WER {result.dev_words.rate:7.2%}  CER {result.dev_characters.rate:7.2%}"
    )
    with tqdm.external_write_mode(file=sys.stderr):
        click.echo(line)
