"""One step: the same whatever it is cut into, and none at all when its loss is no number."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dsprep.manifests import english
from dsprep.pipeline.reading import Reader
from dsprep.trainer.config import Config, read_config
from dsprep.trainer.loading.batches import Loaded, load
from dsprep.trainer.loading.data import read_data
from dsprep.trainer.training.learner import Learner
from dsprep.trainer.training.ranks import Ranks

DS1 = read_config("ds1-small", ["model.hidden=12", "model.dropout=0.0"])
DS2 = read_config("ds2-small", ["model.hidden=12", "model.channels=2"])


@pytest.fixture(scope="module")
def batch(digits: Path) -> Loaded:
    data = read_data([digits / "dev-clean.csv"])
    with Reader() as reader:
        return load(data, [3, 1, 4, 5, 9], reader)


def learner(config: Config) -> Learner:
    return Learner(config, english(), torch.device("cpu"), Ranks())


def weights(one: Learner) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in one.model.state_dict().items()}


@pytest.mark.parametrize("pieces", [2, 3, 5, 8])
def test_a_batch_in_pieces_teaches_what_it_teaches_as_a_whole(batch: Loaded, pieces: int) -> None:
    """DeepSpeech 1, for batch normalisation takes its statistics from a piece."""
    whole, cut = learner(DS1), learner(replace(DS1, batch=replace(DS1.batch, pieces=pieces)))
    one, other = (each.step(batch, 5, 0, 0, 1e-3) for each in (whole, cut))
    assert one.summed_loss == pytest.approx(other.summed_loss, rel=1e-5)
    assert one.norm == pytest.approx(other.norm, rel=1e-4)
    for name, value in weights(cut).items():
        assert torch.allclose(value, weights(whole)[name], atol=1e-5), name


@pytest.mark.parametrize("config", [DS1, DS2], ids=["ds1", "ds2"])
def test_a_part_without_utterances_changes_nothing(batch: Loaded, config: Config) -> None:
    one = learner(config)
    before = weights(one)
    learned = one.step(batch.part(0, 100), 5, 0, 0, 1e-3)
    assert (learned.summed_loss, learned.norm, learned.bad) == (0, 0, ())
    assert all(torch.equal(value, before[name]) for name, value in weights(one).items() if "running" in name)


def test_a_step_whose_loss_is_no_number_leaves_everything_as_it_was(batch: Loaded) -> None:
    one = learner(DS2)
    one.step(batch, 5, 0, 0, 1e-3)
    before, state = weights(one), {name: dict(value) for name, value in one.optimizer.state_dict()["state"].items()}
    state = {name: {key: value.clone() for key, value in values.items()} for name, values in state.items()}
    long = [replace(sample, transcript="ab" * 200 if index == 2 else "a") for index, sample in enumerate(batch.samples)]
    learned = one.step(Loaded(tuple(long), batch.pcm_BN, batch.lengths), 5, 0, 1, 1e-3)
    assert learned.bad == (batch.samples[2].id,)
    assert not math.isfinite(learned.summed_loss)
    assert all(torch.equal(value, before[name]) for name, value in weights(one).items())
    for name, values in one.optimizer.state_dict()["state"].items():
        assert all(torch.equal(value, state[name][key]) for key, value in values.items())


def test_bfloat16_is_near_float32_and_its_weights_stay_float32(batch: Loaded) -> None:
    exact, half = learner(DS2), learner(replace(DS2, train=replace(DS2.train, precision="bfloat16")))
    one, other = (each.step(batch, 5, 0, 0, 1e-3) for each in (exact, half))
    assert other.summed_loss == pytest.approx(one.summed_loss, rel=0.02)
    assert other.summed_loss != one.summed_loss
    assert {value.dtype for value in half.model.parameters()} == {torch.float32}


def test_layers_that_are_frozen_stay_as_they_are(batch: Loaded) -> None:
    frozen = ("conv1", "norm1", "layers.0")
    one = learner(replace(DS2, train=replace(DS2.train, freeze=frozen)))
    before = weights(one)
    one.step(batch, 5, 0, 0, 1e-3)
    for name, value in weights(one).items():
        still = name.startswith(tuple(f"{layer}." for layer in frozen))
        assert torch.equal(value, before[name]) is (still or name.endswith("num_batches_tracked")), name
