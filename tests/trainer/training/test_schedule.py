"""The schedules: pure functions of the share of a run that is done, and of its history."""

import pytest

from dsprep.trainer.config import TrainConfig
from dsprep.trainer.scoring.errors import Errors
from dsprep.trainer.training.schedule import finished, lowered, rate_at, stale
from dsprep.trainer.training.standing import EpochResult


def history(*errors: int) -> list[EpochResult]:
    """Epochs with so many word errors in 100."""
    return [
        EpochResult(
            epoch=number,
            loss=1.0,
            dev_loss=1.0,
            dev_words=Errors(substitutions=count, words=100),
            dev_characters=Errors(words=1),
            rate=1.0,
        )
        for number, count in enumerate(errors, 1)
    ]


def rates(train: TrainConfig, steps: int = 10) -> list[float]:
    return [rate_at(train, epoch, step, steps, ()) for epoch in range(train.epochs) for step in range(steps)]


def test_cosine_rises_by_equal_amounts_and_falls_to_nothing() -> None:
    found = rates(TrainConfig(epochs=10, rate=1.0, schedule="cosine", warmup=0.2))
    assert max(found) == pytest.approx(1, abs=0.05)
    assert found.index(max(found)) in (19, 20)
    assert found == sorted(found[:20]) + sorted(found[20:], reverse=True)
    assert 0 < found[-1] < 0.01
    assert found[1] - found[0] == pytest.approx(found[19] - found[18])


@pytest.mark.parametrize("schedule", ["constant", "decay", "plateau", "cosine"])
def test_every_schedule_can_warm_up(schedule: str) -> None:
    cold = TrainConfig(epochs=4, rate=1.0, schedule=schedule)
    warm = TrainConfig(epochs=4, rate=1.0, schedule=schedule, warmup=0.25)
    assert rates(warm)[:10] == pytest.approx([(step + 1) / 11 for step in range(10)])
    if schedule != "cosine":
        assert rates(warm)[10:] == rates(cold)[10:]


def test_decay_is_by_epochs_and_constant_is_constant() -> None:
    assert rates(TrainConfig(epochs=3, rate=1.0, schedule="decay", decay=0.5), 2) == [1, 1, 0.5, 0.5, 0.25, 0.25]
    assert set(rates(TrainConfig(epochs=3, rate=0.3))) == {0.3}


@pytest.mark.parametrize(
    ("errors", "times"),
    [((), 0), ((9,), 0), ((9, 9), 0), ((9, 9, 10), 1), ((9, 9, 8, 8), 0), ((9, 9, 9, 8, 8, 8), 2), ((9,) * 6, 2)],
)
def test_a_plateau_lowers_the_rate_each_time_that_patience_ends(errors: tuple[int, ...], times: int) -> None:
    train = TrainConfig(rate=1.0, schedule="plateau", plateau_epochs=2, plateau_factor=0.1)
    assert lowered(history(*errors), 2) == times
    assert rate_at(train, len(errors), 0, 10, history(*errors)) == pytest.approx(0.1**times)


def test_a_run_ends_after_its_epochs_or_when_nothing_better_comes() -> None:
    assert [stale(history(*errors)) for errors in ((), (5,), (5, 5), (5, 4, 6, 4))] == [0, 0, 1, 2]
    assert finished(TrainConfig(epochs=2), history(5, 4))
    assert not finished(TrainConfig(epochs=3), history(5, 6))
    assert finished(TrainConfig(epochs=9, stop_epochs=2), history(5, 6, 7))
    assert not finished(TrainConfig(epochs=9, stop_epochs=2), history(5, 6))
