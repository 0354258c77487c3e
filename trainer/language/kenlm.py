"""KenLM: a language model as flashlight-text reads it, and the words that it knows.

    \\data\\                                   ARPA: log10 of probabilities, a line an n-gram
    ngram 1=13
    mmap lm http://kheafield.com/code ...      KenLM's binary, which build_binary makes of an ARPA

KenLM itself is in flashlight-text's wheel, which there is for Python before 3.13.
"""

import mmap
import os
import re
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from ...manifests import DataError, MissingExtraError

UNKNOWN = "<unk>"
SPECIAL = frozenset((UNKNOWN, "<UNK>", "<s>", "</s>"))
"""Words of every model that nobody says."""
BINARY = b"mmap lm http://kheafield.com/code"
SANITY = 88
"""Bytes of a binary before its parameters: its mark, three floats, two indices, a long (KenLM, lm/binary_format.cc)."""
MENDS = "make one with dsprep lm build, or name another"


def require() -> None:
    """See to it that flashlight-text can be imported.

    Raises:
        MissingExtraError: it cannot; says whether it can be installed.
    """
    import importlib.util

    if importlib.util.find_spec("flashlight") and importlib.util.find_spec("flashlight.lib.text"):
        return
    if sys.version_info >= (3, 13):
        raise MissingExtraError(
            "beam search and language models need flashlight-text, which there is for Python 3.11 and 3.12 alone: "
            "run dsprep with one of these, or leave the options of the search out to decode greedily"
        )
    raise MissingExtraError(
        "beam search and language models need more: pip install flashlight-text (dsprep's extra 'lm')"
    )


def open_kenlm(path: Path, dictionary: Any) -> Any:
    """The model in a file, for the words of a dictionary of flashlight's.

    Raises:
        DataError: it is no language model, or a damaged one.
    """
    from .flashlight import KenLM

    try:
        with silenced():
            return KenLM(str(path), dictionary)
    except (RuntimeError, ValueError) as error:
        # First comes where in KenLM's source it was raised, a line; behind the first sentence is how to build KenLM.
        said = re.sub(r"^\S+:\d+ in .*\n", "", str(error)).partition(".  ")[0]
        raise DataError(f"{path} cannot be read as a language model ({' '.join(said.split())}): {MENDS}") from error


@contextmanager
def silenced() -> Iterator[None]:
    """Send what C code writes to file 2 nowhere meanwhile: KenLM draws a bar there.

    It changes the whole process, so what Python writes to `sys.stderr` in another thread meanwhile is lost too.
    """
    sys.stderr.flush()
    try:
        terminal = os.dup(2)
    except OSError:  # it is closed: nothing can be heard anyway
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)


def words_of_model(path: Path) -> list[str]:
    """The words that a model knows, those of `SPECIAL` left out, each as the model spells it.

    Raises:
        DataError: it is no language model, or one without its words.
    """
    try:
        with path.open("rb") as file:
            words = _of_binary(path, file) if file.read(len(BINARY)) == BINARY else _of_arpa(path, file)
    except OSError as error:
        raise DataError(f"{path} cannot be read as a language model: {error.strerror or error}; {MENDS}") from error
    return [word for word in words if word not in SPECIAL]


def _of_arpa(path: Path, file: BinaryIO) -> list[str]:
    file.seek(0)
    section = next((n for n in range(100) if file.readline(10_000).strip() == b"\\1-grams:"), None)
    if section is None:
        raise DataError(f"{path} is no language model, neither ARPA nor KenLM's binary: {MENDS}")
    words: list[str] = []
    for number, line in enumerate(file, section + 2):
        cells = line.split()
        if not cells or cells[0].startswith(b"\\"):
            return words
        try:
            words.append(cells[1].decode())
        except (IndexError, UnicodeDecodeError) as error:
            raise DataError.at(path, number, f"this is no line of an ARPA file in UTF-8: {MENDS}") from error
    raise DataError(f"{path} ends among its words: it was cut off, {MENDS}")


def _of_binary(path: Path, file: BinaryIO) -> list[str]:
    file.seek(0)
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data, suppress(struct.error, IndexError):
        # Order (char), probing multiplier (float), type (int), has_vocabulary (bool), version (int), then counts.
        told, count = data[SANITY + 12], struct.unpack_from("<Q", data, SANITY + 20)[0]
        if not told:
            raise DataError(f"{path} was built without its words: name them with --words FILE, or build it without -v")
        # They stand after all else, NUL behind each, the unknown word first.
        place = data.rfind(b"<unk>\0")
        words = data[place:].split(b"\0")[:count] if place >= 0 else []
        if words and len(words) == count:
            return [word.decode("utf-8", "replace") for word in words]
    raise DataError(f"{path} is a damaged language model, or of another version: {MENDS}")
