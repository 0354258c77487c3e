import json
from pathlib import Path

import pytest

from dsprep.manifests import UsageError
from dsprep.trainer.config import (
    PRESETS,
    Config,
    DeepSpeech1Config,
    DeepSpeech2Config,
    MixConfig,
    config_of,
    read_config,
)
from dsprep.trainer.config.reading import BOUNDS, TABLES


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_reads_and_survives_the_way_through_json(name: str) -> None:
    config = read_config(name)
    assert config_of(config.facts(), "x") == config
    assert isinstance(config.model, DeepSpeech1Config if name.startswith("ds1") else DeepSpeech2Config)


def test_presets_are_the_files_beside_them() -> None:
    import dsprep.trainer as module

    assert module.__file__
    files = Path(module.__file__).with_name("presets").glob("*.toml")
    assert sorted(path.stem for path in files) == sorted(PRESETS)


def test_set_puts_one_key_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text('features = "log-spectrogram"\n[train]\nepochs = 3\nrate = 1\n')
    config = read_config(str(tmp_path / "c.toml"), ["train.epochs=7", "model.cell=gru", "model.hidden=5"])
    assert (config.train.epochs, config.train.rate) == (7, 1.0)
    assert config.model == DeepSpeech2Config(cell="gru", hidden=5)
    assert config.batch == Config().batch


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("train.epoch=3", r"no key 'train\.epoch': did you mean train\.epochs\?"),
        ("train.epochs=" + "9" * 400, r"train\.epochs = 9+ is not from 1 to"),
        ("train.rate=" + "9" * 400, r"train\.rate = 9+ is not of type float"),
        ("augment.gain=[" + "9" * 400 + ",1]", r"augment\.gain = \[9+, 1\] is not a list of numbers"),
        ("train.freeze=" + "[" * 3000, r"train\.freeze = '\[+' is not a list of names"),
        ("train.epochs=1\nrubbish=3", r"train\.epochs = '1\\nrubbish=3' is not of type int"),
        ("train.epochs=many", r"train\.epochs = 'many' is not of type int"),
        ("train.epochs=0", r"train\.epochs = 0 is not from 1 to"),
        ("train.epochs=true", "is not of type int"),
        ("model.name=deepspeech3", "is none of deepspeech1, deepspeech2"),
        ("model.cell=rnn", "is none of lstm, gru"),
        ("features=fbank", "is none of log-spectrogram"),
        ("train.schedule=linear", "is none of constant"),
        ("train.rate", "it must be key=value"),
        ("train.rate.x=1", "rate holds no further keys"),
        ("modle.hidden=1", r"no key 'modle': did you mean model\?"),
        ("train=3", "train = 3 is not a table of keys"),
        ("model=3", "model = 3 is not a table of keys"),
        ("model.name=[1]", r"model\.name \[1\] is none of"),
        ("model.channels=0", r"model\.channels = 0 is not from"),
        ("model.dropout=2.0", r"model\.dropout = 2\.0 is not from"),
        ("train.rate=inf", r"train\.rate = inf is not from"),
        ("train.warmup=nan", r"train\.warmup = nan is not from"),
        ("train.clip=-1", r"train\.clip = -1\.0 is not from"),
        ("batch.window=-1", r"batch\.window = -1 is not from"),
        ("batch.window=1.5", r"batch\.window = 1\.5 is not of type int"),
        ("mix.hours=-1", r"mix\.hours = -1\.0 is not from"),
        ("mix.hours=nan", r"mix\.hours = nan is not from"),
        ("mix.hours=1e9", r"mix\.hours = 1000000000\.0 is not from"),
        ("mix.weights=[3,1]", r"mix\.weights want mix\.hours"),
        ("mix.weights=[0,0.0]", r"mix\.weights are all 0"),
        ("mix.weights=[1,-0.5]", r"mix\.weights = -0\.5 is not from"),
        ("mix.weights=[nan]", r"mix\.weights = nan is not from"),
        ("mix.weights=['a']", r"mix\.weights = \['a'\] is not a list of numbers, as \[3\.0, 1\.0\]"),
        ("mix.weights=[true]", r"mix\.weights = \[True\] is not a list"),
        ("mix.weights=3", r"mix\.weights = 3 is not a list"),
        ("augment.gain=3", r"augment\.gain = 3 is not a list"),
        ("augment.gain=[3]", r"augment\.gain = \[3\.0\] is not a lowest and a highest, as \[-6\.0, 8\.0\]"),
        ("augment.gain=[8,-6]", r"augment\.gain = \[8\.0, -6\.0\] is not a lowest and a highest"),
        ("augment.gain=[-61,0]", r"augment\.gain = -61\.0 is not from -60 to 60"),
        ("augment.noise_snr=[25,5]", r"augment\.noise_snr = \[25\.0, 5\.0\] is not a lowest and a highest"),
        ("augment.noise_snr=[]", r"augment\.noise_snr = \[\] is not a lowest and a highest, as \[5\.0, 25\.0\]"),
        ("augment.speed=0.6", r"augment\.speed = 0\.6 is not from 0 to 0\.5"),
        ("augment.noise=3", r"augment\.noise = 3 is not of type str"),
        ("train.seed=99999999999999999999999", r"train\.seed = 9+ is not from"),
    ],
)
def test_what_is_wrong_is_told(setting: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        read_config("ds2-small", [setting])


def test_a_mix_survives_the_way_through_json() -> None:
    config = read_config("ds2-small", ["mix.hours=10", "mix.weights=[3, 0.5]"])
    assert config.mix == MixConfig(hours=10.0, weights=(3.0, 0.5))
    assert config_of(json.loads(json.dumps(config.facts())), "x") == config


def test_a_file_that_is_not_there_or_no_toml_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name a TOML file or a preset, ds1, ds1-small"):
        read_config("ds3")
    (tmp_path / "c.toml").write_text("[train\n")
    with pytest.raises(UsageError, match="is not a TOML file"):
        read_config(str(tmp_path / "c.toml"))


def test_every_number_has_bounds() -> None:
    from dataclasses import asdict

    numbers = {
        f"{prefix}.{key}"
        for kind in (DeepSpeech1Config, DeepSpeech2Config)
        for prefix, table in (("model", kind()), *((name, getattr(Config(), name)) for name in TABLES[1:]))
        for key, value in asdict(table).items()
        if type(value) in (int, float) or (type(value) is tuple and f"{prefix}.{key}" != "train.freeze")
    }
    assert numbers == set(BOUNDS)
