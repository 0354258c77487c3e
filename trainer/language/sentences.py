"""Sentences: the words of texts that a language model is built from.

    book.txt    book.txt.gz    -          one sentence a line
    train.csv   shards/                   the transcripts of a manifest or a folder of shards

Text is taken in NFC, white space divides words; a text profile may change it first. Empty lines are no sentences.
"""

import gzip
import sys
import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from ...manifests import DataError, read_manifest
from ...pipeline.places import manifest_of
from ...pipeline.text import Profile, Unspoken
from .vocabulary import SPECIAL

STANDARD_INPUT = Path("-")


class Sentences:
    """The sentences of texts, in their order, and what was left out of them."""

    def __init__(self, places: Sequence[Path], profile: Profile | None = None, characters: bool = False) -> None:
        self._places, self._profile, self._characters = places, profile, characters
        self.refused = 0
        """Lines that the profile refused."""
        self.refusal = ""
        """The first of them, and why."""

    def __iter__(self) -> Iterator[list[str]]:
        """Raises DataError: a text cannot be read, or has a word that a language model keeps for itself."""
        for place in self._places:
            for number, line in _lines(place):
                if words := self._words(place, number, line):
                    yield words

    def _words(self, place: Path, number: int, line: str) -> list[str]:
        if self._profile:
            try:
                line = self._profile(line)
            except Unspoken as error:
                self.refused += 1
                self.refusal = self.refusal or f"{place}:{number}: {error}"
                return []
        text = line if line.isascii() else unicodedata.normalize("NFC", line)
        words = text.split()
        if ("<" in text or "\0" in text) and (wrong := [word for word in words if word in SPECIAL or "\0" in word]):
            raise DataError.at(place, number, f"{wrong[0]!r} cannot be a word of a text: take it out")
        return [character for word in words for character in word] if self._characters else words


def _lines(place: Path) -> Iterator[tuple[int, str]]:
    if place.is_dir() or place.suffix == ".csv":
        manifest = manifest_of(place)
        for number, sample in enumerate(read_manifest(manifest), 2):
            yield number, sample.transcript
        return
    number = 0
    try:
        with _opened(place) as file:
            for number, line in enumerate(file, 1):
                yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise DataError.at(place, number, "this line is not UTF-8: convert the text, as with iconv") from error
    except (OSError, EOFError, zlib.error) as error:
        what = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{place} cannot be read: {what}; name a text, a manifest or a folder of shards") from error


def _opened(place: Path) -> BinaryIO:
    if place == STANDARD_INPUT:
        if sys.stdin is None:
            raise DataError("standard input is closed: name a text instead of -")
        return sys.stdin.buffer
    return gzip.open(place) if place.suffix == ".gz" else place.open("rb")  # type: ignore[return-value]
