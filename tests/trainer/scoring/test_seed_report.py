from pathlib import Path

import pytest

from dsprep.manifests import Sample
from dsprep.trainer.decoding.hypothesis import Hypothesis
from dsprep.trainer.scoring.heard import Evaluation, Heard, heard_of
from dsprep.trainer.scoring.seed_report import mean_edit_distance, seed_report, worst_of_surest


def heard(name: str, reference: str, hypothesis: str, loss: float) -> Heard:
    sample = Sample(id=name, path=Path("x.wav"), size=1, transcript=reference)
    return heard_of(sample, Hypothesis(text=hypothesis), loss)


WHOLE = Evaluation(
    (
        heard("right", "a b", "a b", 0.1),
        heard("half", "a b", "a x", 0.5),
        heard("all", "a", "x", 0.3),
        heard("unsure", "a b c d", "a b c x", 9.0),
    )
)


def test_of_the_surest_with_errors_the_worst_come_last() -> None:
    assert [one.sample.id for one in worst_of_surest(WHOLE.heard)] == ["unsure", "half", "all"]
    assert [one.sample.id for one in worst_of_surest(WHOLE.heard, 2)] == ["half", "all"]


def test_the_rate_is_of_all_words_and_the_distance_a_mean() -> None:
    lines = list(seed_report(WHOLE, 12, 1))
    assert lines[0].startswith("Test of Epoch 12 - WER: 0.333333, loss: 2.475000, mean edit distance: 0.36")
    assert lines[1:] == ["WER: 1.000000, loss: 0.300000, mean edit distance: 1.000000", ' - src: "a"', ' - res: "x"']
    assert mean_edit_distance(WHOLE.heard) == pytest.approx((0 + 1 / 3 + 1 + 1 / 7) / 4)


def test_nothing_said_has_no_distance() -> None:
    assert mean_edit_distance([heard("a", "", "x", 1.0)]) == 0
