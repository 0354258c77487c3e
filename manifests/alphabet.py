"""Alphabet: which characters a model can write, and the number of each.

    # alphabet.txt of DeepSpeech: one a line, `#` begins a comment, `\\#` is the character itself
    a
    b

    ["_", "'", "A", "B", " "]          labels.json of deepspeech.pytorch; "_" is the CTC blank

Text is compared in NFC, so that a letter and its accent are one character however they were typed.
"""

import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from .errors import DataError


@dataclass(frozen=True, slots=True)
class Alphabet:
    """The characters of a model in the order of their labels, with the CTC blank at an index of its own."""

    characters: tuple[str, ...]
    """One NFC character each, no two alike, the blank not among them."""
    blank: int
    """Label of the CTC blank, 0 to `len(characters)`; characters from there on have labels one higher."""

    def __post_init__(self) -> None:
        if not self.characters:
            raise ValueError("an alphabet needs at least one character")
        if not 0 <= self.blank <= len(self.characters):
            raise ValueError(f"blank {self.blank} is not in 0 to {len(self.characters)}")
        for character in self.characters:
            if len(character) != 1 or unicodedata.normalize("NFC", character) != character:
                raise ValueError(f"{describe(character)} is not one NFC character")
        if twice := [c for c, count in Counter(self.characters).items() if count > 1]:
            raise ValueError(f"more than once: {', '.join(map(describe, sorted(twice)))}")

    @property
    def size(self) -> int:
        """Number of labels, the blank included."""
        return len(self.characters) + 1

    def missing(self, text: str) -> set[str]:
        """The characters of `text` that have no label."""
        return set(unicodedata.normalize("NFC", text)) - set(self.characters)

    def encode(self, text: str) -> list[int]:
        """The labels of `text`.

        Raises:
            DataError: a character has no label.
        """
        if absent := self.missing(text):
            raise DataError(f"{text!r} holds {', '.join(map(describe, sorted(absent)))}, not in the alphabet")
        label = {c: i + (i >= self.blank) for i, c in enumerate(self.characters)}
        return [label[character] for character in unicodedata.normalize("NFC", text)]

    def decode(self, labels: Iterable[int]) -> str:
        """The text of `labels`, none of them the blank. Inverse of `encode`."""
        return "".join(self.characters[label - (label > self.blank)] for label in labels)


def describe(character: str) -> str:
    """A character for a message: `'é' (U+00E9)`."""
    return f"{character!r} ({' '.join(f'U+{ord(c):04X}' for c in character)})"


def read_alphabet(path: Path) -> Alphabet:
    """The alphabet in a DeepSpeech `alphabet.txt` (blank last) or a deepspeech.pytorch `labels.json`.

    Raises:
        DataError: the file is missing or is not an alphabet.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        return _from_json(text) if path.suffix == ".json" else _from_lines(text.split("\n"))
    except FileNotFoundError as error:
        raise DataError(f"there is no alphabet {path}") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is not an alphabet: {error}") from error


def alphabet_bytes(alphabet: Alphabet) -> bytes:
    """DeepSpeech's `alphabet.txt` of `alphabet`, UTF-8; `read_alphabet` gives it back.

    Raises:
        DataError: the blank is not last, or a character is an end of line, which that format cannot express.
    """
    if alphabet.blank != len(alphabet.characters):
        raise DataError(f"the blank is label {alphabet.blank}: in an alphabet.txt it is the last, name a labels.json")
    if ends := sorted({"\n", "\r"} & set(alphabet.characters)):
        raise DataError(f"an alphabet.txt cannot hold {', '.join(map(describe, ends))}: import with a text profile")
    # The comment also keeps a first character U+FEFF from being taken for a byte order mark.
    lines = (f"# {len(alphabet.characters)} characters, the CTC blank after them.", *map(_line, alphabet.characters))
    return "".join(f"{line}\n" for line in lines).encode()


def _line(character: str) -> str:
    return "\\#" if character == "#" else character


def english() -> Alphabet:
    """Space, a to z and apostrophe, blank last (label 28), as DeepSpeech's English models have it."""
    text = resources.files(__package__).joinpath("alphabets/english.txt").read_text(encoding="utf-8")
    return _from_lines(text.split("\n"))


def _from_lines(lines: Sequence[str]) -> Alphabet:
    characters = []
    for line in lines:
        line = line.removesuffix("\r")
        if line and not line.startswith("#"):
            characters.append(unicodedata.normalize("NFC", line.removeprefix("\\")) or line)
    return Alphabet(tuple(characters), len(characters))


def _from_json(text: str) -> Alphabet:
    labels = json.loads(text)
    if not (isinstance(labels, list | str) and all(isinstance(label, str) for label in labels)):
        raise ValueError("not a list of characters")
    normal = [unicodedata.normalize("NFC", label) for label in labels]
    if "_" not in normal:
        raise ValueError("no blank '_' among the labels")
    blank = normal.index("_")
    return Alphabet(tuple(normal[:blank] + normal[blank + 1 :]), blank)
