"""Config: all that decides a training run besides its data, as frozen dataclasses that come from TOML."""

from .reading import PRESETS, config_of, read_config
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

__all__ = [
    "PRESETS",
    "PROFILES",
    "AugmentConfig",
    "BatchConfig",
    "Config",
    "DeepSpeech1Config",
    "DeepSpeech2Config",
    "MixConfig",
    "TrainConfig",
    "config_of",
    "read_config",
]
