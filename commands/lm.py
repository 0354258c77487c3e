"""`dsprep lm`: n-gram language models for the beam search.

dsprep lm build train.csv book.txt.gz 3gram.arpa
dsprep lm tune run dev.csv --lm 3gram.arpa
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..manifests import UsageError, one_of
from ..pipeline.places import Cache, Place
from .caching import cached, indexing
from .decoding import decoding_options
from .extras import TRAIN, need
from .figures import json_option, save
from .options import device_option, path_type, place_type, size_of, workers_option
from .progress import show_progress
from .showing import notice, show_table

if TYPE_CHECKING:
    from ..trainer.decoding.decoding import Decoding
    from ..trainer.language.tuning import Trial

SHOWN = 5
"""Trials in the table."""


@click.group()
def lm() -> None:
    """Build language models, and find their weights."""


@lm.command()
@click.argument("texts", metavar="TEXT...", nargs=-1, required=True, type=path_type)
@click.argument("out", type=path_type)
@click.option("--order", type=int, default=3, show_default=True, help="Words of the longest n-grams, 2 to 6.")
@click.option("--prune", default="0", show_default=True, help="Leave out what was said no more often, as 0,0,1.")
@click.option("--limit", type=int, metavar="WORDS", help="Size of the vocabulary: the most frequent words.")
@click.option("--text", "profile_name", help="Text profile for each line.  [default: NFC, as it is]")
@click.option("--characters", is_flag=True, help="Characters are words, as in Chinese.")
@click.option("--memory", default="2GB", show_default=True, help="Beside the vocabulary; more is sorted on disk.")
@click.option("--discount-fallback", is_flag=True, help="Build from a text that is too small for discounts of its own.")
def build(
    texts: tuple[Path, ...],
    out: Path,
    order: int,
    prune: str,
    limit: int | None,
    profile_name: str | None,
    characters: bool,
    memory: str,
    discount_fallback: bool,
) -> None:
    """Estimate an n-gram model with modified Kneser-Ney smoothing, and write it to OUT as ARPA.

    TEXT is plain text, a sentence a line (.gz too, - for standard input), a manifest or a folder of shards.
    """
    from ..pipeline.text import PROFILES
    from ..trainer.language.building import Recipe, build_model

    recipe = Recipe(
        order=order,
        prune=_thresholds(prune),
        limit=limit,
        memory=size_of("--memory", memory),
        discount_fallback=discount_fallback,
    )
    profile = PROFILES[one_of("text profile", profile_name, PROFILES)] if profile_name else None
    with show_progress() as progress:
        built = build_model(texts, out, recipe, profile, characters, progress)
    if built.refused:
        notice(f"{built.refused} lines were refused by the text profile, the first {built.refusal}")
    if built.fallback:
        orders = ", ".join(f"{one}-grams" for one in built.fallback)
        notice(f"the text is too small to tell discounts of {orders}: fixed ones are used")
    rows: list[tuple[str, ...]] = [("order", "n-grams", "D1", "D2", "D3+")]
    for number, (count, discounts) in enumerate(zip(built.counts, built.discounts, strict=True), 1):
        rows.append((str(number), str(count), *(f"{one:.4f}" for one in discounts)))
    show_table(rows, left=0)
    click.echo(f"{built.words} words in {built.sentences} sentences, {built.counts[0]} words known; written to {out}")


def _thresholds(text: str) -> tuple[int, ...]:
    try:
        return tuple(map(int, text.replace(" ", ",").split(",")))
    except ValueError as error:
        raise UsageError(f"--prune {text}: it is a whole number for each order, as 0,0,1") from error


@lm.command()
@click.argument("run", type=path_type)
@click.argument("data", nargs=-1, required=True, type=place_type)
@click.option("--logits", type=path_type, help="File that keeps the log-probabilities.  [default: in RUN/logits]")
@json_option("all that was tried")
@decoding_options
@device_option
@workers_option
@cached
def tune(
    run: Path,
    data: tuple[Place, ...],
    logits: Path | None,
    json_file: Path | None,
    device: str | None,
    workers: int,
    cache: Cache,
    decoding: Decoding,
) -> None:
    """Find the alpha and beta with which --lm makes the fewest errors on DATA, which is to be dev data.

    RUN's best checkpoint is asked once; what it made of DATA is kept.
    """
    need("train", *TRAIN)
    from ..trainer.decoding.decoding import ALPHA, BETA
    from ..trainer.language.kenlm import require
    from ..trainer.language.logits import logits_of
    from ..trainer.loading.data import read_data
    from ..trainer.training.device import device_of

    if decoding.lm is None:
        raise UsageError("dsprep lm tune needs --lm FILE: make one with dsprep lm build")
    if decoding.alpha is not None or decoding.beta is not None:
        raise UsageError("dsprep lm tune finds alpha and beta: leave --alpha and --beta out")
    require()
    from ..trainer.language.tuning import tune as tune_weights

    with show_progress() as progress:
        read = read_data(data, indexing(cache, progress))
        kept = logits_of(run, read, device_of(device), logits, progress, notice)
        decoding.decoder(kept.alphabet, notice)  # tells what is wrong with the model before anything is tried
        tuned = tune_weights(kept, decoding, workers, progress)
    default = next(one for one in tuned.trials if one.weights == (ALPHA, BETA))
    rows: list[tuple[str, ...]] = [("", "alpha", "beta", "WER", "CER", "errors")]
    rows += [("greedy", "", "", *_rates(tuned.greedy)), _row("default", default)]
    rows += [_row(f"{place}.", one) for place, one in enumerate(tuned.trials[:SHOWN], 1)]
    aside = save(json_file, tuned.facts())
    alpha, beta = tuned.trials[0].weights
    if not aside:
        show_table(rows)
    click.echo(f"decode with: --lm {shlex.quote(str(decoding.lm))} --alpha {alpha:.6g} --beta {beta:.6g}", err=aside)


def _row(name: str, one: Trial) -> tuple[str, ...]:
    return (name, *(f"{weight:.4g}" for weight in one.weights), *_rates(one))


def _rates(one: Trial) -> tuple[str, str, str]:
    return f"{one.words.rate:.2%}", f"{one.characters.rate:.2%}", str(one.words.total)
