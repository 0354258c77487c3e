"""Rates: how `dsprep evaluate` tells what it found.

WER   3.70%   3.21% to  4.25%  (194 errors in 5250 words: 120 substituted, 44 left out, 30 put in)
CER   1.20%   1.01% to  1.40%  (310 errors in 25830 characters: 101 substituted, 150 left out, 59 put in)
SER  12.50%  10.10% to 14.95%  (84 of 672 utterances have an error)
95% intervals: 1000 bootstrap resamples of 24 speakers
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

FEW = 10
"""Speakers or utterances below which resamples of them tell little."""

if TYPE_CHECKING:
    from ..trainer.scoring.bootstrap import Interval, Resampling
    from ..trainer.scoring.difference import Difference
    from ..trainer.scoring.errors import Errors
    from ..trainer.scoring.summary import Summary


def rate_lines(found: Summary) -> Iterator[str]:
    """The rates of a model with their intervals."""
    yield _line("WER", found.words.rate, found.wer, _counts(found.words, "words"))
    yield _line("CER", found.characters.rate, found.cer, _counts(found.characters, "characters"))
    wrong = f"{found.wrong} of {found.utterances} utterances have an error"
    yield _line("SER", found.sentence_rate, found.ser, wrong)
    yield f"95% intervals: {_resamples(found.how)}"


def difference_line(first: str, second: str, found: Difference) -> str:
    """Whether the second of two models is better, in a sentence."""
    low, high = (f"{100 * end:+.2f}" for end in (found.interval.low, found.interval.high))
    side = "leaves out" if found.significant else "holds"
    verdict = "significant" if found.significant else "not significant, it may be chance"
    if found.wer == 0:
        what = f"{second} has the WER of {first}"
    else:
        way = "lower" if found.wer < 0 else "higher"
        what = f"{second} has a WER {100 * abs(found.wer):.2f} points {way} than {first}"
    return (
        f"{what}: {verdict}. The 95% interval of the difference, {low} to {high} points, {side} zero; "
        f"lower in {found.better:.1%} of {_resamples(found.how, 'paired')}"
    )


def _line(name: str, rate: float, interval: Interval, counts: str) -> str:
    return f"{name} {rate:7.2%}  {interval.low:6.2%} to {interval.high:6.2%}  ({counts})"


def _counts(errors: Errors, unit: str) -> str:
    return (
        f"{errors.total} errors in {errors.words} {unit}: {errors.substitutions} substituted, "
        f"{errors.deletions} left out, {errors.insertions} put in"
    )


def _resamples(how: Resampling, kind: str = "bootstrap") -> str:
    few = ", which are few: a rough guess" if how.units < FEW else ""
    return f"{how.resamples} {kind} resamples of {how.units} {how.unit}{few}"
