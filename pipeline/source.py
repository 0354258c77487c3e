"""Source: where the files of a corpus lie, to be read in place. Nothing is ever unpacked under its own name.

    train-clean-100.tar.gz     streamed; audio passes to the workers through a spool file of our own naming
    train-clean-100.tar        streamed; workers read their bytes out of the tar itself
    cv_corpus_v1.zip           read in place; what is deflated passes through a spool file
    LibriSpeech/               walked; workers read the files

Parts of a corpus that come in the same archives are one section: they are surveyed and converted in one go.
"""

import fnmatch
import io
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..importers import TARS, Corpus
from ..manifests import SourceError
from .archive import reading
from .sound.window import Window

ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
"""How a zip begins."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of bytes in a file: what a worker is given in place of audio."""

    path: Path
    offset: int
    size: int
    stamp: int | None = None
    """When the file was changed last, as the survey saw it, in ns; None for a file of our own."""

    def read(self) -> bytes:
        """Its bytes, fewer if the file is shorter; OSError if it is not there."""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return file.read(self.size)

    def open(self) -> io.BufferedReader:
        """A file of these bytes alone."""
        return io.BufferedReader(_Owner(self.path.open("rb", buffering=0), self.offset, self.size))

    def check(self) -> None:
        """Make sure that its bytes are those which the survey saw.

        Raises:
            SourceError: they are gone or have changed: that is no property of a row, and nothing may be made of it.
        """
        with reading(self.path):
            found = self.path.stat()
        if found.st_size < self.offset + self.size or self.stamp not in (None, found.st_mtime_ns):
            raise changed(self.path)


class _Owner(Window):
    """A window that closes its file with itself."""

    def close(self) -> None:
        self._file.close()
        super().close()


def changed(path: Path) -> SourceError:
    """What to say when a source is no longer what the survey saw."""
    return SourceError(f"{path} changed while it was read; type the same command again")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that was read, and what it was."""

    name: str
    size: int
    digest: str
    """`sha256:...` or `md5:...`, as the publisher gives it."""
    published: bool | None
    """Whether the digest is the publisher's; None where he gave none for such a file."""


@dataclass(frozen=True, slots=True)
class Place:
    """An archive, or files below a folder, in which a section was found."""

    path: Path
    digest: str = ""
    """As published; empty if none is."""
    plain: bool = False
    """A file that is its own only member."""

    @property
    def is_zip(self) -> bool:
        """By its first bytes."""
        with reading(self.path), self.path.open("rb") as file:
            return file.read(4) in ZIP

    @property
    def algorithm(self) -> str:
        """Of its digest."""
        return self.digest.partition(":")[0] or "sha256"

    def is_published(self, digest: str) -> bool | None:
        """Whether `digest` is the published one; None if none is."""
        return digest == self.digest if self.digest else None


@dataclass(frozen=True, slots=True)
class Section:
    """Parts of a corpus that come in the same archives."""

    corpus: Corpus
    name: str
    """The part's, if its archives hold no other; else the corpus's."""
    parts: tuple[str, ...]

    def kinds(self) -> "Kinds":
        """Which members are text and which are audio."""
        folders = [part.folder or part.name for part in map(self.corpus.part, self.parts)]
        return Kinds(_any(self.corpus.texts, folders), _any(self.corpus.audio, folders))


@dataclass(frozen=True, slots=True)
class Kinds:
    """Tells text and audio by name."""

    texts: re.Pattern[str]
    audio: re.Pattern[str]

    def is_text(self, member: str) -> bool:
        """Whether `member`, a path in an archive or folder, is a text file."""
        return not _hidden(member) and bool(self.texts.match(f"/{member}"))

    def is_audio(self, member: str) -> bool:
        """Whether `member` is an audio file."""
        return not _hidden(member) and bool(self.audio.match(f"/{member}"))


def sections(corpus: Corpus, parts: Sequence[str]) -> list[Section]:
    """`parts`, put together by their archives."""
    all_of: dict[object, list[str]] = {}
    for part in corpus.parts:
        all_of.setdefault(part.archives, []).append(part.name)
    made = []
    for names in all_of.values():
        if wanted := tuple(name for name in names if name in parts):
            made.append(Section(corpus, names[0] if len(names) == 1 else corpus.name, wanted))
    return made


