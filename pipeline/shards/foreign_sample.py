"""A foreign sample: what the members of one key mean in a webdataset shard that somebody else has made.

    talk-7.flac talk-7.json      {"text": "mister quilter is", "speaker_id": 12, "lang": "en"}
    talk-8.wav talk-8.txt        the transcript alone

A key is a member's name up to the first dot of its last part, as webdataset has it; extensions are lower-cased.
Texts are taken as they are, less the line end of a text file.
"""

import itertools
import json
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from ...manifests import COLUMNS
from ...manifests.utterance import check_text
from ..screen import Reason

AUDIO = frozenset(
    "aac aif aifc aiff amr au caf flac m4a mp3 mp4 nist oga ogg opus snd sph wav wave webm wma".split()  # noqa: SIM905
)
"""Extensions of sound. What it is in truth, its content tells."""
TEXT_FIELDS = ("text", "transcript", "transcription", "sentence", "normalized_text")
"""Where a JSON member may have the transcript; the first that is not blank is it."""
TEXT_MEMBERS = ("transcript", "transcription", "normalized.txt", "text", "lab", "original.txt")
"""Extensions of further text files, asked when neither a `.txt` nor a `.json` has a text."""
SPEAKER_FIELDS = ("speaker", "speaker_id", "spk")
KEY = "key"
"""The column that has a sample's key where that cannot be its id."""
_RESERVED = frozenset((*COLUMNS, KEY))
_META = re.compile(r"__[^/]*__(?:/|\Z)")
_JSON = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
"""Numbers stay as they are written, for a column is text."""

Refused = tuple[Reason, str]
"""Why a sample cannot be used, and in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the members of a key tell besides the sound."""

    audio: str
    """The extension of the member that is the sound."""
    transcript: str
    speaker: str = ""
    extras: tuple[tuple[str, str], ...] = ()
    """Further scalars of the JSON; one that has a name of ours is called `original_...`."""


def spelt(name: str) -> str:
    """A name that was no UTF-8 with marks in place of what cannot be written."""
    return name if name.isascii() else name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def split(name: str) -> tuple[str, str] | None:
    """Key and extension of a member; None for what belongs to no sample: `README`, `a/._b.wav`, `__info__/c.json`."""
    folder, slash, last = name.rpartition("/")
    stem, dot, extension = last.partition(".")
    if not stem or not dot or _META.match(name):
        return None
    return f"{folder}{slash}{stem}", extension.lower()


def told(key: str, extensions: Collection[str], read: Callable[[str], bytes]) -> Told | Refused:
    """What the members of `key` tell, or why it is no sample; `read` brings a member by its extension."""
    # `talk.12.5.wav` has the key `talk`: if it is the only one of that key, what it means is still plain.
    plain = [one for one in extensions if one in AUDIO] or [one for one in extensions if _last(one) in AUDIO]
    if not plain:
        return Reason.NO_AUDIO, f"no member is audio: {_listed(extensions)}"
    if len(plain) > 1:
        return Reason.BAD_ROW, f"{len(plain)} members are audio: {_listed(plain)}; a key ends at a name's first dot"
    prefix = plain[0].removesuffix(_last(plain[0]))

    def member(name: str) -> str | None:
        found = next((one for one in (prefix + name, name) if one in extensions), None)
        return None if found is None else _text(found, read(found))

    try:
        return _told(key, plain[0], member)
    except (ValueError, RecursionError) as error:
        return Reason.BAD_ROW, str(error)


def _told(key: str, audio: str, member: Callable[[str], str | None]) -> Told | Refused:
    facts = _scalars(member("json"))
    transcript = next((text for text in _texts(facts, member) if text.strip()), None)
    if transcript is None:
        blank = any(True for _ in _texts(facts, member))
        return (Reason.EMPTY_TEXT, "no words") if blank else (Reason.NO_TEXT, "no member has a text")
    speaker = next((name for name in SPEAKER_FIELDS if facts.get(name)), "speaker")
    # What a column of ours says already needs no second one; how long it is, is measured.
    known = {"id": key, **dict.fromkeys(TEXT_FIELDS, transcript)}
    extras = dict[str, str]()
    for name, value in facts.items():
        if name in ("duration", speaker) or known.get(name) == value:
            continue
        while name in _RESERVED or name in extras:
            name = f"original_{name}"
        extras[name] = value
    who = facts.get(speaker, "")
    for name, value in (
        ("the text", transcript),
        ("the speaker", who),
        *extras.items(),
        *(("a field's name", name) for name in facts),
    ):
        check_text(name, value)
    return Told(audio=audio, transcript=transcript, speaker=who, extras=tuple(extras.items()))


def _texts(facts: dict[str, str], member: Callable[[str], str | None]) -> Iterator[str]:
    """All that may be the transcript, the likeliest first."""
    found = itertools.chain([member("txt")], map(facts.get, TEXT_FIELDS), map(member, TEXT_MEMBERS))
    return (text for text in found if text is not None)


def _scalars(text: str | None) -> dict[str, str]:
    """The strings, numbers and truth values of a JSON object, as text."""
    value = {} if text is None else _JSON.decode(text)
    if not isinstance(value, dict):
        raise ValueError("its .json is not a JSON object")
    return {
        name: one if isinstance(one, str) else str(one).lower()
        for name, one in value.items()
        if isinstance(one, str | bool)
    }


def _text(name: str, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"its .{name} is not UTF-8") from error


def _listed(extensions: Collection[str]) -> str:
    return ", ".join(f".{one}" for one in sorted(extensions))


def _last(extension: str) -> str:
    return extension.rpartition(".")[2]
