"""The seed's report: what DeepSpeech 0.1 printed after a test (DeepSpeech.py, `calculate_report` and `Sample`).

    Test of Epoch 12 - WER: 0.037000, loss: 3.21, mean edit distance: 0.012000
    WER: 0.250000, loss: 0.815, mean edit distance: 0.076923
     - src: "zero one two three"
     - res: "zero one two tree"

Of the samples with errors the ten whose loss is lowest, by their word error rate. Its edit distance is that of
TensorFlow: characters to edit, divided by the characters of the reference, averaged over utterances.

One fault is not repeated: DeepSpeech 0.1 averaged the WERs of its jobs, of which the last may be short; here, as
everywhere, errors are added up and divided once.
"""

from collections.abc import Iterator, Sequence
from math import isfinite
from statistics import fmean

from .heard import Evaluation, Heard

COUNT = 10
"""`report_count` by default."""


def seed_report(evaluation: Evaluation, epoch: int | None, count: int = COUNT) -> Iterator[str]:
    """The lines."""
    of = "" if epoch is None else f" of Epoch {epoch}"
    distance = mean_edit_distance(evaluation.heard)
    yield f"Test{of} - {_numbers(evaluation.words.rate, evaluation.loss, distance)}"
    for one in worst_of_surest(evaluation.heard, count):
        yield _numbers(one.words.rate, one.loss, one.characters.rate)
        yield f' - src: "{one.sample.transcript}"'
        yield f' - res: "{one.hypothesis.text}"'


def worst_of_surest(heard: Sequence[Heard], count: int = COUNT) -> list[Heard]:
    """Those with errors whose loss is lowest, by their word error rate."""
    wrong = [one for one in heard if one.words.total]
    return sorted(sorted(wrong, key=lambda one: one.loss)[:count], key=lambda one: one.words.rate)


def mean_edit_distance(heard: Sequence[Heard]) -> float:
    """Of the utterances that have a reference; 0 without one, for there is nothing to divide by."""
    rates = [one.characters.rate for one in heard if isfinite(one.characters.rate)]
    return fmean(rates) if rates else 0.0


def _numbers(rate: float, loss: float, distance: float) -> str:
    return f"WER: {rate:f}, loss: {loss:f}, mean edit distance: {distance:f}"
