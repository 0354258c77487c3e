"""`dsprep train`: a model from manifests or shards, a line an epoch.

    epoch    3  loss   19.999  dev loss    3.617  WER  13.13%  CER   2.63%

Ctrl-C ends it after the step under way; the same command goes on.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..pipeline.places import Cache, Place
from .caching import cached, indexing
from .extras import TRAIN, need
from .options import Decorator, alphabet_of, alphabet_option, device_option, path_type, place_type, readers_option
from .progress import show_progress
from .showing import notice, show_table
from .stopping import stop_after_step

if TYPE_CHECKING:
    from ..trainer.loading.data import Data
    from ..trainer.loading.streaming import Streamed
    from ..trainer.training.standing import EpochResult


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
@click.option("--init", type=path_type, help="Run whose best weights this one begins with, for fine-tuning.")
@click.option("--accept-changes", is_flag=True, help="Go on, though the config or the data have changed.")
@click.option("--deterministic", is_flag=True, help="The same bytes on each machine of a class; slower, and says how.")
@click.option("--tensorboard", is_flag=True, help="Write curves, histograms and examples to RUN/tensorboard.")
@click.option("--log-ids", is_flag=True, help="Write what each process trains on to RUN/ids.")
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
    init: Path | None,
    accept_changes: bool,
    deterministic: bool,
    tensorboard: bool,
    log_ids: bool,
    workers: int,
    cache: Cache,
) -> None:
    """Train a model; run again, it goes on where it stopped, with the same weights as if it had not.

    On several GPUs or machines: torchrun --nproc-per-node 4 -m dsprep -- train ...
    """
    need("train", *TRAIN)
    from ..trainer.config import read_config
    from ..trainer.training.device import device_of
    from ..trainer.training.means import Callbacks, Means
    from ..trainer.training.ranks import joined
    from ..trainer.training.training import train as train_model
    from ..trainer.watching.history import table_rows
    from ..trainer.watching.line import Line
    from ..trainer.watching.watcher import report_of

    config, alphabet, on = read_config(source, settings), alphabet_of(alphabet_file), device_of(device)
    with joined(on) as ranks:
        with show_progress(ranks.first) as progress:
            data, dev = ranks.in_turn(lambda: _read(train_data, dev_data, stream, indexing(cache, progress)))
        if ranks.first:
            click.echo(f"training on {data.summary}; judged by {len(dev.samples)}", err=True)
        means = Means(
            device=on,
            ranks=ranks,
            workers=workers,
            deterministic=deterministic,
            accept_changes=accept_changes,
            tensorboard=tensorboard,
            log_ids=log_ids,
            cache=cache,
        )
        line = Line()
        with (
            show_progress(ranks.first, line) as progress,
            stop_after_step(ranks.first, ranks.count == 1) as should_stop,
        ):
            speaking = Callbacks(
                progress=progress,
                on_notice=notice,
                on_step=line.on_step,
                on_epoch=show_epoch,
                should_stop=should_stop,
            )
            callbacks = speaking if ranks.first else Callbacks(should_stop=should_stop)
            standing = train_model(config, alphabet, data, dev, run, means, callbacks, init)
    if ranks.first:
        header, rows = table_rows([report_of(one) for one in standing.history])
        show_table([header, *rows])
        best = standing.best
        click.echo(f"best after epoch {best.epoch}: WER {best.dev_words.rate:.2%} on the dev data; run kept in {run}")


def _read(
    train_data: Sequence[Place], dev_data: Sequence[Place], stream: bool, cache: Cache
) -> tuple[Data | Streamed, Data]:
    from ..trainer.loading.data import read_data

    data = _stream(train_data) if stream else read_data(train_data, cache)
    return data, read_data(dev_data, cache)


def _stream(places: Sequence[Place]) -> Streamed:
    """The shards that --train names, for --stream."""
    from ..trainer.loading.streaming import open_stream

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
