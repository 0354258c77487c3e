"""Whether a run goes on as it is asked to, and from where."""

from dataclasses import replace
from typing import Any

import pytest

from dsprep.manifests import Alphabet, TrainingError, english
from dsprep.trainer.config import AugmentConfig, BatchConfig, Config, DeepSpeech1Config, TrainConfig
from dsprep.trainer.training.resuming import going_on
from dsprep.trainer.training.standing import Standing

BEFORE = Standing(
    config=Config(), alphabet=english(), data="a", dev="b", epoch=2, step=7, summed_loss=3.0, utterances=5
)


def asked(accept: bool = False, **changes: Any) -> tuple[Standing, list[str]]:
    notices: list[str] = []
    now = replace(Standing(config=Config(), alphabet=english(), data="a", dev="b"), **changes)
    return going_on(BEFORE, now, accept, "run", notices.append), notices


def test_unchanged_it_goes_on_where_it_stands() -> None:
    assert asked() == (BEFORE, [])


@pytest.mark.parametrize("key", ["save_minutes", "keep", "stop_epochs", "bad_steps", "epochs"])
def test_what_decides_no_weight_may_change(key: str) -> None:
    config = Config(train=TrainConfig(**{key: 99}))  # type: ignore[arg-type]
    assert asked(config=config) == (replace(BEFORE, config=config), [])


@pytest.mark.parametrize("changed", [{"schedule": "cosine"}, {"warmup": 0.1}])
def test_the_number_of_epochs_may_not_change_where_the_rate_depends_on_it(changed: dict[str, Any]) -> None:
    before = replace(BEFORE, config=Config(train=TrainConfig(**changed)))
    now = replace(before, config=Config(train=TrainConfig(epochs=99, **changed)))
    with pytest.raises(TrainingError, match=r"train\.epochs: 16 there, 99 now"):
        going_on(before, now, False, "run", print)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"config": Config(train=TrainConfig(rate=1.0))}, r"train\.rate: 0\.00015 there, 1\.0 now"),
        ({"config": Config(batch=BatchConfig(seconds=1.0))}, r"batch\.seconds: 400\.0 there, 1\.0 now"),
        ({"data": "c"}, "training data: a there, c now"),
        ({"dev": "c"}, "dev data: b there, c now"),
        ({"noises": "c"}, "noises:  there, c now"),
    ],
)
def test_a_change_is_told_and_made_only_when_it_is_accepted(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(TrainingError, match=rf"run is another run \({told}\).* or add --accept-changes"):
        asked(**changes)
    standing, notices = asked(accept=True, **changes)
    assert (standing.epoch, standing.origin) == (2, None)
    assert all(getattr(standing, name) == value for name, value in changes.items())
    assert notices[0].startswith("changes that are accepted: ")


def test_another_order_of_clips_begins_the_epoch_again() -> None:
    several: list[dict[str, Any]] = [{"data": "c"}, {"config": Config(batch=BatchConfig(samples=1))}]
    for changes in several:
        standing, notices = asked(accept=True, **changes)
        assert (standing.epoch, standing.step, standing.summed_loss, standing.utterances) == (2, 0, 0.0, 0)
        assert notices[1] == "the order of clips is another one now: the epoch under way begins again"
    assert asked(accept=True, dev="c")[0].step == 7


@pytest.mark.parametrize(
    "changes",
    [
        {"config": Config(model=DeepSpeech1Config())},
        {"config": Config(features="log-spectrogram-2.0")},
        {"alphabet": Alphabet((*english().characters, "é"), 29)},
        {"alphabet": Alphabet(english().characters, 0)},
    ],
)
def test_what_the_weights_mean_does_not_change_even_if_it_is_accepted(changes: dict[str, Any]) -> None:
    with pytest.raises(TrainingError, match="name another --run folder, and this one by --init"):
        asked(accept=True, **changes)


def test_noises_may_lie_elsewhere_but_not_come_or_go() -> None:
    def noisy(place: str) -> Config:
        return Config(augment=AugmentConfig(noise=place))

    before = replace(BEFORE, config=noisy("here"), noises="n")
    moved = replace(before, config=noisy("there"))
    assert going_on(before, moved, False, "run", print).config == moved.config
    with pytest.raises(TrainingError, match=r"augment\.noise: True there, False now"):
        going_on(before, replace(before, config=noisy("")), False, "run", print)
