"""The two models, by name."""

from ..config import Config, DeepSpeech1Config
from .deepspeech1 import DeepSpeech1
from .deepspeech2 import DeepSpeech2

Model = DeepSpeech1 | DeepSpeech2
OUTPUTS = {"deepspeech1": "h6", "deepspeech2": "dense"}
"""The layer whose rows are the labels."""


def build_model(config: Config, features: int, labels: int) -> Model:
    """The model of a config, its weights drawn from torch's generator as it stands."""
    if isinstance(config.model, DeepSpeech1Config):
        return DeepSpeech1(config.model, features, labels)
    return DeepSpeech2(config.model, features, labels)


__all__ = ["OUTPUTS", "DeepSpeech1", "DeepSpeech2", "Model", "build_model"]
