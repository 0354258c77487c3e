"""Decoding: the options of commands that read text from a model's log-probabilities.

    dsprep evaluate run test.csv --lm 3gram.arpa --alpha 0.9 --beta 1.2

The command gets them as one `Decoding`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ..manifests import UsageError, number
from .options import path_type


def decoding_options(command: Callable[..., None]) -> Callable[..., None]:
    """Options for how to decode; the command gets one `decoding`."""

    @click.option("--lm", type=path_type, help="Language model, ARPA or KenLM's binary; see dsprep lm build.")
    @click.option("--alpha", help="Weight of the language model.  [default: 0.931; see dsprep lm tune]")
    @click.option("--beta", help="What each word adds, in nats.  [default: 1.183 with --lm]")
    @click.option("--words", type=path_type, help="Words that may be heard.  [default: those of --lm]")
    @click.option(
        "--hot-word", "hot_words", multiple=True, metavar="WORD=BOOST", help="What this word adds besides, in nats."
    )
    @click.option("--beam", type=int, help="Hypotheses that a search follows.  [default: greedy; 100 if one is needed]")
    @click.option("--beam-threshold", default="25", show_default=True, help="Nats behind the best that are followed.")
    @click.option("--tokens", type=int, default=40, show_default=True, help="Labels that a search tries at a step.")
    @click.option("--nbest", type=int, default=1, show_default=True, help="Readings of each utterance.")
    @functools.wraps(command)
    def with_decoding(
        lm: Path | None,
        alpha: str | None,
        beta: str | None,
        words: Path | None,
        hot_words: tuple[str, ...],
        beam: int | None,
        beam_threshold: str,
        tokens: int,
        nbest: int,
        **others: Any,
    ) -> None:
        from ..trainer.decoding.decoding import Decoding

        decoding = Decoding(
            lm=lm,
            alpha=_weight("--alpha", alpha),
            beta=_weight("--beta", beta),
            words=words,
            hot_words=tuple(map(_hot_word, hot_words)),
            beam=beam,
            beam_threshold=_weight("--beam-threshold", beam_threshold) or 0.0,
            tokens=tokens,
            nbest=nbest,
        )
        command(**others, decoding=decoding)

    return with_decoding


def _weight(option: str, text: str | None) -> float | None:
    if text is None:
        return None
    if (value := number(text)) is None:
        raise UsageError(f"{option} {text}: it is a number, as 0.9")
    return value


def _hot_word(text: str) -> tuple[str, float]:
    word, _, boost = text.rpartition("=")
    if not word or (value := number(boost)) is None:
        raise UsageError(f"--hot-word {text}: it is a word and what it adds in nats, as dsprep=5")
    return word, value
