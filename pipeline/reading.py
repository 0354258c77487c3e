"""Reading: the bytes of samples, one `pread` each, from files that stay open.

    with Reader() as reader:
        data = reader.read(sample)          as they lie in its own file, or at its offset in a tar

A reader belongs to one thread. What a path means is decided in `open_file` alone.
"""

import errno
import os
import stat
from collections import OrderedDict
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from ..manifests import DataError, Sample

TABLE = 64
"""Files that a reader holds open: tars are read again and again, and a process may have 1024 files or fewer."""


class Opened(Protocol):
    """A file that is open to be read at any place."""

    def read(self, offset: int, size: int) -> bytes:
        """The bytes there, fewer where the file ends before; OSError if they cannot be had."""

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

    def read(self, offset: int, size: int) -> bytes:
        """The bytes there, fewer where the file ends before."""
        size = max(0, min(size, self._size - offset))  # a manifest may claim more than memory holds
        data = os.pread(self._descriptor, size, offset)
        while len(data) < size and (more := os.pread(self._descriptor, size - len(data), offset + len(data))):
            data += more
        return data

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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def read(self, sample: Sample) -> bytes:
        """A sample's audio as it lies on disk.

        Raises:
            DataError: it is gone or has another size.
        """
        try:
            data = self._read(sample)
        except (OSError, OverflowError) as error:
            what = getattr(error, "strerror", None) or error
            raise DataError(f"{sample.id}: cannot read {sample.path}: {what}") from error
        if len(data) != sample.size:
            raise DataError(f"{sample.id}: {sample.path} has {len(data)} of the manifest's {sample.size} bytes")
        return data

    def fetch(self, sample: Sample) -> bytes:
        """What there is of a sample: fewer bytes where its file ends before, one more where one of its own goes on.

        Raises:
            OSError, OverflowError: there is no such file or place, or it cannot be read.
        """
        return self._read(sample, beyond=1)

    def close(self) -> None:
        """Close all files."""
        while self._open:
            self._open.popitem()[1].close()

    def _read(self, sample: Sample, beyond: int = 0) -> bytes:
        if sample.offset is not None:
            return self._tar(sample.path).read(sample.offset, sample.size)
        file = open_file(sample.path)
        try:
            return file.read(0, sample.size + beyond)
        finally:
            file.close()

    def _tar(self, path: Path) -> Opened:
        if path in self._open:
            self._open.move_to_end(path)
        else:
            self._open[path] = open_file(path)
            if len(self._open) > TABLE:
                self._open.popitem(last=False)[1].close()
        return self._open[path]


def audio_bytes(sample: Sample) -> bytes:
    """A sample's audio as it lies on disk, for who reads but one.

    Raises:
        DataError: it is gone or has another size.
    """
    with Reader() as reader:
        return reader.read(sample)
