"""Reading: the bytes of samples, one `pread` each, from files that stay open.

    with Reader() as reader:
        data = reader.read(sample)                  as they lie in its own file, or at its offset in a tar
        reader.read_into(sample, [head, row])       the same, straight into memory that waits for them

A reader belongs to one thread. What a path means is decided in `open_file` alone.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import tempfile
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Protocol, Self, cast

from ..manifests import DataError, FetchError, Sample
from .commit import file_size

if TYPE_CHECKING:
    from .cloud.mirror import Mirror

UNKNOWN = 2**63 - 1
"""More bytes than any file has: of one whose size nobody told."""
TABLE = 64
"""Files that a reader holds open: tars are read again and again, and a process may have 1024 files or fewer."""


class Opened(Protocol):
    """A file that is open to be read at any place.

    Where bytes come from another machine they must have the `sha256` that is given; a disk is believed, and `dsprep
    verify` asks it. Reading raises OSError, or FetchError where a network is in between that does not work.
    """

    def read(self, offset: int, size: int, sha256: str = "") -> bytes:
        """The bytes there, fewer where the file ends before."""

    def read_into(self, offset: int, buffers: Sequence[Any], sha256: str = "") -> int:
        """Fill writable buffers one after another with the bytes there; how many came. It need not try twice."""

    def close(self) -> None:
        """Let go of it."""


class LocalFile:
    """A file on this machine."""

    def __init__(self, path: Path) -> None:
        # Without waiting: a pipe that nobody writes to would hold us for ever.
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        found = os.fstat(self._descriptor)
        self._size = found.st_size
        if not stat.S_ISREG(found.st_mode):
            self.close()
            raise OSError(errno.EINVAL, "it is not a file", str(path))

    def read(self, offset: int, size: int, sha256: str = "") -> bytes:
        """The bytes there, fewer where the file ends before."""
        size = max(0, min(size, self._size - offset))  # a manifest may claim more than memory holds
        data = os.pread(self._descriptor, size, offset)
        while len(data) < size and (more := os.pread(self._descriptor, size - len(data), offset + len(data))):
            data += more
        return data

    def read_into(self, offset: int, buffers: Sequence[Any], sha256: str = "") -> int:
        """Fill writable buffers one after another with the bytes there; how many came."""
        return os.preadv(self._descriptor, buffers, offset)

    def close(self) -> None:
        """Let go of it."""
        os.close(self._descriptor)


def open_file(path: Path) -> Opened:
    """The file of that path, wherever it lies; OSError if it is not there."""
    try:
        return LocalFile(path)
    except FileNotFoundError:
        if (mirror := _mirror_of(path)) is None:
            raise
    from .cloud.remote_file import RemoteFile

    return RemoteFile(mirror, path)


def shown(path: Path) -> str:
    """What to call a sample's file in a message: its path, or the URL that it stands for."""
    mirror = None if path.exists() else _mirror_of(path)
    return str(mirror.locate(path)[1]) if mirror else str(path)


def length_of(path: Path) -> int | None:
    """Bytes of a sample's file; None if there is none.

    Of a file behind a URL it is what was told when its manifest was read, or `UNKNOWN`.
    """
    size = file_size(path)
    if size is None and (mirror := _mirror_of(path)):
        return mirror.length_of(path, UNKNOWN)
    return size


def _mirror_of(path: Path) -> Mirror | None:
    from .cloud.mirror import mirror_of

    return mirror_of(path)


class Reader:
    """The bytes of samples; the tars they lie in stay open, the one used longest ago is closed for another."""

    def __init__(self) -> None:
        self._open: OrderedDict[Path, Opened] = OrderedDict()
        self._scratch: IO[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def read(self, sample: Sample) -> bytes:
        """A sample's audio as it lies on disk.

        Raises:
            DataError: it is gone or has another size.
        """
        with self._told(sample), self._opened(sample) as file:
            data = file.read(sample.offset or 0, sample.size, sample.sha256)
        if len(data) != sample.size:
            found = f"{len(data)} of the manifest's {sample.size} bytes"
            raise DataError(f"{sample.id}: {shown(sample.path)} has {found} from byte {sample.offset or 0} on")
        return data

    def fetch(self, sample: Sample) -> bytes:
        """What there is of a sample: fewer bytes where its file ends before, one more where one of its own goes on.

        Raises:
            OSError, OverflowError: there is no such file or place, or it cannot be read.
            FetchError: a network does not work.
        """
        beyond = 1 if sample.offset is None else 0
        with self._opened(sample) as file:
            return file.read(sample.offset or 0, sample.size + beyond, sample.sha256)

    def read_into(self, sample: Sample, buffers: Sequence[Any]) -> int:
        """Fill writable buffers one after another with a sample's audio, in one system call; how many bytes came.

        That may be fewer than there are: `read` tells why, or brings them.

        Raises:
            DataError: it is gone.
            FetchError: a network does not work.
        """
        with self._told(sample), self._opened(sample) as file:
            return file.read_into(sample.offset or 0, buffers, sample.sha256)

    def as_file(self, data: bytes) -> int:
        """A descriptor of a file that holds `data` and no more, at its begin; the next call makes another of it.

        For C libraries: from objects in memory they read through Python, where each block waits for its turn among
        the threads, and where an interruption that comes just then is printed and forgotten.
        """
        if self._scratch is None:
            self._scratch = _scratch()
        descriptor = self._scratch.fileno()
        os.pwrite(descriptor, data, 0)
        os.ftruncate(descriptor, len(data))
        os.lseek(descriptor, 0, os.SEEK_SET)
        return descriptor

    def close(self) -> None:
        """Close all files."""
        if self._scratch:
            self._scratch.close()
            self._scratch = None
        while self._open:
            self._open.popitem()[1].close()

    @contextmanager
    def _told(self, sample: Sample) -> Iterator[None]:
        """Say of which sample it is what goes wrong."""
        try:
            yield
        except (OSError, OverflowError) as error:
            what = getattr(error, "strerror", None) or error
            place = f"{shown(sample.path)} at byte {sample.offset or 0}"
            raise DataError(f"{sample.id}: cannot read {place}: {what}") from error
        except FetchError as error:
            raise FetchError(f"{sample.id}: {error}") from error

    @contextmanager
    def _opened(self, sample: Sample) -> Iterator[Opened]:
        """The file that a sample lies in; one of its own is closed again."""
        if sample.offset is not None:
            yield self._tar(sample.path)
            return
        with closing(open_file(sample.path)) as file:
            yield file

    def _tar(self, path: Path) -> Opened:
        if path in self._open:
            self._open.move_to_end(path)
        else:
            self._open[path] = open_file(path)
            if len(self._open) > TABLE:
                self._open.popitem(last=False)[1].close()
        return self._open[path]


def _scratch() -> IO[bytes]:
    """A file without a name, in memory where the system has such."""
    if sys.platform == "linux":
        return os.fdopen(os.memfd_create("dsprep"), "r+b", 0)
    return cast(IO[bytes], tempfile.TemporaryFile(buffering=0))


def audio_bytes(sample: Sample) -> bytes:
    """A sample's audio as it lies on disk, for who reads but one.

    Raises:
        DataError: it is gone or has another size.
    """
    with Reader() as reader:
        return reader.read(sample)
