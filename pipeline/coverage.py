"""Coverage: which characters transcripts hold, how often, and the alphabet that they need.

    character  code    name                           count   share   texts  example
    (space)    U+0020  SPACE                          49012  17.94%    2703  1272-128104-0000
    e          U+0065  LATIN SMALL LETTER E           27415  10.03%    2698  1272-128104-0000
    é          U+00E9  LATIN SMALL LETTER E WITH ...      2   0.00%       1  3081-166546-0071

Coverages add up, in any order, over parts and processes; memory grows with distinct characters, not with texts.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from ..manifests import Alphabet, DataError

HEADER = ("character", "code", "name", "count", "share", "texts", "example")


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrences:
    """Where one character occurs."""

    character: str
    """One character of text in NFC."""
    count: int
    texts: int
    """How many texts hold it."""
    example: str
    """The id of one of them: the least, so that it does not depend on the order of texts."""

    def __add__(self, other: "Occurrences") -> "Occurrences":
        return Occurrences(
            character=self.character,
            count=self.count + other.count,
            texts=self.texts + other.texts,
            example=min(self.example, other.example),
        )


@dataclass(slots=True)
class Coverage:
    """The characters of some texts. Grows by `add`; two of them add up to that of all their texts."""

    texts: int = 0
    """How many texts there were."""
    found: dict[str, Occurrences] = field(default_factory=dict)

    @classmethod
    def of(cls, texts: Iterable[tuple[str, str]]) -> Self:
        """The coverage of (id, text) pairs, which are read once and not kept."""
        coverage = cls()
        for name, text in texts:
            coverage.add(text, name)
        return coverage

    def add(self, text: str, example: str = "") -> None:
        """Count the characters of one more text, in NFC; `example` is its id."""
        self.texts += 1
        for character, count in Counter(unicodedata.normalize("NFC", text)).items():
            self._count(Occurrences(character=character, count=count, texts=1, example=example))

    def __add__(self, other: "Coverage") -> "Coverage":
        total = Coverage(self.texts + other.texts, dict(self.found))
        for one in other.found.values():
            total._count(one)
        return total

    def _count(self, more: Occurrences) -> None:
        known = self.found.get(more.character)
        self.found[more.character] = known + more if known else more

    @property
    def characters(self) -> int:
        """How many characters the texts have in all."""
        return sum(one.count for one in self.found.values())

    def outside(self, alphabet: Alphabet) -> tuple[Occurrences, ...]:
        """The characters that have no label in `alphabet`, in the order of `alphabet()`."""
        return tuple(one for one in self._ordered() if one.character not in alphabet.characters)

    def alphabet(self) -> Alphabet:
        """All the characters that occur: the space, then letters and marks, then the rest, each by code point.

        The blank is last. English text in which all of them occur gets the labels of DeepSpeech's own alphabet:
        space, a to z, apostrophe.

        Raises:
            DataError: there are no characters.
        """
        if not self.found:
            raise DataError(f"no alphabet can be made of {self.texts} texts without a character")
        characters = tuple(one.character for one in self._ordered())
        return Alphabet(characters, len(characters))

    def table(self) -> list[tuple[str, ...]]:
        """A row of text a character, most frequent first, under `HEADER`; what has no shape has its code and name."""
        total = self.characters
        rows = sorted(self.found.values(), key=lambda one: (-one.count, one.character))
        return [
            (*_named(one.character), str(one.count), f"{one.count / total:.2%}", str(one.texts), one.example)
            for one in rows
        ]

    def _ordered(self) -> list[Occurrences]:
        return sorted(self.found.values(), key=lambda one: _order(one.character))


def _order(character: str) -> tuple[bool, bool, str]:
    return character != " ", unicodedata.category(character)[0] not in "LM", character


def _named(character: str) -> tuple[str, str, str]:
    """As it is shown, its code point, its name."""
    category = unicodedata.category(character)
    shown = character if character.isprintable() and category[0] not in "MZ" else ""
    name = unicodedata.name(character, f"(no name, category {category})")
    return "(space)" if character == " " else shown, f"U+{ord(character):04X}", name
