"""A foreign tar: the samples in a webdataset shard that somebody else has made, found by its headers.

    talk-7.flac talk-7.json | talk-8.flac talk-8.json     the members of a key lie together

Texts are read, audio is left where it is: a row says at which byte it begins. A tar is read to its proper end or not at
all. tarfile, and webdataset with it, takes any block that is no header for the end, and brings fewer samples.
"""

import itertools
import os
import tarfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from ...manifests import DataError
from ..archive import UNREAD
from ..screen import Reason, unheard
from ..sound.length import exact_seconds
from ..sound.unreadable import Unreadable
from .foreign_sample import Told, spelt, split, told

BLOCK = 1 << 20
"""Bytes of the end to read at a time."""
MOST_TEXT = 1 << 24
"""Bytes of a text or JSON member; more are no transcript."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file in a tar."""

    name: str
    offset: int
    """Byte at which its content begins."""
    size: int
    plain: bool
    """Whether its content lies there as it is: not that of a link, a sparse file, a device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A sample that can be used."""

    key: str
    told: Told
    offset: int
    """Byte at which its audio begins."""
    size: int
    """Bytes of audio."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Left:
    """A sample that cannot be used."""

    key: str
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """All that a tar holds: each of its samples is a row or is left out."""

    rows: tuple[Row, ...]
    left: tuple[Left, ...]
    strays: int
    """Files that belong to no sample."""


@dataclass(slots=True)
class _Group:
    """Members of one key that lie together."""

    key: str
    members: dict[str, Member] = field(default_factory=dict)
    """By extension."""
    doubled: str = ""


def scan(path: Path) -> Scanned:
    """The samples of the tar at `path`.

    Raises:
        DataError: it is cut off, damaged or compressed, with the byte where that shows.
    """
    try:
        with path.open("rb", buffering=0) as file:
            named = [(split(member.name), member) for member in members(file, path)]
            groups = list(_grouped(named))
            times = Counter(group.key for group in groups)
            outcomes = [_outcome(group, times[group.key], cast(BinaryIO, file)) for group in groups]
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    return Scanned(
        rows=tuple(one for one in outcomes if isinstance(one, Row)),
        left=tuple(one for one in outcomes if isinstance(one, Left)),
        strays=sum(name is None for name, _ in named),
    )


def members(file: BinaryIO, path: Path) -> Iterator[Member]:
    """The files in a tar, by its headers alone, then proof that it has reached its end.

    Raises:
        DataError: it is cut off, damaged or compressed, with the byte where that shows.
    """
    total, place = os.fstat(file.fileno()).st_size, 0
    _refuse_compressed(file.read(8), path)
    file.seek(0)
    with _damage(path, lambda: place), tarfile.open(fileobj=file, mode="r:", encoding="utf-8") as tar:
        while (member := tar.next()) is not None:
            place = member.offset
            if member.isreg() and member.offset_data + (0 if member.issparse() else member.size) > total:
                raise tarfile.ReadError(f"{member.name} has {member.size} bytes there, and the file ends before")
            tar.members.clear()  # type: ignore[attr-defined]  # tarfile would keep them all
            if not member.isdir():
                plain = member.isreg() and not member.issparse()
                yield Member(spelt(member.name), member.offset_data, member.size, plain)
        place = tar.offset
        _check_end(file, place)


def _check_end(file: BinaryIO, place: int) -> None:
    """After its last member a whole tar has a block of zeros, and nothing else up to its end."""
    end = os.pread(file.fileno(), tarfile.BLOCKSIZE, place)
    if len(end) < tarfile.BLOCKSIZE:
        raise tarfile.ReadError("it ends without a tar's end: it was cut off, or its writer was never closed")
    if end.strip(b"\0"):
        raise tarfile.ReadError("what is there is no header")
    while block := os.pread(file.fileno(), BLOCK, place):
        if rest := block.lstrip(b"\0"):
            raise tarfile.ReadError(f"its end is there, but more follows at byte {place + len(block) - len(rest)}")
        place += len(block)


@contextmanager
def _damage(path: Path, place: Callable[[], int]) -> Iterator[None]:
    """Say where a tar is damaged, whatever it was that tarfile raised."""
    try:
        yield
    except (tarfile.TarError, ValueError, OverflowError, RecursionError) as error:
        raise DataError(f"{path} is damaged at byte {place()}: {error}; make or fetch it again") from error


def _refuse_compressed(head: bytes, path: Path) -> None:
    known = {b"\x1f\x8b": "gzip", **UNREAD}
    if kind := next((kind for magic, kind in known.items() if head.startswith(magic)), None):
        stream = ", or train with --stream" if kind == "gzip" else ""
        raise DataError(f"{path} is compressed by {kind}, so no sample of it can be read alone: unpack it{stream}")


def _grouped(named: Iterable[tuple[tuple[str, str] | None, Member]]) -> Iterator[_Group]:
    samples = ((*name, member) for name, member in named if name)
    for key, run in itertools.groupby(samples, key=lambda one: one[0]):
        group = _Group(key)
        for _, extension, member in run:
            if extension in group.members:
                group.doubled = member.name
            group.members[extension] = member
        yield group


def _outcome(group: _Group, times: int, file: BinaryIO) -> Row | Left:
    """The sample that a group is, or why it is none."""
    if times > 1:
        what = f"its key begins {times} times in this tar: a key's members must lie together, and be there once"
        return Left(group.key, Reason.DUPLICATE_ID, what)
    if group.doubled:
        return Left(group.key, Reason.BAD_ROW, f"two members are called {group.doubled}")
    if odd := next((one for one in group.members.values() if not one.plain), None):
        return Left(group.key, Reason.BAD_ROW, f"{odd.name} is a link, a sparse file or a device")
    found = told(group.key, group.members, lambda extension: _content(file, group.members[extension]))
    if not isinstance(found, Told):
        return Left(group.key, *found)
    audio = group.members[found.audio]
    try:
        file.seek(audio.offset)
        seconds = exact_seconds(file, audio.size)
    except Unreadable as error:
        return Left(group.key, unheard(error), str(error))
    if not seconds:
        return Left(group.key, Reason.TOO_SHORT, "it holds no sound")
    return Row(key=group.key, told=found, offset=audio.offset, size=audio.size, seconds=seconds)


def _content(file: BinaryIO, member: Member) -> bytes:
    if member.size > MOST_TEXT:
        raise ValueError(f"{member.name} has {member.size} bytes, too many for a text")
    return os.pread(file.fileno(), member.size, member.offset)
