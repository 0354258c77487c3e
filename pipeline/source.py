"""Source: where the files of a corpus lie, read in place. Nothing is ever unpacked under its own name.

    train-clean-100.tar.gz     streamed; audio passes to the workers through a spool file of our own naming
    train-clean-100.tar        streamed; workers read their bytes out of the tar itself
    LibriSpeech/               walked; workers read the files

A source is read twice: `survey` hashes all of it, checks that it is whole and brings the text files and the
list of the audio files; `spans` then brings the audio, as references to bytes on disk.
"""

import hashlib
import os
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ..importers import Corpus, Part, TextFile
from ..manifests import Progress, SourceError, silent
from .archive import content, members, open_tar, reading


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of bytes in a file: what a worker is given in place of audio."""

    path: Path
    offset: int
    size: int

    def read(self) -> bytes:
        """Its bytes; OSError if they are not there."""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return file.read(self.size)


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
class Survey:
    """What the sources of one part hold."""

    files: tuple[SourceFile, ...]
    texts: tuple[TextFile, ...]
    audio: tuple[str, ...]
    """Names of the audio files, in the order in which `spans` brings them."""


@dataclass(frozen=True, slots=True)
class Place:
    """A tar, or files below a folder, in which a part was found."""

    path: Path
    digest: str | None = None
    """As published."""
    plain: bool = False
    """A file that is its own only member."""


def find(corpus: Corpus, part: Part, sources: Sequence[Path]) -> list[Place]:
    """Where the archives of `part` are among `sources`: files, folders of archives, unpacked folders.

    Raises:
        SourceError: a source does not exist, or the part is in none of them.
    """
    for source in sources:
        if not source.exists():
            raise SourceError(f"there is no {source}: --source takes an archive, a folder or a URL")
    found = [(archive, _archive_in(archive.name, sources)) for archive in part.archives]
    if all(path for _, path in found):
        return [Place(path, archive.digest, not archive.is_tar) for archive, path in found if path]
    folders = [source for source in sources if source.is_dir()]
    if folders:
        return [Place(folder) for folder in folders]
    files = [source for source in sources if source.is_file()]
    if len(files) == len(part.archives) == 1 and part.archives[0].is_tar:
        return [Place(files[0], part.archives[0].digest)]
    missing = ", ".join(archive.name for archive, path in found if not path)
    raise SourceError(f"{corpus.name} {part.name}: {missing} is not among {', '.join(map(str, sources))}")


def survey(corpus: Corpus, part: Part, places: Sequence[Place], progress: Progress = silent) -> Survey:
    """Read all of `places` once: digests, text files, names of audio files.

    Raises:
        SourceError: an archive is cut off, damaged, or names a member twice; a file cannot be read.
    """
    files: list[SourceFile] = []
    texts: list[TextFile] = []
    audio: list[str] = []
    for place in places:

        def take(name: str, size: int, read: Callable[[], bytes]) -> None:
            if corpus.is_text(part, name):
                texts.append(TextFile(name, read()))
            elif corpus.is_audio(part, name):
                audio.append(name)

        walk = _walk_folder if place.path.is_dir() else _walk_plain if place.plain else _walk_tar
        files.append(walk(place, take, progress))
    if twice := _first_twice(audio):
        raise SourceError(f"{places[0].path} holds {twice} twice")
    return Survey(tuple(files), tuple(texts), tuple(audio))


def spans(place: Place, wanted: Callable[[str], bool], spool: Callable[[int], BinaryIO]) -> Iterator[tuple[str, Span]]:
    """The bytes of each wanted member of `place`, in survey order.

    Members of a compressed tar are copied to the file that `spool(size)` gives, which must be open for
    appending; all others are referred to where they lie.
    """
    if place.path.is_dir():
        for name, path in _files_below(place.path):
            if wanted(name):
                yield name, Span(path, 0, path.stat().st_size)
    elif place.plain:
        if wanted(place.path.name):
            yield place.path.name, Span(place.path, 0, place.path.stat().st_size)
    else:
        with open_tar(place.path, "", silent) as (tar, stream):
            for member in members(tar, stream, place.path):
                if wanted(member.name):
                    yield (
                        member.name,
                        _member_span(tar, member, place.path, stream.compressed, spool),
                    )


def _member_span(
    tar: tarfile.TarFile,
    member: tarfile.TarInfo,
    path: Path,
    compressed: bool,
    spool: Callable[[int], BinaryIO],
) -> Span:
    if not compressed:
        return Span(path, member.offset_data, member.size)
    file = spool(member.size)
    offset = file.tell()
    file.write(content(tar, member))
    return Span(Path(file.name), offset, member.size)


def _archive_in(name: str, sources: Sequence[Path]) -> Path | None:
    """The archive of that name, also if its gzip was taken off."""
    for source in sources:
        for spelling in (name, name.removesuffix(".gz")):
            path = source / spelling if source.is_dir() else source
            if path.name == spelling and path.is_file():
                return path
    return None


Take = Callable[[str, int, Callable[[], bytes]], None]


def _walk_plain(place: Place, take: Take, progress: Progress) -> SourceFile:
    with reading(place.path):
        data = place.path.read_bytes()
    take(place.path.name, len(data), lambda: data)
    algorithm = (place.digest or "sha256:").partition(":")[0]
    digest = f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"
    return SourceFile(place.path.name, len(data), digest, digest == place.digest if place.digest else None)


def _walk_folder(place: Place, take: Take, progress: Progress) -> SourceFile:
    """A folder's digest is the sha256 of lines `sha256  name` over the files that were taken."""
    total, size = hashlib.sha256(), 0
    for name, path in _files_below(place.path):
        with reading(path):
            data = path.read_bytes()
        take(name, len(data), lambda data=data: data)  # type: ignore[misc]
        total.update(f"{hashlib.sha256(data).hexdigest()}  {name}\n".encode("utf-8", "surrogateescape"))
        size += len(data)
        progress(f"reading {place.path.name}", size, 0, "B")
    return SourceFile(place.path.name, size, f"sha256:{total.hexdigest()}", None)


def _walk_tar(place: Place, take: Take, progress: Progress) -> SourceFile:
    algorithm = (place.digest or "sha256:").partition(":")[0]
    with open_tar(place.path, algorithm, progress) as (tar, stream):
        for member in members(tar, stream, place.path):
            take(member.name, member.size, lambda member=member: content(tar, member))  # type: ignore[misc]
        digest = stream.digest()
    size = place.path.stat().st_size
    return SourceFile(place.path.name, size, digest, digest == place.digest if place.digest else None)


def _files_below(root: Path) -> Iterator[tuple[str, Path]]:
    """Each file with its name, which begins with the root's own, in sorted order; hidden files are not ours."""
    top = root.resolve()
    for folder, folders, files in os.walk(top):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(folder, name)
            if not name.startswith(".") and path.is_file():
                yield path.relative_to(top.parent).as_posix(), path


def _first_twice(names: Sequence[str]) -> str | None:
    seen: set[str] = set()
    return next((name for name in names if name in seen or seen.add(name)), None)  # type: ignore[func-returns-value]
