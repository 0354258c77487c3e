"""Reading a config: from TOML, or from JSON as a checkpoint holds it, with every slip of the hand told.

    features = "log-spectrogram"

    [model]
    name = "deepspeech2"
    hidden = 192

    [train]
    epochs = 24

`--config` takes such a file or the name of a preset; `--set train.epochs=10` sets one key.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from ...manifests import UsageError, one_of
from .tables import (
    PROFILES,
    AugmentConfig,
    BatchConfig,
    Config,
    DeepSpeech1Config,
    DeepSpeech2Config,
    MixConfig,
    TrainConfig,
)

TABLES = ("model", "batch", "mix", "augment", "train")
MODEL_CONFIGS = {"deepspeech1": DeepSpeech1Config, "deepspeech2": DeepSpeech2Config}
PRESETS = ("ds1", "ds1-small", "ds1-uni", "ds2", "ds2-small", "ds2-uni")


def read_config(source: str, settings: Sequence[str] = ()) -> Config:
    """The config in a TOML file, or of a preset's name, with `key=value` settings over it.

    Raises:
        UsageError: no such file or preset, a key that does not exist, a value of another kind.
    """
    table = _load(source)
    for setting in settings:
        _set(table, setting)
    return config_of(table, source)


def config_of(table: Mapping[str, Any], place: str) -> Config:
    """The config in a table as TOML or JSON holds it.

    Raises:
        UsageError: a key that does not exist, or a value of another kind.
    """
    rest = {key: value for key, value in table.items() if key not in TABLES}
    model = table.get("model", {})
    name = model.get("name", "deepspeech2") if isinstance(model, Mapping) else "deepspeech2"
    if not isinstance(name, str) or name not in MODEL_CONFIGS:
        raise UsageError(f"{place}: model.name {name!r} is none of {', '.join(MODEL_CONFIGS)}")
    parts = {
        "model": _build(MODEL_CONFIGS[name], model, "model.", place),
        "batch": _build(BatchConfig, table.get("batch", {}), "batch.", place),
        "mix": _build(MixConfig, table.get("mix", {}), "mix.", place),
        "augment": _build(AugmentConfig, table.get("augment", {}), "augment.", place),
        "train": _build(TrainConfig, table.get("train", {}), "train.", place),
    }
    return _check(_build(Config, {**rest, **parts}, "", place), place)


T = TypeVar("T")
LARGEST = 10**300
"""Of the numbers that can be floating point ones."""


def _build(kind: type[T], table: Mapping[str, Any], prefix: str, place: str) -> T:
    if not isinstance(table, Mapping):
        raise UsageError(f"{place}: {prefix.rstrip('.')} = {table!r} is not a table of keys")
    known = {one.name: one for one in fields(kind)}  # type: ignore[arg-type]
    values = {}
    for key, value in table.items():
        if key not in known:
            raise _unknown(prefix + key, [prefix + name for name in known], place)
        wanted = known[key].type
        if wanted is float and type(value) is int and abs(value) < LARGEST:
            value = float(value)
        if wanted == tuple[float, ...]:
            value = _numbers(prefix + key, value, place)
        if wanted == tuple[str, ...]:
            value = _names(prefix + key, value, place)
        if isinstance(wanted, type) and type(value) is not wanted and prefix + key not in TABLES:
            raise UsageError(f"{place}: {prefix}{key} = {value!r} is not of type {wanted.__name__}")
        values[key] = value
    return kind(**values)


def _unknown(key: str, known: list[str], place: str) -> UsageError:
    try:
        one_of("key", key, known)
    except UsageError as error:
        return UsageError(f"{place}: {error}")
    raise AssertionError(f"{key} is known")


def _numbers(key: str, value: Any, place: str) -> tuple[float, ...]:
    if not isinstance(value, (list, tuple)) or any(type(one) not in (int, float) or one > LARGEST for one in value):
        raise UsageError(f"{place}: {key} = {value!r} is not a list of numbers, as [3.0, 1.0]")
    return tuple(map(float, value))


def _names(key: str, value: Any, place: str) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or any(type(one) is not str for one in value):
        raise UsageError(f"{place}: {key} = {value!r} is not a list of names, as ['conv1', 'layers.0']")
    return tuple(value)


CHOICES = {
    "features": PROFILES,
    "model.cell": ("lstm", "gru"),
    "train.schedule": ("constant", "decay", "cosine", "plateau"),
    "train.precision": ("auto", "float32", "bfloat16"),
}
BOUNDS: dict[str, tuple[float, float]] = {
    "model.hidden": (1, 1e5),
    "model.channels": (1, 1e4),
    "model.layers": (1, 100),
    "model.lookahead": (1, 1e4),
    "model.dropout": (0, 0.99),
    "model.relu_clip": (1e-6, 1e6),
    "model.forget_bias": (-10, 10),
    "batch.seconds": (1e-3, 1e9),
    "batch.samples": (1, 1e9),
    "batch.pieces": (1, 1e4),
    "batch.window": (0, 1e9),
    "mix.hours": (0, 1e6),
    "mix.weights": (0, 1e9),
    "augment.gain": (-60, 60),
    "augment.speed": (0, 0.5),
    "augment.tempo": (0, 0.5),
    "augment.noise_share": (0, 1),
    "augment.noise_snr": (-60, 100),
    "augment.reverb_share": (0, 1),
    "augment.mask_frames": (0, 1e6),
    "augment.mask_bins": (0, 1e6),
    "augment.masks": (0, 1000),
    "train.epochs": (1, 1e9),
    "train.rate": (1e-12, 1e3),
    "train.decay": (1e-3, 1),
    "train.warmup": (0, 1),
    "train.weight_decay": (0, 1e3),
    "train.clip": (1e-9, 1e12),
    "train.plateau_epochs": (1, 1e9),
    "train.plateau_factor": (1e-6, 0.999999),
    "train.stop_epochs": (0, 1e9),
    "train.bad_steps": (1, 1e9),
    "train.keep": (1, 1e6),
    "train.seed": (0, 2**63 - 1),
    "train.save_minutes": (0, 1e9),
}
"""Lowest and highest of every number: what lies beyond is a slip of the hand, or breaks the run hours later."""


def _check(config: Config, place: str) -> Config:
    found = {"features": config.features}
    for prefix, table in (
        ("model", config.model),
        ("batch", config.batch),
        ("mix", config.mix),
        ("augment", config.augment),
        ("train", config.train),
    ):
        found |= {f"{prefix}.{key}": value for key, value in asdict(table).items()}
    for key, value in found.items():
        if key in CHOICES and value not in CHOICES[key]:
            raise UsageError(f"{place}: {key} = {value!r} is none of {', '.join(CHOICES[key])}")
        for number in value if isinstance(value, tuple) else (value,):
            if key in BOUNDS and isinstance(number, int | float) and not BOUNDS[key][0] <= number <= BOUNDS[key][1]:
                low, high = BOUNDS[key]
                raise UsageError(f"{place}: {key} = {number} is not from {low:g} to {high:g}")
    if config.mix.weights and not any(config.mix.weights):
        raise UsageError(f"{place}: mix.weights are all 0: one must be higher")
    if config.mix.weights and not config.mix.hours:
        raise UsageError(f"{place}: mix.weights want mix.hours, the audio in an epoch, as mix.hours=100")
    for key, pair, example in (
        ("augment.gain", config.augment.gain, "[-6.0, 8.0]"),
        ("augment.noise_snr", config.augment.noise_snr, "[5.0, 25.0]"),
    ):
        if len(pair) != 2 or pair[0] > pair[1]:
            raise UsageError(f"{place}: {key} = {list(pair)} is not a lowest and a highest, as {example}")
    return config


def _load(source: str) -> dict[str, Any]:
    try:
        if source in PRESETS:
            preset = resources.files("dsprep.trainer").joinpath(f"presets/{source}.toml")
            return tomllib.loads(preset.read_text(encoding="utf-8"))
        return tomllib.loads(Path(source).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(f"there is no config {source}: name a TOML file or a preset, {', '.join(PRESETS)}") from error
    except (OSError, ValueError) as error:
        raise UsageError(f"{source} is not a TOML file: {error}") from error


def _set(table: dict[str, Any], setting: str) -> None:
    key, equals, text = setting.partition("=")
    if not equals:
        raise UsageError(f"--set {setting}: it must be key=value, as train.epochs=10")
    try:
        (value,) = tomllib.loads(f"value = {text}").values()
    except (ValueError, RecursionError):  # a word without quotation marks, or more than one value
        value = text
    *path, last = key.strip().split(".")
    for name in path:
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            raise UsageError(f"--set {setting}: {name} holds no further keys")
    table[last] = value
