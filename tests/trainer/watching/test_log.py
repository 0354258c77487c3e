"""The log tells what happened, once, and can be read back."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from dsprep.manifests import DataError
from dsprep.trainer.scoring.heard import Evaluation
from dsprep.trainer.watching.log import EpochLine, Line, Log, NoticeLine, StepLine, read_log, steps_told

NOTHING = Evaluation(())
MODEL = nn.Identity()


def run(folder: Path, told: Any, after: tuple[int, int], stop: tuple[int, int], epochs: int = 3) -> None:
    """Tell a log of epochs of 10 steps, from one place to another."""
    log = Log(folder, after)
    for epoch in range(after[0] + 1, epochs + 1):
        for step in range(after[1] + 1 if epoch == after[0] + 1 else 1, 11):
            if (epoch, step) > stop:
                log.close()
                return
            log.on_step(told.step(epoch, step))
        log.on_epoch(told.epoch(epoch), NOTHING, MODEL)
    log.close()


def timeless(line: Line) -> Line:
    return replace(line, time=None)  # type: ignore[arg-type]


def test_what_is_told_is_read(tmp_path: Path, told: Any) -> None:
    folder = tmp_path / "Lauf für José 林"
    log = Log(folder, (0, 0))
    log.on_notice("dev data: the alphabet lacks é")
    log.on_step(told.step(1, 1))
    log.on_step(told.skipped(1, 2, "a-1", "a-2"))
    log.on_notice("epoch 1, step 2: skipped")
    log.on_epoch(told.epoch(1, dev_loss=math.inf), NOTHING, MODEL)
    log.on_notice("stopped")
    log.close()
    first, one, two, second, epoch, last = read_log(folder / "log.jsonl")
    assert isinstance(first, NoticeLine)
    assert (first.epoch, first.step, first.text) == (1, 0, "dev data: the alphabet lacks é")
    assert isinstance(one, StepLine)
    assert one.report == told.step(1, 1)
    assert isinstance(two, StepLine)
    assert math.isnan(two.report.loss)
    assert math.isnan(two.report.norm)
    assert two.report.bad == ("a-1", "a-2")
    assert isinstance(second, NoticeLine)
    assert (second.epoch, second.step) == (1, 2)
    assert isinstance(epoch, EpochLine)
    assert math.isnan(epoch.report.dev_loss)
    assert replace(epoch.report, dev_loss=0.0) == told.epoch(1, dev_loss=0.0)
    assert (epoch.pace.seconds, epoch.pace.audio_seconds, epoch.pace.waited) == (1.0, 160.0, 0.02)
    assert isinstance(last, NoticeLine)
    assert (last.epoch, last.step) == (2, 0)
    assert first.time <= one.time <= last.time


@pytest.mark.parametrize("after", [(0, 0), (0, 7), (1, 0), (1, 9), (2, 0), (2, 4)])
def test_a_run_that_went_on_has_the_log_of_one_that_did_not(tmp_path: Path, told: Any, after: tuple[int, int]) -> None:
    run(tmp_path / "undisturbed", told, (0, 0), (9, 0))
    run(tmp_path / "stopped", told, (0, 0), (3, 6))
    assert steps_told(tmp_path / "stopped" / "log.jsonl") == 26
    run(tmp_path / "stopped", told, after, (9, 0))
    expected = [timeless(line) for line in read_log(tmp_path / "undisturbed" / "log.jsonl")]
    assert [timeless(line) for line in read_log(tmp_path / "stopped" / "log.jsonl")] == expected
    assert steps_told(tmp_path / "stopped" / "log.jsonl") == 30
    assert len(expected) == 33


def test_notices_of_what_is_kept_are_kept(tmp_path: Path, told: Any) -> None:
    log = Log(tmp_path, (0, 0))
    log.on_step(told.step(1, 1))
    log.on_notice("early")
    log.on_step(told.step(1, 2))
    log.on_notice("late")
    log.close()
    log = Log(tmp_path, (0, 1))
    log.on_notice("going on")
    log.close()
    notices = [line.text for line in read_log(tmp_path / "log.jsonl") if isinstance(line, NoticeLine)]
    assert notices == ["early", "going on"]


def test_a_log_that_is_none_is_named_with_its_line(tmp_path: Path, told: Any) -> None:
    path = tmp_path / "log.jsonl"
    run(tmp_path, told, (0, 0), (1, 3))
    with path.open("a") as file:
        file.write('{"epoch": 1, "step": 4, "kind": "leap", "time": "2026-11-20T19:30:41+00:00"}\n')
    with pytest.raises(DataError, match=r"log\.jsonl:4: .*leap"):
        list(read_log(path))


def test_no_log_tells_of_no_steps(tmp_path: Path) -> None:
    assert steps_told(tmp_path / "log.jsonl") == 0
