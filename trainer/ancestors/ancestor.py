"""Ancestor: a model of another project, put into the words of ours.

Ancestor(origin="mozilla/DeepSpeech 0.6 to 0.9", features="mfcc-deepspeech-0.7", model=DeepSpeech1Config(...), ...)
"""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from ...manifests import Alphabet
from ..config import DeepSpeech1Config, DeepSpeech2Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Ancestor:
    """What such a model is."""

    origin: str
    """Of which project and releases, for people."""
    features: str
    """One of `config.PROFILES`."""
    model: DeepSpeech1Config | DeepSpeech2Config
    inputs: int
    """Numbers of a frame of features."""
    alphabet: Alphabet
    spelt: str
    """Whose the alphabet is."""
    weights: Mapping[str, Tensor]
    """By the names of our model's state_dict, all of them."""
