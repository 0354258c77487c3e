"""`dsprep evaluate`: the error rates of a trained model.

    WER   0.38%  (2 errors in 525 words: 2 substituted, 0 left out, 0 put in)
    CER   0.08%  (2 errors in 2583 characters: 0 substituted, 2 left out, 0 put in)

Errors are added up over all clips; a rate is computed last.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..pipeline.places import Cache, Place
from .caching import cached, indexing
from .decoding import decoding_options
from .extras import TRAIN, need
from .figures import json_option, save
from .options import device_option, path_type, place_type, readers_option
from .progress import show_progress
from .showing import notice

if TYPE_CHECKING:
    from ..trainer.decoding.decoding import Decoding
    from ..trainer.scoring.errors import Errors


@click.command()
@click.argument("run", type=path_type)
@click.argument("data", nargs=-1, required=True, type=place_type)
@json_option("rates, counts and texts")
@decoding_options
@device_option
@readers_option
@cached
def evaluate(
    run: Path,
    data: tuple[Place, ...],
    json_file: Path | None,
    device: str | None,
    workers: int,
    cache: Cache,
    decoding: Decoding,
) -> None:
    """Print the word and character error rates of RUN's best checkpoint on DATA, manifests or shard folders."""
    need("train", *TRAIN)
    from ..trainer.evaluation import evaluate as evaluate_run
    from ..trainer.loading.data import read_data
    from ..trainer.training.device import device_of
    from ..trainer.training.ranks import joined

    on = device_of(device)
    with joined(on) as ranks, show_progress(ranks.first) as progress:
        read = ranks.in_turn(lambda: read_data(data, indexing(cache, progress)))
        on_notice = notice if ranks.first else lambda told: None
        result, standing = evaluate_run(run, read, on, progress, on_notice, workers, ranks, decoding)
    if not ranks.first:
        return
    click.echo(f"model: after epoch {standing.epoch}" + (f", batch {standing.step}" if standing.step else ""), err=True)
    aside = save(json_file, result.facts())
    click.echo(_line("WER", result.words, "words"), err=aside)
    click.echo(_line("CER", result.characters, "characters"), err=aside)


def _line(name: str, errors: Errors, unit: str) -> str:
    return (
        f"{name} {errors.rate:7.2%}  ({errors.total} errors in {errors.words} {unit}: {errors.substitutions} "
        f"substituted, {errors.deletions} left out, {errors.insertions} put in)"
    )
