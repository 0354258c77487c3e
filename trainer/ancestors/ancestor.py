"""Ancestor: a model of another project, put into the words of ours.

Ancestor(origin="mozilla/DeepSpeech 0.6 to 0.9", features="mfcc-deepspeech-0.7", model=DeepSpeech1Config(...), ...)
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch import Tensor

from ...manifests import Alphabet, SourceError
from ..config import DeepSpeech1Config, DeepSpeech2Config
from .unpickling.reader import shown

UNWRITTEN = ("Cc", "Cs", "Cn")
"""Unicode's categories of control characters, of halves of characters, and of none."""


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

    def in_small_letters(self) -> "Ancestor":
        """The same model, which writes in small letters what it heard in capitals: they stand for the same sounds."""
        small = in_small_letters(self.alphabet)
        if small in (None, self.alphabet):
            return self
        return replace(self, alphabet=small, spelt=f"{self.spelt}, upper case as lower case")


def in_small_letters(alphabet: Alphabet) -> Alphabet | None:
    """An alphabet of capitals in small letters; None if it has small letters, and so may tell the two apart."""
    if any(one != one.upper() and len(one.upper()) == 1 for one in alphabet.characters):  # ß has no capital
        return None
    try:
        return Alphabet(tuple(one.lower() for one in alphabet.characters), alphabet.blank)
    except ValueError:
        return None


def check_written(alphabet: Alphabet, place: str) -> None:
    """Make sure that texts can hold each of its characters.

    Raises:
        SourceError: one is a control character, or none at all.
    """
    if odd := [one for one in alphabet.characters if unicodedata.category(one) in UNWRITTEN]:
        raise SourceError(f"{place} has labels that no text has: {shown(''.join(odd))}")
