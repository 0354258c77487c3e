"""RemoteFile: a tar or clip behind a URL, opened like a file of this machine.

    file = RemoteFile(Path("CACHE/remote/5f0c.../000000.tar"))
    file.read(5120, 96044, "3fd2a1...9c")        from the cache, else by one request; the digest is checked either way

A clip whose digest the manifest does not tell is kept by URL, version, place and size.
"""

import errno
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from ..commit import digest_of
from .blobs import Blobs
from .mirror import Mirror
from .store import Changed, Gone, RemoteObject, Version, persistently, store_of

T = TypeVar("T")
AGAIN = 2
"""Attempts at bytes that arrive whole and are not those of the manifest."""


class RemoteFile:
    """A file behind a URL; it belongs to one thread, and asks for nothing before it must."""

    def __init__(self, mirror: Mirror, path: Path) -> None:
        self._mirror = mirror
        name, self._url = mirror.locate(path)
        self._known = mirror.files.get(name, Version(None, ""))
        self.name = str(self._url)
        """What to call it."""
        self._blobs = Blobs(mirror.cache.folder / "blobs", mirror.cache.bytes)
        self._store = store_of(self._url, mirror.cache.patience)
        self._object: RemoteObject | None = None

    def read(self, offset: int, size: int, sha256: str = "") -> bytes:
        """The bytes there, fewer where the file ends before; with that sha256, if one is given.

        Raises:
            OSError: it is not there, or is not what the manifest tells of.
            FetchError: it cannot be had.
        """
        key = sha256 or self._fingerprint(offset, size)
        kept = self._blobs.get(key, sha256) if key else None
        if kept is not None:
            return kept
        data = self._fetched(offset, size, sha256)
        if key:
            self._blobs.put(key, data)
        return data

    def read_into(self, offset: int, buffers: Sequence[Any], sha256: str = "") -> int:
        """Fill writable buffers one after another with the bytes there; how many came. Raises as `read` does."""
        views = [memoryview(buffer).cast("B") for buffer in buffers]
        data = memoryview(self.read(offset, sum(map(len, views)), sha256))
        left = data
        for view in views:
            part = left[: len(view)]
            view[: len(part)] = part
            left = left[len(part) :]
        return len(data)

    def close(self) -> None:
        """Let go of it."""
        if self._object:
            self._object.close()
        self._object = None

    def _fetched(self, offset: int, size: int, sha256: str) -> bytes:
        for _ in range(AGAIN):
            try:
                data = self._patiently(f" at byte {offset}", lambda: self._open(known=not sha256).read(offset, size))
            except Changed as error:
                self.close()
                if not sha256:
                    raise self._other() from error
                continue
            if not sha256 or hashlib.sha256(data).hexdigest() == sha256:
                return data
            self.close()
        raise self._other()

    def _open(self, *, known: bool) -> RemoteObject:
        """The file at the store; with `known`, in the version that was there when the manifest was read."""
        if self._object is None:
            self._object = self._store.open(self._url)
        if known and self._known.tag not in ("", self._object.version.tag):
            raise Changed
        return self._object

    def _fingerprint(self, offset: int, size: int) -> str:
        """Of a clip without a digest: where it lies in which version of the file; empty if that is not known."""
        tag = self._known.tag or self._patiently("", lambda: self._open(known=False).version.tag)
        return digest_of([str(self._url), tag, offset, size]) if tag else ""

    def _patiently(self, where: str, attempt: Callable[[], T]) -> T:
        try:
            return persistently(f"{self._url}{where}", attempt, self._mirror.cache.patience)
        except Gone as gone:
            raise FileNotFoundError(errno.ENOENT, str(gone), self.name) from gone

    def _other(self) -> OSError:
        what = "these are not the bytes that the manifest tells of: it was replaced after its manifest, or is damaged"
        return OSError(errno.EBADMSG, f"{what}; dsprep verify --deep on its folder tells which", self.name)
