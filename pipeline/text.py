"""Text profiles: named, pure rules from a corpus's own words to a transcript.

    plain             “Mister O'Hara—well,”     ->  "mister o'hara well"
    deepspeech-0.1    "Twenty-one cafés."         ->  "twentyone cafes"
    deepspeech.pytorch "She had your dark suit"   ->  "SHE HAD YOUR DARK SUIT"
    verbatim          "  She  had: "              ->  "She had:"

A profile never drops a row: text that cannot be a transcript raises Unspoken, and the row is a counted rejection.
"""

import functools
import re
import unicodedata
from collections.abc import Callable

APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u201b\u02bc\u00b4`", "'"))


class Unspoken(ValueError):
    """The text is not what was said: it holds digits or mark-up."""


def verbatim(text: str) -> str:
    """NFC, and one space where there were several; nothing else."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def plain(text: str) -> str:
    """Lower-case words in NFC, of any script: no punctuation but apostrophes within or at the end of words.

    Raises:
        Unspoken: there are digits, which were not spoken as such.
    """
    text = verbatim(text).translate(APOSTROPHES).lower()
    if digit := re.search(r"\d", text):
        raise Unspoken(f"digit {digit[0]!r}: numbers must be written as spoken")
    # lower() can decompose ("İ"), so NFC once more; symbols and punctuation become breaks between words.
    kept = "".join(map(_letter_or_space, unicodedata.normalize("NFC", text)))
    return " ".join(word for word in kept.split() if word.strip("'"))


@functools.cache
def _letter_or_space(character: str) -> str:
    return character if character == "'" or unicodedata.category(character)[0] in "LMN" else " "


def deepspeech_0_1(text: str) -> str:
    """What mozilla/DeepSpeech 0.1 made of LibriSpeech and LDC93S1 (bin/import_librivox.py, util/text.py).

    NFKD, ASCII only, then `validate_label`: refused with digits or any of `( < [ ] & * {`; hyphens,
    underscores, full stops, commas and question marks deleted; stripped and lower-case.

    Raises:
        Unspoken: validate_label refuses it.
    """
    text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    if refused := re.search(r"[0-9(<\[\]&*{]", text):
        raise Unspoken(f"character {refused[0]!r}")
    return re.sub(r"[-_.,?]", "", text).strip().lower()


def deepspeech_pytorch(text: str) -> str:
    """What SeanNaren/deepspeech.pytorch makes of every corpus (data/librispeech.py): stripped, upper-case."""
    return unicodedata.normalize("NFC", text.strip().upper())


PROFILES: dict[str, Callable[[str], str]] = {
    "plain": plain,
    "deepspeech-0.1": deepspeech_0_1,
    "deepspeech.pytorch": deepspeech_pytorch,
    "verbatim": verbatim,
}
