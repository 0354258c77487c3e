"""Watchers change nothing of the run that they watch."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from dsprep.manifests import Sample
from dsprep.trainer.decoding.hypothesis import Hypothesis
from dsprep.trainer.scoring.errors import Errors
from dsprep.trainer.scoring.heard import Evaluation, Heard
from dsprep.trainer.training.standing import EpochResult
from dsprep.trainer.watching.curves import write_curves
from dsprep.trainer.watching.ids import Ids
from dsprep.trainer.watching.line import Line
from dsprep.trainer.watching.log import Log
from dsprep.trainer.watching.watcher import Watcher, best_of, report_of


def test_no_watcher_draws_a_random_number_or_touches_the_model(tmp_path: Path, told: Any, dev_judged: Any) -> None:
    pytest.importorskip("tensorboard", reason="the extra tensorboard is not installed")
    from dsprep.trainer.watching.board import Board

    model = nn.Linear(2000, 1000)
    model(torch.randn(4, 2000)).sum().backward()
    weights = {name: (one.clone(), one.grad.clone()) for name, one in model.named_parameters() if one.grad is not None}
    mode = torch.is_grad_enabled(), model.training
    before = torch.get_rng_state(), random.getstate(), str(np.random.get_state())
    watchers: tuple[Watcher, ...] = (Line(), Log(tmp_path, (0, 0)), Board(tmp_path, 0, 0), Ids(tmp_path, 0, 1, (0, 0)))
    for watcher in watchers:
        watcher.on_notice("begun")
        watcher.on_step(told.step(1, 1))
        watcher.on_epoch(told.epoch(1), dev_judged, model)
        watcher.close()
    write_curves(tmp_path, told.history(3))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (random.getstate(), str(np.random.get_state())) == before[1:]
    assert (torch.is_grad_enabled(), model.training) == mode
    for name, one in model.named_parameters():
        assert one.grad is not None
        assert torch.equal(one, weights[name][0])
        assert torch.equal(one.grad, weights[name][1])


@pytest.fixture
def dev_judged() -> Evaluation:
    sample = Sample(id="a-1", path=Path("a.wav"), size=1, transcript="two")
    return Evaluation((Heard(sample, Hypothesis(text="too"), 1.0, Errors(), Errors()),))


def test_what_is_told_of_an_epoch_is_what_it_came_to(told: Any) -> None:
    words, characters = Errors(substitutions=1, deletions=2, words=12), Errors(insertions=3, words=60)
    result = EpochResult(epoch=4, loss=2.5, dev_loss=3.5, dev_words=words, dev_characters=characters, rate=1e-3)
    report = report_of(result)
    assert (report.epoch, report.loss, report.dev_loss, report.rate) == (4, 2.5, 3.5, 1e-3)
    assert (report.wer, report.cer) == (0.25, 0.05)
    assert report.merit == result.merit


def test_the_best_is_by_words_then_characters_then_the_earlier(told: Any) -> None:
    history = [
        told.epoch(1, wer=0.2, cer=0.1),
        told.epoch(2, wer=0.1, cer=0.3),
        told.epoch(3, wer=0.1, cer=0.2),
        told.epoch(4, wer=0.1, cer=0.2),
    ]
    assert best_of(history).epoch == 3