def find(section: Section, sources: Sequence[Path]) -> list[Place]:
    """Where a section is among `sources`: archives, folders of archives, unpacked folders; nowhere, perhaps.

    Raises:
        SourceError: a source does not exist, or holds the same thing twice.
    """
    for source in sources:
        with reading(source):
            source.stat()
    archives = section.corpus.part(section.parts[0]).archives
    if not archives:
        return [place for source in sources for place in _places(section, source)]
    found = [(archive, _archive_in(archive.name, sources)) for archive in archives]
    if all(path for _, path in found):
        return [Place(path, archive.digest, not archive.is_archive) for archive, path in found if path]
    if folders := [source for source in sources if source.is_dir()]:
        return [Place(folder) for folder in folders]
    files = [source for source in sources if source.is_file()]
    if len(files) == len(archives) == 1 and archives[0].is_archive:
        return [Place(files[0], archives[0].digest)]
    return []


def _places(section: Section, source: Path) -> list[Place]:
    """A source of a corpus whose archives have no fixed names: a folder is either unpacked, or holds archives."""
    published = section.corpus.digests
    if not source.is_dir():
        return [Place(source, published.get(source.name, ""))]
    kinds = section.kinds()
    with reading(source):
        names = sorted(path.name for path in source.iterdir() if path.is_file())
    archives = [name for name in names if any(fnmatch.fnmatch(name, like) for like in section.corpus.archives)]
    unpacked = any(kinds.is_text(name) for name, _ in files_below(source))
    if archives and unpacked:
        raise SourceError(
            f"{source} holds archives ({', '.join(archives[:3])}) and unpacked files of {section.corpus.name} too: "
            "name either the archives or the folder with the files"
        )
    if not archives and not unpacked:
        archives = [name for name in names if name.endswith((*TARS, ".zip"))]
    return [Place(source / name, published.get(name, "")) for name in archives] or [Place(source)]


def _archive_in(name: str, sources: Sequence[Path]) -> Path | None:
    """The archive of that name, also if its gzip was taken off."""
    for source in sources:
        for spelling in (name, name.removesuffix(".gz")):
            path = source / spelling if source.is_dir() else source
            if path.name == spelling and path.is_file():
                return path
    return None


def files_below(root: Path) -> Iterator[tuple[str, Path]]:
    """Each file with its name, which begins with the root's own, in sorted order; hidden files are not ours."""
    top = root.resolve()

    def refuse(error: OSError) -> None:
        raise SourceError(f"cannot read {error.filename}: {error.strerror}") from error

    for folder, folders, files in os.walk(top, onerror=refuse, followlinks=True):
        known = [name for name in folders if not name.startswith(".")]
        folders[:] = sorted(name for name in known if not _leads_back(Path(folder, name), top))
        for name in sorted(files):
            path = Path(folder, name)
            if not name.startswith(".") and path.is_file():
                yield path.relative_to(top.parent).as_posix(), path


def _leads_back(path: Path, top: Path) -> bool:
    """Whether a folder is a link to one that it lies in."""
    if not path.is_symlink():
        return False
    above = [parent for parent in path.parents if parent.is_relative_to(top)]
    return path.resolve() in {parent.resolve() for parent in above}


def path_below(root: Path, name: str) -> Path:
    """Where the file lies that `files_below` gave `name`."""
    return root.resolve().parent / name


def shown(text: str) -> str:
    """`text` with what UTF-8 cannot write, from file names of other encodings, as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def _hidden(member: str) -> bool:
    """Files as `._train.tsv`, which some systems put beside the real ones, and what is in hidden folders."""
    return "/." in f"/{member}"


def _any(patterns: Sequence[str], folders: Sequence[str]) -> re.Pattern[str]:
    ready = {pattern.replace("{part}", folder) for pattern in patterns for folder in folders}
    return re.compile("|".join(fnmatch.translate(one) for one in sorted(ready)))
