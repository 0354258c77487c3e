"""Store: what is asked of a server that keeps files, whatever it speaks.

    store = store_of(url, patience)
    store.look(url)                    Version(bytes=10485760, tag='"9b2cf5..."'), or None where there is nothing
    store.open(url).read(5120, 96044)  those bytes, in one request
    store.listed(url)                  {'000000.tar': Version(...), ...}, or None where the server does not list
    store.put(url / "000000.tar", Path("/cache/building/000000.tar"))

A store tries once. `persistently` tries again what may pass: a server that is too busy, a connection that broke.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol, TypeVar

from ...manifests import FetchError, UsageError
from ..fetching.access import Patience
from ..places import BUCKETS, Url

T = TypeVar("T")
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True, slots=True)
class Version:
    """What a file is at the moment."""

    bytes: int | None
    """None where the server does not tell."""
    tag: str
    """Of this content and no other: an ETag or a generation; empty where the server gives none."""


class Passing(Exception):
    """Trouble that another attempt may not meet."""


class Gone(Exception):
    """There is no such file; the message says so, and whether there is a bucket."""


class Refused(FetchError):
    """It may be there, and not for us. Many stores say so too of what is not there, to those who may not list."""


class Changed(Exception):
    """The file was replaced while it was read."""


class RemoteObject(Protocol):
    """A file that is open to be read; it belongs to one thread."""

    @property
    def version(self) -> Version:
        """Of the file that is read."""

    def read(self, offset: int, size: int) -> bytes:
        """The bytes there, fewer where the file ends before.

        Raises:
            Passing: not this time.
            Gone, Changed: it is no file, or another one, by now.
            FetchError: it cannot be had at all.
        """

    def close(self) -> None:
        """Let go of it."""


class Store(Protocol):
    """A server that keeps files. Each call raises Passing if another attempt may go well, FetchError if not."""

    def look(self, url: Url) -> Version | None:
        """What lies there; None if nothing does."""

    def open(self, url: Url) -> RemoteObject:
        """The file there, to be read; Gone if there is none."""

    def listed(self, folder: Url) -> dict[str, Version] | None:
        """All files below a folder by their names in it; None where that cannot be asked for; Gone without a bucket."""

    def put(self, url: Url, data: bytes | Path) -> None:
        """Write bytes, or a file of this machine, in place of what is there; Gone without a bucket."""

    def remove(self, url: Url) -> None:
        """Remove the file there, if there is one."""


def store_of(url: Url, patience: Patience) -> Store:
    """The store that keeps what a URL names; one for all threads of a process.

    Raises:
        MissingExtraError: a package that it needs is not installed.
    """
    with _ONE_AT_A_TIME:
        return _store("buckets" if url.scheme in BUCKETS else "web", url.scheme, patience)


@lru_cache
def _store(kind: str, scheme: str, patience: Patience) -> Store:
    if kind == "web":
        from .web import Web

        return Web(patience)
    from .buckets import Buckets

    return Buckets(scheme, patience)


def writable(url: Url) -> None:
    """Make sure that files can be written there at all.

    Raises:
        UsageError: it can only be read.
    """
    if url.scheme not in BUCKETS:
        raise UsageError(f"{url}: nothing can be written there; name a folder, s3://BUCKET/PATH or gs://BUCKET/PATH")


def persistently(what: str, attempt: Callable[[], T], patience: Patience) -> T:
    """What `attempt` brings, tried again after trouble that may pass.

    Raises:
        FetchError: patience is at its end.
    """
    for number in range(1, patience.attempts + 1):
        try:
            return attempt()
        except Passing as trouble:
            last = trouble
        if number < patience.attempts:
            time.sleep(min(patience.pause_seconds * 2 ** (number - 1), patience.longest_pause_seconds))
    raise FetchError(f"{what}: {last}, {patience.attempts} times; type the same command again") from last
