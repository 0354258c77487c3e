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
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..importers import Corpus, Part, TextFile
from ..manifests import Progress, SourceError, silent
from .archive import content, members, open_tar, reading


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

    def read_surveyed(self) -> bytes:
        """Its bytes, the same that the survey saw.

        Raises:
            SourceError: they are gone or have changed: that is no property of a row, and nothing may be made of it.
        """
        with reading(self.path):
            data = self.read()
            stamp = None if self.stamp is None else self.path.stat().st_mtime_ns
        if len(data) != self.size or stamp != self.stamp:
            raise changed(self.path)
        return data


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
class Survey:
    """What the sources of one part hold."""

    files: tuple[SourceFile, ...]
    texts: tuple[TextFile, ...]
    audio: dict[str, int | None]
    """Names of the audio files, in the order in which `spans` brings them, each with its `Span.stamp`."""


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
        with reading(source):
            source.stat()
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
    audio: dict[str, int | None] = {}
    for place in places:

        def take(member: Member) -> bool:
            if corpus.is_text(part, member.name):
                texts.append(TextFile(member.name, member.read()))
            elif corpus.is_audio(part, member.name):
                if member.name in audio:
                    raise SourceError(f"{place.path} holds {member.name} twice")  # noqa: B023 - called within the loop
                audio[member.name] = member.stamp
            else:
                return False
            return True

        walk = _walk_folder if place.path.is_dir() else _walk_plain if place.plain else _walk_tar
        files.append(walk(place, take, progress))
    return Survey(tuple(files), tuple(texts), audio)


def spans(place: Place, wanted: Mapping[str, int | None], keep: Callable[[bytes], Span]) -> Iterator[tuple[str, Span]]:
    """The bytes of each wanted member of `place`, in survey order; `wanted` is of names and their stamps.

    Members of a compressed tar go through `keep`, which puts them into a file of our own; all others are
    referred to where they lie.
    """
    if place.path.is_dir():
        for name, path in _files_below(place.path):
            if name in wanted:
                yield name, Span(path, 0, path.stat().st_size, wanted[name])
    elif place.plain:
        if place.path.name in wanted:
            yield place.path.name, Span(place.path, 0, place.path.stat().st_size, wanted[place.path.name])
    else:
        with open_tar(place.path, "", silent) as (tar, stream):
            for member in members(tar, stream, place.path):
                name = _name(member)
                if name in wanted and stream.compressed:
                    yield name, keep(content(tar, member))
                elif name in wanted:
                    yield name, Span(place.path, member.offset_data, member.size, wanted[name])


@dataclass(frozen=True, slots=True)
class Member:
    """A file that a walk comes by."""

    name: str
    stamp: int | None
    read: Callable[[], bytes]


Take = Callable[[Member], bool]
"""Looks at a member, reads it if it is text; whether it belongs to the part."""


def _archive_in(name: str, sources: Sequence[Path]) -> Path | None:
    """The archive of that name, also if its gzip was taken off."""
    for source in sources:
        for spelling in (name, name.removesuffix(".gz")):
            path = source / spelling if source.is_dir() else source
            if path.name == spelling and path.is_file():
                return path
    return None


def _walk_plain(place: Place, take: Take, progress: Progress) -> SourceFile:
    with reading(place.path):
        stamp, data = place.path.stat().st_mtime_ns, place.path.read_bytes()
    take(Member(place.path.name, stamp, lambda: data))
    algorithm = (place.digest or "sha256:").partition(":")[0]
    digest = f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"
    return SourceFile(place.path.name, len(data), digest, digest == place.digest if place.digest else None)


def _walk_folder(place: Place, take: Take, progress: Progress) -> SourceFile:
    """A folder's digest is the sha256 of lines `sha256  name` over the files that were taken."""
    total, size = hashlib.sha256(), 0
    for name, path in _files_below(place.path):
        with reading(path):
            if not take(Member(name, path.stat().st_mtime_ns, path.read_bytes)):
                continue
            data = path.read_bytes()
        total.update(f"{hashlib.sha256(data).hexdigest()}  {name}\n".encode("utf-8", "surrogateescape"))
        size += len(data)
        progress(f"reading {place.path.name}", size, 0, "B")
    return SourceFile(shown(place.path.resolve().name), size, f"sha256:{total.hexdigest()}", None)


def _walk_tar(place: Place, take: Take, progress: Progress) -> SourceFile:
    algorithm = (place.digest or "sha256:").partition(":")[0]
    with open_tar(place.path, algorithm, progress) as (tar, stream):
        stamp = None if stream.compressed else place.path.stat().st_mtime_ns
        for member in members(tar, stream, place.path):
            name = _name(member)
            taken = take(Member(name, stamp, lambda member=member: content(tar, member)))  # type: ignore[misc]
            if taken and (member.issparse() or not member.isreg()):
                raise SourceError(
                    f"{place.path}: {name} is a link or a sparse file, which is not followed in an archive: "
                    "unpack it, and import the folder"
                )
        digest = stream.digest()
    size = place.path.stat().st_size
    return SourceFile(shown(place.path.name), size, digest, digest == place.digest if place.digest else None)


def _name(member: tarfile.TarInfo) -> str:
    """A member's name without the `./` and `//` that some archives have."""
    return str(PurePosixPath(member.name))


def _files_below(root: Path) -> Iterator[tuple[str, Path]]:
    """Each file with its name, which begins with the root's own, in sorted order; hidden files are not ours."""
    top = root.resolve()

    def refuse(error: OSError) -> None:
        raise SourceError(f"cannot read {error.filename}: {error.strerror}") from error

    for folder, folders, files in os.walk(top, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(folder, name)
            if not name.startswith(".") and path.is_file():
                yield path.relative_to(top.parent).as_posix(), path


def shown(text: str) -> str:
    """`text` with what UTF-8 cannot write, from file names of other encodings, as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()
