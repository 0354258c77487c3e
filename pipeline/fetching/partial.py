"""Partial: a download on its way, in one process's hands, that nothing can take for whole.

archives/.dev-clean.tar.gz.part         what has arrived
archives/.dev-clean.tar.gz.part.json    of what: {"identity": "md5:42e2...", "tag": "\"5e84a2b7\"", "total": 337926286}
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ...manifests import DataError, OutputError
from ..commit import seal, unseal, write_all, write_whole, writing
from .answer import Body, Piece
from .offer import HEAD

"""Bytes read at a time to be hashed."""


class Partial:
    """The file, open and locked; made by `opened`."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path, self._file = path, file
        self._state = path.with_name(path.name + ".json")

    @property
    def size(self) -> int:
        """Bytes that have arrived."""
        return os.fstat(self._file.fileno()).st_size

    def piece(self, identity: str) -> Piece:
        """What it is a piece of; nothing, if that is not what `identity` names."""
        try:
            state = unseal(self._state.read_bytes(), self._state)
            if state["identity"] == identity:
                return Piece(self.size, state["tag"], state["total"])
        except (OSError, DataError, KeyError):
            pass
        return Piece(0)

    def begin(self, identity: str, body: Body) -> None:
        """Say what the bytes that come next are of; none have come yet."""
        write_whole(self._state, seal({"identity": identity, "tag": body.tag, "total": body.total}))

    def append(self, data: bytes) -> None:
        """Put `data` at its end."""
        with writing(self.path):
            write_all(self._file, data)

    def head(self) -> bytes:
        """Its first bytes, that tell what it is."""
        return os.pread(self._file.fileno(), HEAD, 0)

    def clear(self) -> None:
        """Throw away what has arrived."""
        with writing(self.path):
            self._state.unlink(missing_ok=True)
            self._file.truncate(0)

    def remove(self) -> None:
        """Leave nothing of it."""
        with writing(self.path):
            self._state.unlink(missing_ok=True)
            self.path.unlink(missing_ok=True)

    def sync(self) -> None:
        """Put it on disk to the last byte."""
        with writing(self.path):
            os.fsync(self._file.fileno())

    def become(self, target: Path) -> None:
        """Be `target` from now on, and no partial any more."""
        with writing(target):
            self.path.replace(target)
            self._state.unlink(missing_ok=True)


@contextmanager
def opened(path: Path) -> Iterator[Partial]:
    """The partial file at `path`, empty if it was not there, for this process alone.

    Raises:
        OutputError: another process is at it, or it cannot be written.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with writing(path):
            file = path.open("ab+", buffering=0)
        with file:
            _lock(path, file)
            # Who held the lock before may have made the file what it was to be: then this is it, and not ours.
            if _is_at(path, file):
                yield Partial(path, file)
                return


def _lock(path: Path, file: BinaryIO) -> None:
    with writing(path):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OutputError(f"another dsprep is fetching {path}; wait for it, then type the command again") from error


def _is_at(path: Path, file: BinaryIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
