"""Lexicon: the words that a search may write, each by its labels.

    seven    ->    19 5 22 5 14

Words are compared in NFC, as the alphabet's characters are. What it cannot spell is counted and told.
"""

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ...manifests import Alphabet, DataError, describe


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Words and how they are spelt, in an order that does not depend on the file's."""

    words: tuple[str, ...]
    """As the file has them."""
    labels: tuple[list[int], ...]
    """Of each word's characters."""


def read_words(path: Path) -> list[str]:
    """The words of a file, white space between them.

    Raises:
        DataError: it cannot be read, or holds none.
    """
    try:
        words = path.read_text(encoding="utf-8-sig").split()
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no list of words in UTF-8: convert it, as with iconv") from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}; name a list of words with --words") from error
    if not words:
        raise DataError(f"{path} holds no words: write one a line")
    return words


def spelt(
    words: Iterable[str],
    besides: Iterable[str],
    alphabet: Alphabet,
    source: Path,
    on_notice: Callable[[str], None],
) -> Lexicon:
    """The words of a file that the alphabet can write, and some `besides` that it can; the others are told.

    Raises:
        DataError: it can write none of them.
    """
    label = {character: alphabet.encode(character)[0] for character in alphabet.characters}
    kept, left_out, lacking = dict[str, list[int]](), list[str](), set[str]()
    for word in sorted(set(words)):
        normal = unicodedata.normalize("NFC", word)
        if absent := set(normal) - label.keys():
            left_out.append(word)
            lacking |= absent
        else:
            kept[word] = [label[character] for character in normal]
    if left_out:
        some = ", ".join(map(describe, sorted(lacking)[:5])) + (" ..." if len(lacking) > 5 else "")
        told = f"the alphabet lacks {some}, as in {left_out[0]!r}"
        if not kept:
            raise DataError(
                f"{source}: none of its {len(left_out)} words can be written: {told}; name another file, "
                "or build the model with the text profile of the training data (dsprep lm build --text)"
            )
        on_notice(f"{source}: {len(left_out)} of {len(left_out) + len(kept)} words can never be heard: {told}")
    kept |= {word: alphabet.encode(word) for word in besides}
    return Lexicon(tuple(kept), tuple(kept.values()))
