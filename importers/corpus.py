"""The contract of an importer: what a corpus is made of, and one function that reads its text files."""

import fnmatch
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from ..manifests import BadRow, Utterance


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """One file as its publisher offers it."""

    url: str
    bytes: int | None
    """Published size; None where the publisher does not tell."""
    digest: str
    """As published, with its algorithm: `md5:...` or `sha256:...`."""

    @property
    def name(self) -> str:
        """File name, the last part of the URL."""
        return PurePosixPath(self.url).name

    @property
    def is_tar(self) -> bool:
        """Whether it holds members; a plain file is its own only member."""
        return self.name.endswith((".tar", ".tar.gz", ".tgz"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece of a corpus that becomes one manifest."""

    name: str
    archives: tuple[Archive, ...]


@dataclass(frozen=True, slots=True)
class TextFile:
    """A text member of a corpus, whole."""

    name: str
    data: bytes

    def lines(self) -> Iterator[tuple[str, str]]:
        """Each line that is not blank with its place, as ("folder/1-2.trans.txt:7", "1-2-0006 SOME WORDS").

        Only LF and CRLF end a line. Bytes that are not UTF-8 become lone surrogates, which no Utterance
        takes: such a line becomes a BadRow and the lines around it live.
        """
        for number, line in enumerate(self.data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
            text = line.removesuffix(b"\r").decode("utf-8", errors="surrogateescape")
            if text.strip():
                yield f"{self.name}:{number}", text


Rows = Iterator[Utterance | BadRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """All that dsprep knows of one corpus: data, and ONE function. No network, no audio, no writing."""

    name: str
    """What users type: `librispeech`."""
    title: str
    homepage: str
    licence: str
    parts: tuple[Part, ...]
    layout: str
    """A specimen of its files, for the error that says what was looked for."""
    texts: str
    """Which members are text, as a pattern over "/" + name; `*` crosses folders, `{part}` is the part's name."""
    audio: str
    """Which members are audio, likewise."""
    read: Callable[[Sequence[TextFile]], Rows]
    """The text files of one part, in the corpus's order, to its rows."""

    def part(self, name: str) -> Part:
        """The part of that name; KeyError if there is none."""
        return {part.name: part for part in self.parts}[name]

    def is_text(self, part: Part, member: str) -> bool:
        """Whether `member`, a path in an archive or folder, is a text file of `part`."""
        return fnmatch.fnmatchcase("/" + member, self.texts.format(part=part.name))

    def is_audio(self, part: Part, member: str) -> bool:
        """Whether `member` is an audio file of `part`."""
        return fnmatch.fnmatchcase("/" + member, self.audio.format(part=part.name))


def row(place: str, **fields: Any) -> Utterance | BadRow:
    """The utterance of `fields`, or the bad row at `place` if they are not one."""
    try:
        return Utterance(**fields)
    except ValueError as error:
        return BadRow(place=place, detail=str(error))
