"""Fine-tuning: weights of another run, rows of the output layer by their characters."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dsprep.manifests import Alphabet, TrainingError, UsageError, english
from dsprep.trainer.config import Config, DeepSpeech1Config, DeepSpeech2Config, TrainConfig
from dsprep.trainer.loading.data import Data, read_data
from dsprep.trainer.models import OUTPUTS, build_model
from dsprep.trainer.training.checkpoint import newest, save
from dsprep.trainer.training.fine_tuning import carry_over, freeze
from dsprep.trainer.training.means import Callbacks
from dsprep.trainer.training.standing import Standing
from dsprep.trainer.training.training import train

MODELS = [
    Config(features="mfcc-deepspeech-0.1", model=DeepSpeech1Config(hidden=6)),
    Config(model=DeepSpeech2Config(channels=1, hidden=6, layers=2)),
]
TARGET = Alphabet(("é", "c", "b", "a", " "), 0)


def standing(config: Config, alphabet: Alphabet) -> Standing:
    return Standing(config=config, alphabet=alphabet, data="a", dev="b")


@pytest.mark.parametrize("config", MODELS, ids=["ds1", "ds2"])
def test_rows_follow_their_characters_and_new_ones_begin_by_chance(tmp_path: Path, config: Config) -> None:
    size = 494 if config.model.name == "deepspeech1" else 161
    torch.manual_seed(1)
    old = build_model(config, size, english().size)
    save(tmp_path, standing(config, english()), old)
    torch.manual_seed(2)
    new = build_model(config, size, TARGET.size)
    fresh = {name: value.clone() for name, value in new.state_dict().items()}
    found = newest(tmp_path, print)
    assert found
    assert carry_over(new, standing(config, TARGET), found) == ["é"]
    for name, value in new.state_dict().items():
        theirs = old.state_dict()[name]
        if name.rpartition(".")[0] != OUTPUTS[config.model.name]:
            assert torch.equal(value, theirs), name
            continue
        for character in "cba ":
            assert torch.equal(value[TARGET.encode(character)[0]], theirs[english().encode(character)[0]])
        assert torch.equal(value[TARGET.blank], theirs[english().blank])
        assert torch.equal(value[TARGET.encode("é")[0]], fresh[name][TARGET.encode("é")[0]])


@pytest.mark.parametrize("name", ["conv9", "conv", "", "layers.0.nothing"])
def test_a_layer_that_is_not_there_is_told(name: str) -> None:
    with pytest.raises(UsageError, match=f"there is no layer '{name}'; there are conv1, norm1"):
        freeze(build_model(MODELS[1], 161, 29), (name,))


def test_to_freeze_everything_is_told() -> None:
    model = build_model(MODELS[1], 161, 29)
    names = tuple(name for name, _ in model.named_children())
    with pytest.raises(UsageError, match="leaves nothing to be trained"):
        freeze(model, names)


@pytest.fixture(scope="module")
def data(digits: Path) -> Data:
    return read_data([digits / "dev-clean.csv"])


def test_a_run_begins_with_another_s_weights_and_says_so(tmp_path: Path, data: Data) -> None:
    wide, still = Alphabet((*english().characters, "é"), 29), replace(MODELS[1], train=TrainConfig(epochs=1, rate=1e-9))
    save(tmp_path / "one", standing(MODELS[1], english()), build_model(MODELS[1], 161, 29))
    notices: list[str] = []
    callbacks = Callbacks(on_notice=notices.append)
    begun = train(still, wide, data, data, tmp_path / "two", init=tmp_path / "one", callbacks=callbacks)
    assert begun.origin
    assert notices == [f"begun with {begun.origin}; new characters: é"]
    one, two = newest(tmp_path / "one", print), newest(tmp_path / "two", print)
    assert one
    assert two
    assert torch.allclose(one.tensors["model.conv1.weight"], two.tensors["model.conv1.weight"], atol=1e-6)
    assert train(still, wide, data, data, tmp_path / "two", init=tmp_path / "one") == begun
    assert train(still, wide, data, data, tmp_path / "two") == begun, "once begun, it needs no telling"
    save(tmp_path / "other", standing(MODELS[1], english()), build_model(MODELS[1], 161, 29))
    with pytest.raises(TrainingError, match=r"was begun with .*, not with the best of .*other"):
        train(still, wide, data, data, tmp_path / "two", init=tmp_path / "other")
    shutil.rmtree(tmp_path / "one")
    assert train(still, wide, data, data, tmp_path / "two", init=tmp_path / "one") == begun


def test_the_model_and_the_features_come_from_the_other_run(tmp_path: Path, data: Data) -> None:
    source = MODELS[0]
    save(tmp_path / "one", standing(source, english()), build_model(source, 494, 29))
    other = Config(model=DeepSpeech2Config(channels=1, hidden=7, layers=2, dropout=0.2), train=TrainConfig(epochs=1))
    begun = train(other, english(), data, data, tmp_path / "two", init=tmp_path / "one")
    assert begun.config.features == source.features
    assert begun.config.model == DeepSpeech1Config(hidden=6, dropout=0.2)
    assert train(other, english(), data, data, tmp_path / "two", init=tmp_path / "one") == begun


def test_an_alphabet_with_nothing_in_common_is_told(tmp_path: Path) -> None:
    save(tmp_path, standing(MODELS[1], english()), build_model(MODELS[1], 161, 29))
    found, greek = newest(tmp_path, print), Alphabet(("é", "ж"), 2)
    assert found
    with pytest.raises(TrainingError, match="the alphabet has none of the characters that"):
        carry_over(build_model(MODELS[1], 161, 3), standing(MODELS[1], greek), found)


def test_what_has_no_weights_cannot_be_frozen() -> None:
    with pytest.raises(UsageError, match=r"there is no layer 'layers\.0\.dropout'"):
        freeze(build_model(MODELS[1], 161, 29), ("layers.0.dropout",))
