"""Reading: the bytes of samples, one `pread` each, from files that stay open.

    with Reader() as reader:
        data = reader.read(sample)                  as they lie in its own file, or at its offset in a tar
        reader.read_into(sample, [head, row])       the same, straight into memory that waits for them

A reader belongs to one thread. What a path means is decided in `open_file` alone.
"""

import errno
import os
import stat
import sys
import tempfile
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol, Self, cast

from ..manifests import DataError, Sample

TABLE = 64
"""Files that a reader holds open: tars are read again and again, and a process may have 1024 files or fewer."""


class Opened(Protocol):
    """A file that is open to be read at any place."""

    def read(self, offset: int, size: int) -> bytes:
        """The bytes there, fewer where the file ends before; OSError if they cannot be had."""

    def read_into(self, offset: int, buffers: Sequence[Any]) -> int:
        """Fill writable buffers one after another with the bytes there; how many came. It need not try twice."""

    def close(self) -> None:
        """Let go of it."""


class LocalFile:
    """A file on this machine."""

    def __init__(self, path: Path) -> None:
        # Without waiting: a pipe that nobody writes to would hold us for ever.
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        if not stat.S_ISREG(os.fstat(self._descriptor).st_mode):
            self.close()
            raise OSError(errno.EINVAL, "it is not a file", str(path))

    def read(self, offset: int, size: int) -> bytes:
        """The bytes there, fewer where the file ends before."""
        data = os.pread(self._descriptor, size, offset)
        while len(data) < size and (more := os.pread(self._descriptor, size - len(data), offset + len(data))):
            data += more
        return data

    def read_into(self, offset: int, buffers: Sequence[Any]) -> int:
        """Fill writable buffers one after another with the bytes there; how many came."""
        return os.preadv(self._descriptor, buffers, offset)

    def close(self) -> None:
        """Let go of it."""
        os.close(self._descriptor)


def open_file(path: Path) -> Opened:
    """The file of that path, wherever it lies; OSError if it is not there."""
    return LocalFile(path)


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
        with self._opened(sample) as file:
            data = file.read(sample.offset or 0, sample.size)
        if len(data) != sample.size:
            found = f"{len(data)} of the manifest's {sample.size} bytes"
            raise DataError(f"{sample.id}: {sample.path} has {found} from byte {sample.offset or 0} on")
        return data

    def read_into(self, sample: Sample, buffers: Sequence[Any]) -> int:
        """Fill writable buffers one after another with a sample's audio, in one system call; how many bytes came.

        That may be fewer than there are: `read` tells why, or brings them.

        Raises:
            DataError: it is gone.
        """
        with self._opened(sample) as file:
            return file.read_into(sample.offset or 0, buffers)

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
    def _opened(self, sample: Sample) -> Iterator[Opened]:
        """The file that a sample lies in; one of its own is closed again."""
        try:
            file = open_file(sample.path) if sample.offset is None else self._tar(sample.path)
            try:
                yield file
            finally:
                if sample.offset is None:
                    file.close()
        except (OSError, OverflowError) as error:
            what = getattr(error, "strerror", None) or error
            place = f"{sample.path} at byte {sample.offset or 0}"
            raise DataError(f"{sample.id}: cannot read {place}: {what}") from error

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
