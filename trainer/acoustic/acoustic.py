"""Acoustic model: sound in, log-probabilities out, wherever its weights lie and whatever computes them.

Axes: N samples of 16 kHz, T steps of 20 ms, V labels. Numbers are numpy's, so that a model need not be torch's.
"""

from collections.abc import Sequence
from typing import Protocol

from ...manifests import Alphabet
from ...pipeline.sound.audio import Pcm
from ..decoding.decoder import LogProbs


class AcousticStream(Protocol):
    """One utterance that is heard while it comes. Its pieces together are what `log_probs` makes of the whole."""

    def feed(self, pcm_N: Pcm) -> LogProbs:
        """The steps that are certain now that these samples have come; there may be none."""

    def end(self) -> LogProbs:
        """The steps that are left, for nothing more comes."""


class AcousticModel(Protocol):
    """A model that hears."""

    @property
    def alphabet(self) -> Alphabet:
        """What it writes with."""

    def log_probs(self, clips: Sequence[Pcm]) -> list[LogProbs]:
        """What it makes of each clip, TV, which does not depend on the others."""

    def stream(self) -> AcousticStream:
        """A new stream.

        Raises:
            UsageError: the model needs the whole utterance; says which do not.
        """
