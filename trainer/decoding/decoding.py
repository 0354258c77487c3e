"""Decoding: how text is to be read from log-probabilities, as a user asks for it."""

from dataclasses import dataclass

from ...manifests import Alphabet
from .decoder import Decoder
from .greedy import Greedy


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoding:
    """What is asked for."""

    def decoder(self, alphabet: Alphabet) -> Decoder:
        """The decoder for a model that writes with this alphabet."""
        return Greedy(alphabet)
