"""The tables of a config: every key, its unit and its default. docs/training.md explains them one by one.

Config(features="log-spectrogram", model=DeepSpeech2Config(hidden=192), train=TrainConfig(epochs=24))
"""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class DeepSpeech1Config:
    """DeepSpeech 1, as in Hannun et al. 2014 and mozilla/DeepSpeech."""

    name: str = "deepspeech1"
    hidden: int = 2048
    """Units of each layer."""
    bidirectional: bool = True
    """As in 0.1; later releases run forwards only, so that a stream can be heard while it comes."""
    forget_bias: float = 1.0
    """What the forget gate's bias begins with: 1 up to release 0.5, 0 from 0.6 on."""
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
    pieces: int = 1
    """Parts of a batch that a process works through one after the other, for batches that do not fit in its memory."""
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
class AugmentConfig:
    """How training sound is changed, anew each epoch; 0 or nothing for not at all. Dev data never are."""

    gain: tuple[float, ...] = (0.0, 0.0)
    """Lowest and highest of the decibels by which a clip is made louder."""
    speed: float = 0.0
    """Most change of the speed, pitch and all: 0.1 for 0.9 to 1.1 times."""
    tempo: float = 0.0
    """Most change of the speed with the pitch kept, by sox: 0.15 for 0.85 to 1.15 times."""
    noise: str = ""
    """Manifest, shard folder or URL of noises that are mixed in."""
    noise_share: float = 0.4
    """Share of the clips that get one."""
    noise_snr: tuple[float, ...] = (5.0, 25.0)
    """Lowest and highest ratio of speech to noise, in decibels."""
    reverb: str = ""
    """Manifest, shard folder or URL of impulse responses of rooms."""
    reverb_share: float = 0.3
    """Share of the clips that are heard in one."""
    mask_frames: int = 0
    """SpecAugment: widest time mask, in feature frames."""
    mask_bins: int = 0
    """SpecAugment: widest frequency mask, in feature bins."""
    masks: int = 2
    """SpecAugment: masks of each kind in an utterance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """How the weights are found."""

    epochs: int = 16
    rate: float = 1.5e-4
    """Highest learning rate."""
    schedule: str = "constant"
    """`constant`; `decay`: times `decay` each epoch; `cosine`: down to 0 at the end; or `plateau`."""
    warmup: float = 0.0
    """Share of all steps in which the rate rises to its highest, by equal amounts."""
    decay: float = 0.99
    """Factor of an epoch in the schedule `decay`."""
    plateau_epochs: int = 3
    """Epochs without a better result on the dev data after which `plateau` lowers the rate."""
    plateau_factor: float = 0.5
    """By which it is lowered."""
    stop_epochs: int = 0
    """Epochs without a better result on the dev data after which training ends; 0 for never."""
    weight_decay: float = 0.0
    clip: float = 400.0
    """Largest norm of the gradient."""
    precision: str = "auto"
    """`float32`; `bfloat16`, for the network but not the loss; `auto`: bfloat16 on GPUs that have it."""
    freeze: tuple[str, ...] = ()
    """Layers that are left as they are, by the beginning of their names, as ["conv1", "layers.0"]."""
    bad_steps: int = 10
    """Steps in a row whose loss is no number, each of which is skipped, after which training ends."""
    keep: int = 2
    """Checkpoints that are kept beside the best: the latest."""
    seed: int = 4567
    save_minutes: float = 10.0
    """Longest time between two checkpoints."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A whole run."""

    features: str = "log-spectrogram"
    """One of `PROFILES`."""
    model: DeepSpeech1Config | DeepSpeech2Config = field(default_factory=DeepSpeech2Config)
    batch: BatchConfig = field(default_factory=BatchConfig)
    mix: MixConfig = field(default_factory=MixConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    train: TrainConfig = field(default_factory=TrainConfig)

    def facts(self) -> dict[str, Any]:
        """This config as JSON; `config_of` is its inverse."""
        return asdict(self)


PROFILES = (
    "log-spectrogram",
    "log-spectrogram-1.0",
    "log-spectrogram-2.0",
    "log-spectrogram-live",
    "mfcc-deepspeech-0.1",
    "mfcc-deepspeech-0.2",
    "mfcc-deepspeech-0.4",
    "mfcc-deepspeech-0.5",
    "mfcc-deepspeech-0.7",
)
"""Features of the ancestors' releases, each by the first release that had it; and `live` ones, for streams."""
