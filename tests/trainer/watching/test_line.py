"""The progress line tells the truth, in the room there is."""

import io
import math
from typing import Any

import pytest
from tqdm import tqdm

from dsprep.trainer.watching.line import BAR_FORMAT, Line
from dsprep.trainer.watching.pace import WINDOW, Pace, Recent


def test_nothing_is_said_before_the_first_step() -> None:
    assert Line().text() == ""


def test_the_figures_are_those_of_the_steps(told: Any) -> None:
    line = Line()
    line.on_step(told.step(1, 1, loss=10.0, utterances=1, audio_seconds=100.0, seconds=1.0, waited=0.0))
    line.on_step(told.step(1, 2, loss=20.0, utterances=3, audio_seconds=300.0, seconds=1.0, waited=0.1, rate=1.8e-3))
    assert line.text() == "loss 17.50 lr 0.0018 200 h/h wait 5% 1.0 GB"


def test_a_step_that_was_skipped_is_counted_and_spoils_no_figure(told: Any) -> None:
    line = Line()
    line.on_step(told.step(1, 1, loss=10.0))
    line.on_step(told.skipped(1, 2, "a", "b"))
    assert line.text().startswith("loss 10.00 ")
    assert line.text().endswith(" bad 1")


def test_with_skipped_steps_alone_there_is_no_loss(told: Any) -> None:
    line = Line()
    line.on_step(told.skipped(1, 1, "a"))
    assert line.text().startswith("loss nan ")


def test_what_matters_least_is_left_out_first(told: Any) -> None:
    line = Line()
    line.on_step(told.step(1, 1, loss=10.0, rate=1e-3))
    line.on_step(told.skipped(1, 2, "a"))
    seen = list(dict.fromkeys(line.text(columns) for columns in range(80, -1, -1)))
    assert seen == [
        "loss 10.00 lr 0.0003 160 h/h wait 2% 1.0 GB bad 1",
        "loss 10.00 lr 0.0003 160 h/h wait 2% bad 1",
        "loss 10.00 160 h/h wait 2% bad 1",
        "loss 10.00 160 h/h bad 1",
        "loss 10.00 bad 1",
        "bad 1",
        "",
    ]


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize(("stage", "total"), [("epoch 1", 12), ("epoch 12", 8146), ("epoch 100", 100_000), ("e", 0)])
def test_it_fits_beside_the_count_of_steps(told: Any, columns: int, stage: str, total: int) -> None:
    line, drawn = Line(), io.StringIO()
    line.on_step(told.step(1, 1, memory=120 * 10**9, rate=1.5e-5))
    line.on_step(told.skipped(1, 2, "a"))
    text = line.beside(stage, total, columns)
    with tqdm(desc=stage, total=total or None, bar_format=BAR_FORMAT, file=drawn, ncols=columns, leave=False) as bar:
        bar.set_postfix_str(text)
        bar.n, bar.start_t = max(1, total // 2), bar.start_t - 36_000
        bar.refresh()
        shown = str(bar)
    assert shown.endswith(text)
    assert len(shown) <= columns
    assert columns < 80 or all(word in text for word in ("loss", "h/h", "wait", "bad"))


def test_the_window_forgets(told: Any) -> None:
    recent = Recent()
    for step in range(1, 3 * WINDOW):
        recent.add(told.step(1, step, loss=1000.0 if step < WINDOW else 1.0, seconds=9.0 if step < WINDOW else 0.5))
    assert recent.loss == 1.0
    assert recent.pace.seconds == WINDOW * 0.5


def test_no_time_is_no_pace() -> None:
    assert (Pace().hours_per_hour, Pace().wait_share) == (0.0, 0.0)
    assert math.isnan(Recent().loss)
