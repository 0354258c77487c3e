"""Config: all that decides a training run besides its data, from TOML to frozen dataclasses and back.

    features = "log-spectrogram"

    [model]
    name = "deepspeech2"
    hidden = 192

    [train]
    epochs = 24

`--config` takes such a file or the name of a preset beside this module; `--set train.epochs=10` sets one key.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from ..manifests import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class DeepSpeech1Config:
    """DeepSpeech 1, as in Hannun et al. 2014 and mozilla/DeepSpeech 0.1."""

    name: str = "deepspeech1"
    hidden: int = 2048
    """Units of each layer."""
    dropout: float = 0.05
    """Share of units dropped after layers 1, 2, 3 and 5."""
    relu_clip: float = 20.0
    """Where the clipped rectifier saturates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeepSpeech2Config:
    """DeepSpeech 2, as in Amodei et al. 2015 and SeanNaren/deepspeech.pytorch V3."""

    name: str = "deepspeech2"
    channels: int = 32
    """Channels of both convolutions."""
    hidden: int = 1024
    """Units of each recurrent layer, one way."""
    layers: int = 5
    """Recurrent layers."""
    cell: str = "lstm"
    """`lstm` or `gru`."""
    bidirectional: bool = True
    lookahead: int = 20
    """Steps of the future that a unidirectional model looks at."""
    dropout: float = 0.0
    """Share of units dropped after each recurrent layer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchConfig:
    """How an epoch is cut into batches."""

    seconds: float = 400.0
    """Most seconds of audio in a batch of all ranks together, padding included."""
    samples: int = 64
    """Most utterances in it."""
    window: int = 0
    """Shards that are shuffled together, for disks that cannot read everywhere at once; 0 for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MixConfig:
    """How much of each --train an epoch takes."""

    hours: float = 0.0
    """Audio in an epoch; 0 for every set whole, once."""
    weights: tuple[float, ...] = ()
    """Shares of the hours, one for each --train in their order; none for shares as the sets are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """How the weights are found."""

    epochs: int = 16
    rate: float = 1.5e-4
    """Highest learning rate."""
    schedule: str = "constant"
    """`constant`; `decay`: times `decay` each epoch; `one-cycle`: linear up for `warmup`, then cosine to 0."""
    decay: float = 0.99
    """Factor of an epoch in the schedule `decay`."""
    warmup: float = 0.1
    """Share of all steps in which `one-cycle` rises."""
    weight_decay: float = 0.0
    clip: float = 400.0
    """Largest norm of the gradient."""
    mask_frames: int = 0
    """SpecAugment: widest time mask, in feature frames; 0 for none."""
    mask_bins: int = 0
    """SpecAugment: widest frequency mask, in feature bins; 0 for none."""
    masks: int = 2
    """SpecAugment: masks of each kind in an utterance."""
    seed: int = 4567
    save_minutes: float = 10.0
    """Longest time between two checkpoints."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A whole run."""

    features: str = "log-spectrogram"
    """`log-spectrogram` or `mfcc-deepspeech-0.1`."""
    model: DeepSpeech1Config | DeepSpeech2Config = field(default_factory=DeepSpeech2Config)
    batch: BatchConfig = field(default_factory=BatchConfig)
    mix: MixConfig = field(default_factory=MixConfig)
    train: TrainConfig = field(default_factory=TrainConfig)

    def facts(self) -> dict[str, Any]:
        """This config as JSON; `config_of` is its inverse."""
        return asdict(self)


TABLES = ("model", "batch", "mix", "train")
MODEL_CONFIGS = {"deepspeech1": DeepSpeech1Config, "deepspeech2": DeepSpeech2Config}
PRESETS = ("ds1", "ds1-small", "ds2", "ds2-small")


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
        "train": _build(TrainConfig, table.get("train", {}), "train.", place),
    }
    return _check(_build(Config, {**rest, **parts}, "", place), place)


T = TypeVar("T")


def _build(kind: type[T], table: Mapping[str, Any], prefix: str, place: str) -> T:
    if not isinstance(table, Mapping):
        raise UsageError(f"{place}: {prefix.rstrip('.')} = {table!r} is not a table of keys")
    known = {one.name: one for one in fields(kind)}  # type: ignore[arg-type]
    values = {}
    for key, value in table.items():
        if key not in known:
            names = ", ".join(prefix + name for name in known)
            raise UsageError(f"{place}: there is no key {prefix}{key}; there are {names}")
        wanted = known[key].type
        if wanted is float and type(value) is int:
            value = float(value)
        if wanted == tuple[float, ...]:
            value = _numbers(prefix + key, value, place)
        if isinstance(wanted, type) and type(value) is not wanted and prefix + key not in TABLES:
            raise UsageError(f"{place}: {prefix}{key} = {value!r} is not of type {wanted.__name__}")
        values[key] = value
    return kind(**values)


def _numbers(key: str, value: Any, place: str) -> tuple[float, ...]:
    if not isinstance(value, (list, tuple)) or any(type(one) not in (int, float) for one in value):
        raise UsageError(f"{place}: {key} = {value!r} is not a list of numbers, as [3.0, 1.0]")
    return tuple(map(float, value))


CHOICES = {
    "features": ("log-spectrogram", "mfcc-deepspeech-0.1"),
    "model.cell": ("lstm", "gru"),
    "train.schedule": ("constant", "decay", "one-cycle"),
}
BOUNDS: dict[str, tuple[float, float]] = {
    "model.hidden": (1, 1e5),
    "model.channels": (1, 1e4),
    "model.layers": (1, 100),
    "model.lookahead": (1, 1e4),
    "model.dropout": (0, 0.99),
    "model.relu_clip": (1e-6, 1e6),
    "batch.seconds": (1e-3, 1e9),
    "batch.samples": (1, 1e9),
    "batch.window": (0, 1e9),
    "mix.hours": (0, 1e6),
    "mix.weights": (0, 1e9),
    "train.epochs": (1, 1e9),
    "train.rate": (1e-12, 1e3),
    "train.decay": (1e-3, 1),
    "train.warmup": (0, 1),
    "train.weight_decay": (0, 1e3),
    "train.clip": (1e-9, 1e12),
    "train.mask_frames": (0, 1e6),
    "train.mask_bins": (0, 1e6),
    "train.masks": (0, 1000),
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
        ("train", config.train),
    ):
        found |= {f"{prefix}.{key}": value for key, value in asdict(table).items()}
    for key, value in found.items():
        if key in CHOICES and value not in CHOICES[key]:
            raise UsageError(f"{place}: {key} = {value!r} is none of {', '.join(CHOICES[key])}")
        for number in value if isinstance(value, tuple) else (value,):
            if key in BOUNDS and not BOUNDS[key][0] <= float(number) <= BOUNDS[key][1]:
                low, high = BOUNDS[key]
                raise UsageError(f"{place}: {key} = {number} is not from {low:g} to {high:g}")
    if config.mix.weights and not any(config.mix.weights):
        raise UsageError(f"{place}: mix.weights are all 0: one must be higher")
    if config.mix.weights and not config.mix.hours:
        raise UsageError(f"{place}: mix.weights want mix.hours, the audio in an epoch, as mix.hours=100")
    return config


def _load(source: str) -> dict[str, Any]:
    try:
        if source in PRESETS:
            preset = resources.files(__package__).joinpath(f"presets/{source}.toml")
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
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    *path, last = key.strip().split(".")
    for name in path:
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            raise UsageError(f"--set {setting}: {name} holds no further keys")
    table[last] = value
