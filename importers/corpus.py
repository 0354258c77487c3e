"""The contract of an importer: what a corpus is made of, and one function that reads its text files."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, BinaryIO, Protocol

from ..manifests import ID, BadRow, Utterance, cleaned

TARS = (".tar", ".tar.gz", ".tgz", ".tar.tar")
"""How the names of tars end; Common Voice 1 to 4 has `.tar.tar`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """One file as its publisher offers it."""

    url: str
    bytes: int | None
    """Published size; None where the publisher does not tell."""
    digest: str
    """As published, with its algorithm: `md5:...` or `sha256:...`; empty if none is."""

    @property
    def name(self) -> str:
        """File name, the last part of the URL."""
        return PurePosixPath(self.url).name

    @property
    def is_archive(self) -> bool:
        """Whether it holds members; a plain file is its own only member."""
        return self.name.endswith((*TARS, ".zip"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece of a corpus that becomes one manifest."""

    name: str
    archives: tuple[Archive, ...] = ()
    """What is to be fetched for it; parts with the same archives are read in one go. None: the user brings them."""
    folder: str = ""
    """What `{part}` in the corpus's patterns stands for, if that is not the name."""


@dataclass(frozen=True, slots=True)
class TextFile:
    """A text member of a corpus, read line by line: a table of Common Voice has half a gigabyte."""

    name: str
    open: Callable[[], BinaryIO]

    def lines(self) -> Iterator[tuple[str, str]]:
        """Each line that is not blank with its place, as ("folder/1-2.trans.txt:7", "1-2-0006 SOME WORDS").

        Only LF and CRLF end a line. Bytes that are not UTF-8 become lone surrogates, which no Utterance
        takes: such a line becomes a BadRow and the lines around it live.
        """
        with self.open() as file:
            for number, line in enumerate(file, 1):
                line = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
                text = line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", errors="surrogateescape")
                if text.strip(" "):
                    yield f"{self.name}:{number}", text

    @property
    def path(self) -> PurePosixPath:
        """Its name, to be taken apart."""
        return PurePosixPath(self.name)


class AudioFiles(Protocol):
    """The audio files of a source, by name, however many."""

    def __contains__(self, name: str) -> bool: ...

    def with_stem(self, stem: str) -> list[str]:
        """Names of all files of that stem, in any folder and of any extension, sorted."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What an importer is given: what its sources hold."""

    parts: tuple[str, ...]
    """The parts that are asked for; rows of others do no harm."""
    texts: Sequence[TextFile]
    audio: AudioFiles


Row = tuple[str, Utterance | BadRow]
"""The name of a part, and a row of it; an empty name for what is of no part, as a report of bad clips."""
Rows = Iterator[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """All that dsprep knows of one corpus: data, and ONE function. No network, no audio, no writing."""

    name: str
    """What users type: `librispeech`."""
    title: str
    homepage: str
    licence: str
    size: str
    """How much there is to fetch, for people: `61.8 GB`."""
    needs: str = ""
    """What a user must have or do before, empty if dsprep fetches it by itself."""
    parts: tuple[Part, ...]
    layout: str
    """A specimen of its files, for the error that says what was looked for."""
    texts: tuple[str, ...]
    """Which members are text, as patterns over "/" + name; `*` crosses folders, `{part}` is the part's folder."""
    audio: tuple[str, ...]
    """Which members are audio, likewise; a text is never audio."""
    archives: tuple[str, ...] = ()
    """How the archives are called that users bring themselves, as patterns."""
    read: Callable[[Found], Rows]
    """The text files of some parts to their rows."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """Published digests of such archives, as far as they are known here, by file name."""
    profile: str = "plain"
    """The text profile that fits."""

    def part(self, name: str) -> Part:
        """The part of that name; KeyError if there is none."""
        return {part.name: part for part in self.parts}[name]


def row(place: str, **fields: Any) -> Utterance | BadRow:
    """The utterance of `fields`, or the bad row at `place` if they are not one."""
    try:
        return Utterance(**fields)
    except ValueError as error:
        return BadRow(place=place, detail=str(error), audio=str(fields.get("audio", "")))


def made_id(name: str) -> str:
    """`name` as an id: itself if it can be one, else what can be kept of it and a digest of all of it."""
    if ID.fullmatch(name):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    kept = cleaned(name)[:64]
    return f"{kept}-{digest}" if kept else digest


def nearest(candidates: Sequence[str], folder: PurePosixPath) -> str | None:
    """The name that shares most folders with `folder`, the first of equals; None if there is none."""

    def shared(name: str) -> int:
        pairs = zip(PurePosixPath(name).parent.parts, folder.parts, strict=False)
        return next((count for count, (one, other) in enumerate(pairs) if one != other), len(folder.parts))

    return max(sorted(candidates), key=shared, default=None)
