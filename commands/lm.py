"""`dsprep lm`: n-gram language models for the beam search.

dsprep lm build train.csv book.txt.gz 3gram.arpa
dsprep lm tune run dev.csv --lm 3gram.arpa
"""

from __future__ import annotations

from pathlib import Path

import click

from ..manifests import UsageError, one_of
from .options import path_type, size_of
from .progress import show_progress
from .showing import notice, show_table


@click.group()
def lm() -> None:
    """Build language models, and find their weights."""


@lm.command()
@click.argument("texts", metavar="TEXT...", nargs=-1, required=True, type=path_type)
@click.argument("out", type=path_type)
@click.option("--order", type=int, default=3, show_default=True, help="Words of the longest n-grams, 1 to 6.")
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
