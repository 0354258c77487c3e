"""The worst are the worst, the best the best, and none is shown twice."""

import math
import random
from collections.abc import Callable

import pytest

from dsprep.trainer.reporting.examples import SHOWN, examples, worst_first
from dsprep.trainer.reporting.lines import lines_of
from dsprep.trainer.scoring.heard import Heard

Make = Callable[..., Heard]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 29, 30, 31, 100])
def test_no_utterance_is_shown_twice_and_few_are_all_shown(heard: Make, count: int) -> None:
    draw = random.Random(count)
    texts = [" ".join(draw.choices(["a", "b"], k=5)) for _ in range(count)]
    kinds = examples(lines_of([heard(f"u-{n:03d}", "a b a b a", text) for n, text in enumerate(texts)]))
    ids = [line.id for kind in kinds for line in kind.lines]
    assert len(ids) == len(set(ids))
    assert min(count, 2) <= len(ids) <= 3 * SHOWN
    if count <= 3:
        assert len(ids) == count
    rates = {kind.title: [line.heard.words.rate for line in kind.lines] for kind in kinds}
    assert rates.get("Worst", []) == sorted(rates.get("Worst", []), reverse=True)
    if count > 2:
        assert min(rates["Worst"]) >= max(rates["Median"])
        assert min(rates["Median"]) >= max(rates["Best"])


def test_of_right_ones_the_surest_is_best(heard: Make) -> None:
    losses = [3.0, math.nan, 0.5, math.inf, 2.0]
    kinds = examples(lines_of([heard(f"u-{n}", "a", "a", loss) for n, loss in enumerate(losses)]))
    assert [[line.id for line in kind.lines] for kind in kinds] == [["u-3", "u-1"], ["u-0"], ["u-2", "u-4"]]


def test_those_with_most_errors_come_first(heard: Make) -> None:
    lines = lines_of([heard("u-1", "a", "b"), heard("u-2", "a a a a a", "a a a"), heard("u-3", "a", "a")])
    assert [line.id for line in worst_first(lines)] == ["u-2", "u-1", "u-3"]
    unsure = lines_of([heard("u-1", "a", "a", 0.1), heard("u-2", "a", "a", 2.0)])
    assert [line.id for line in worst_first(unsure)] == ["u-2", "u-1"]


def test_the_median_ones_are_those_in_the_middle(heard: Make) -> None:
    lines = lines_of([heard(f"u-{n:03d}", "a", "a", float(n)) for n in range(100)])
    _, median, _ = examples(lines)
    assert [line.id for line in median.lines] == [f"u-{n:03d}" for n in range(45, 55)]
