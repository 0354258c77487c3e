"""Archive: a tar, gzipped or not, streamed from end to end, and proof that it was whole.

tarfile takes the end of the data, and any later block that is no header, for the end of an archive: one that
was cut off or damaged between two members looks shorter, not wrong. Here its gzip must reach its end, and after
its last member there must be a block of zeros and nothing else. Nothing is ever unpacked.
"""

import hashlib
import io
import tarfile
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from ..manifests import Progress, SourceError

BLOCK = 1 << 16
"""Bytes to read at a time. tarfile copies what is left of a block at each header: 1 MiB takes twice the CPU."""


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Translate what the system, gzip and tar say of a bad archive into a SourceError that names it."""
    try:
        yield
    except (OSError, EOFError) as error:
        raise SourceError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
    except (zlib.error, tarfile.TarError) as error:
        raise SourceError(f"{path} is damaged: {error}; fetch it again") from error


UNREAD = {b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zstd", b"7z\xbc\xaf": "7-Zip", b"Rar!": "RAR"}
"""How files begin that are archives, but none that is read."""
MOST_DEFLATED = 1032
"""Bytes that one byte of deflate can stand for."""


class Stream:
    """The bytes of a tar, gunzipped if need be, counted, and hashed as they lie on disk."""

    def __init__(self, file: BinaryIO, path: Path, algorithm: str, progress: Progress) -> None:
        self._file, self._path, self._progress = file, path, progress
        self._algorithm, self._hash = algorithm, hashlib.new(algorithm) if algorithm else None
        self._total, self._read = path.stat().st_size, 0
        self._head = self._raw()
        if kind := next((kind for magic, kind in UNREAD.items() if self._head.startswith(magic)), None):
            raise SourceError(f"{path} is compressed by {kind}, which is not read: unpack it, and import the folder")
        self.compressed = self._head[:2] == b"\x1f\x8b"
        self._gunzip = zlib.decompressobj(wbits=31) if self.compressed else None
        self._ready = b"" if self.compressed else self._head
        self.largest = self._total * (MOST_DEFLATED if self.compressed else 1)
        """Bytes that a member can have at the most."""
        self._position, self._recent = 0, deque[bytes]()

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, none only at the end. No byte is copied when `size` is a whole block."""
        if not self._ready and not self._fill():
            return b""
        data, self._ready = self._ready[:size], self._ready[size:]
        self._position += len(data)
        self._recent.append(data)
        while sum(map(len, self._recent)) - len(self._recent[0]) > tarfile.BLOCKSIZE:
            self._recent.popleft()
        return data

    def rest(self, position: int) -> Iterator[bytes]:
        """All bytes from `position` on, which must be at most a block before the last byte read."""
        recent = b"".join(self._recent)
        block = recent[len(recent) - (self._position - position) :] if self._position > position else b""
        while block:
            yield block
            block = self.read(BLOCK)

    def digest(self) -> str:
        """Of the whole file, once it has been read to the end."""
        return f"{self._algorithm}:{self._hash.hexdigest() if self._hash else ''}"

    def _fill(self) -> bool:
        if self._gunzip is None:
            self._ready = self._raw()
            return bool(self._ready)
        while not self._ready:
            piece = self._head or self._gunzip.unconsumed_tail or self._raw()
            self._head = b""
            if not piece:
                if not self._gunzip.eof:
                    raise EOFError("it ends in the middle; it was cut off, fetch it again")
                return False
            if self._gunzip.eof:
                if piece.strip(b"\0"):
                    self._gunzip = zlib.decompressobj(wbits=31)  # gzip files may be joined end to end
                else:
                    continue
            self._ready = self._gunzip.decompress(piece, BLOCK)
            if self._gunzip.eof:
                self._head = self._gunzip.unused_data
        return True

    def _raw(self) -> bytes:
        data = self._file.read(BLOCK)
        if self._hash:
            self._hash.update(data)
        self._read += len(data)
        self._progress(f"reading {self._path.name}", self._read, self._total, "B")
        return data


@contextmanager
def open_tar(path: Path, algorithm: str, progress: Progress) -> Iterator[tuple[tarfile.TarFile, Stream]]:
    """A tar for `members` and `content`, and the stream under it, hashed by `algorithm` if that is not empty.

    Raises:
        SourceError: it cannot be read, is cut off or damaged; also from the reading that is done with it.
    """
    with reading(path), path.open("rb") as file:
        stream = Stream(file, path, algorithm, progress)
        with _readable():
            tar = tarfile.open(fileobj=stream, mode="r|", bufsize=BLOCK)  # type: ignore[call-overload]  # noqa: SIM115
        with tar:
            yield tar, stream


def members(tar: tarfile.TarFile, stream: Stream, path: Path) -> Iterator[tarfile.TarInfo]:
    """The files and links of a tar, then proof that it was whole.

    tarfile takes the end of the data, and any later block that is no header, for the end of the archive;
    but after its last member a whole tar has a block of zeros, and nothing else up to its end.
    """
    while (member := _next(tar)) is not None:
        tar.members.clear()  # type: ignore[attr-defined]  # tarfile would keep them all
        if not 0 <= member.size <= stream.largest:
            raise SourceError(f"{path} is damaged: {member.name} is said to have {member.size} bytes; fetch it again")
        if not member.isdir():
            yield member
    rest = stream.rest(tar.offset)
    first = next(rest, b"")
    if len(first) < tarfile.BLOCKSIZE:
        raise SourceError(f"{path} has no end: it was cut off; fetch it again")
    if first.strip(b"\0") or any(block.strip(b"\0") for block in rest):
        raise SourceError(f"{path} is damaged at byte {tar.offset} of the tar in it; fetch it again")


@contextmanager
def _readable() -> Iterator[None]:
    """tarfile's own words for a header that it stumbles over, whatever it was that it raised."""
    try:
        yield
    except (ValueError, OverflowError, RecursionError) as error:
        raise tarfile.ReadError(f"a header cannot be read ({error})") from error


def _next(tar: tarfile.TarFile) -> tarfile.TarInfo | None:
    with _readable():
        return tar.next()


def content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> BinaryIO:
    """The bytes of the member that `members` brought last; nothing for a link."""
    return (tar.extractfile(member) if member.isreg() else None) or io.BytesIO()  # type: ignore[return-value]


def plain_name(name: str) -> str:
    """A member's name without the `./` and `//` that some archives have."""
    return str(PurePosixPath(name))
