"""Survey: all of a section's sources read once, from end to end, before anything is made of them.

It brings their digests and the proof that they are whole, the text files, and the list of the audio files with
what the first bytes of each tell: how long it is, about, and whether it needs ffmpeg.
"""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from ..importers import TextFile
from ..manifests import Progress, SourceError
from .archive import BLOCK, content, members, open_tar, plain_name, reading
from .commit import temporary_name, write_all, writing
from .hashing import digests, sha256_of
from .ledger import Audio, Ledger
from .sound.probe import HEAD, probe
from .source import Place, Section, SourceFile, Span, files_below, shown
from .zips import is_link, open_zip, read_through, stored_at
from .zips import members as zip_members


class Texts:
    """The text files of a source, copied one after the other into a file of our own."""

    def __init__(self, out: Path) -> None:
        self.path = temporary_name(out / "texts")
        self.files: list[TextFile] = []
        self._names: set[str] = set()
        with writing(self.path):
            self._file = self.path.open("xb", buffering=0)

    def keep(self, name: str, file: BinaryIO) -> bool:
        """Copy a text file to its end; whether it is the first of its name.

        Raises:
            OutputError: there is no room for it.
        """
        if name in self._names:
            return False
        self._names.add(name)
        start = self._file.tell()
        while block := file.read(BLOCK):
            with writing(self.path):
                write_all(self._file, block)
        self.files.append(TextFile(name, Span(self.path, start, self._file.tell() - start).open))
        return True

    def close(self) -> None:
        """Throw them away."""
        self._file.close()
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Member:
    """A file that a walk comes by."""

    name: str
    size: int
    byte: int | None
    """Where its bytes begin in the file that it is in; None if they must be inflated first."""
    stamp: int
    """When the file that it is in was changed last, in ns."""
    linked: bool
    """A link or a sparse file: what its bytes are cannot be told."""
    open: Callable[[], BinaryIO]
    """Its bytes, to be read before the next member is looked at."""


Take = Callable[[Member], bool]
"""Looks at a member; whether it belongs to the section."""


def survey(
    section: Section, places: Sequence[Place], book: Ledger, texts: Texts, progress: Progress
) -> tuple[SourceFile, ...]:
    """Read all of `places` once: audio files into the ledger, texts into `texts`; what was read.

    Raises:
        SourceError: an archive is cut off, damaged, or names a member twice; a file cannot be read.
    """
    kinds = section.kinds()

    def taking(place: Place, index: int) -> Take:
        def take(member: Member) -> bool:
            if not (is_text := kinds.is_text(member.name)) and not kinds.is_audio(member.name):
                return False
            if member.linked:
                raise SourceError(
                    f"{place.path}: {member.name} is a link or a sparse file, which is not followed in an archive: "
                    "unpack it, and import the folder"
                )
            with closing(member.open()) as file:
                if is_text:
                    new = texts.keep(member.name, file)
                else:
                    new = book.add_audio(_audio(member, index, file.read(HEAD)))
            if not new:
                raise SourceError(
                    f"{place.path} holds {member.name}, which was there before: name each file once; "
                    "of folders with the same name, name the ones above them; import archives with the same names "
                    "one at a time"
                )
            return True

        return take

    found = tuple(_walk(place, taking(place, index), progress) for index, place in enumerate(places))
    book.index()
    return found


def identify(section: Section, places: Sequence[Place], progress: Progress) -> tuple[SourceFile, ...]:
    """What `survey` would say of `places`, by their bytes on disk alone: nothing is inflated or proven."""
    kinds = section.kinds()

    def take(member: Member) -> bool:
        return kinds.is_text(member.name) or kinds.is_audio(member.name)

    return tuple(
        _walk_folder(place, take, progress)
        if place.path.is_dir()
        else _source_file(place, _digest(place.path, place.algorithm, progress))
        for place in places
    )


def _audio(member: Member, place: int, head: bytes) -> Audio:
    told = probe(head, member.size)
    return Audio(
        name=member.name,
        place=place,
        byte=member.byte,
        size=member.size,
        stamp=member.stamp,
        seconds=told.seconds,
        ffmpeg=told.needs_ffmpeg,
    )


def _walk(place: Place, take: Take, progress: Progress) -> SourceFile:
    if place.path.is_dir():
        return _walk_folder(place, take, progress)
    if place.plain:
        return _walk_plain(place, take, progress)
    return _walk_zip(place, take, progress) if place.is_zip else _walk_tar(place, take, progress)


def _walk_plain(place: Place, take: Take, progress: Progress) -> SourceFile:
    with reading(place.path):
        take(_member(place.path.name, place.path))
        return _source_file(place, _digest(place.path, place.algorithm, progress))


def _walk_folder(place: Place, take: Take, progress: Progress) -> SourceFile:
    """A folder's digest is the sha256 of lines `sha256  name` over the files that were taken."""
    total, size = hashlib.sha256(), 0
    for name, path in files_below(place.path):
        with reading(path):
            member = _member(name, path)
            if not take(member):
                continue
            digest = sha256_of(path)
        total.update(f"{digest}  {name}\n".encode("utf-8", "surrogateescape"))
        size += member.size
        progress(f"reading {place.path.name}", size, 0, "B")
    return SourceFile(shown(place.path.resolve().name), size, f"sha256:{total.hexdigest()}", None)


def _member(name: str, path: Path) -> Member:
    found = path.stat()
    return Member(name, found.st_size, 0, found.st_mtime_ns, False, lambda: path.open("rb"))


def _walk_tar(place: Place, take: Take, progress: Progress) -> SourceFile:
    with open_tar(place.path, place.algorithm, progress) as (tar, stream):
        stamp = place.path.stat().st_mtime_ns
        for info in members(tar, stream, place.path):
            byte = None if stream.compressed else info.offset_data
            linked = info.issparse() or not info.isreg()
            take(Member(plain_name(info.name), info.size, byte, stamp, linked, partial(content, tar, info)))
        digest = stream.digest()
    return _source_file(place, digest)


def _walk_zip(place: Place, take: Take, progress: Progress) -> SourceFile:
    stamp = place.path.stat().st_mtime_ns
    with open_zip(place.path) as archive, place.path.open("rb") as raw:
        for info in zip_members(archive, place.path):
            byte = stored_at(info, raw)
            member = Member(
                plain_name(info.filename),
                info.file_size,
                byte,
                stamp,
                is_link(info),
                partial(archive.open, info),  # type: ignore[arg-type]
            )
            if take(member):
                with archive.open(info) as file:
                    read_through(file)
    return _source_file(place, _digest(place.path, place.algorithm, progress))


def _source_file(place: Place, digest: str) -> SourceFile:
    return SourceFile(shown(place.path.name), place.path.stat().st_size, digest, place.is_published(digest))


def _digest(path: Path, algorithm: str, progress: Progress) -> str:
    with reading(path):
        return f"{algorithm}:{digests(path, [algorithm], f'hashing {path.name}', progress)[algorithm]}"
