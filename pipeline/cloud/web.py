"""Web: files of a server that speaks HTTP, read by ranges.

    GET /digits/000000.tar          Range: bytes=5120-101163
    206 Content-Range: bytes 5120-101163/10485760         those bytes
    200                                                   the whole file: what comes before is read and thrown away

A server that answers 200 costs its whole file for a clip at its end, but what follows one another comes in one answer.
Redirects are followed as `fetching.web` does: never from https to http.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import requests

from ...manifests import FetchError
from ..fetching.access import Patience
from ..fetching.web import PASSING, TROUBLE, Session, ask
from ..places import Url
from .store import Changed, Gone, Passing, Refused, RemoteObject, Version, writable

RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
LENGTH = re.compile(r"\d{1,18}")
MISSING = frozenset({404, 410})
BLOCK = 1 << 20
"""Bytes to read at a time of what is thrown away."""
ADVICE = "copy the data to this machine by other means"


class Web:
    """All servers that speak HTTP."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience

    def look(self, url: Url) -> Version | None:
        """What lies there."""
        with Session() as session, _asked(url, self._patience, session, method="HEAD") as answer:
            if answer.status_code in MISSING:
                return None
            _check(url, answer.status_code)
            return Version(_length(answer), _tag(answer))

    def open(self, url: Url) -> RemoteObject:
        """The file there, to be read in this version alone, if the server tells versions apart."""
        return _WebObject(url, self._patience)

    def listed(self, folder: Url) -> dict[str, Version] | None:
        """None: servers have no common way to list."""
        return None

    def put(self, url: Url, data: bytes | Path) -> None:
        """Refuse: nothing is written to a web server."""
        writable(url)

    def remove(self, url: Url) -> None:
        """Refuse: nothing is removed from a web server."""
        writable(url)


class _WebObject:
    """A file at a server, over one connection."""

    def __init__(self, url: Url, patience: Patience) -> None:
        self._url, self._patience = url, patience
        self._session = Session()
        self._known: Version | None = None
        self._answer = ExitStack()
        self._stream: requests.Response | None = None
        """The whole file on its way, where the server sends nothing less."""
        self._at = 0
        """Bytes of it that have come."""

    @property
    def version(self) -> Version:
        if self._known is None:
            with _asked(self._url, self._patience, self._session, method="HEAD") as answer:
                _check(self._url, answer.status_code)
                self._meet(_length(answer), _tag(answer))
        return self._known or Version(None, "")

    def read(self, offset: int, size: int) -> bytes:
        if not size:
            return b""
        try:
            if self._stream is None or offset < self._at:
                self._drop()
                self._ask(offset, size)
            return self._skimmed(offset, size)
        except TROUBLE as error:
            self._drop()
            raise _passing(error) from error
        except Passing:
            self._drop()
            raise

    def close(self) -> None:
        self._drop()
        self._session.close()

    def _ask(self, offset: int, size: int) -> None:
        """Have the bytes there come, or the whole file."""
        asked = _asked(self._url, self._patience, self._session, f"bytes={offset}-{offset + size - 1}")
        self._stream = answer = self._answer.enter_context(asked)
        if answer.status_code == 416:  # the file ends before
            self._at = offset
            return
        _check(self._url, answer.status_code)
        if answer.status_code == 206:
            match = RANGE.fullmatch(answer.headers.get("Content-Range", ""))
            if match is None or int(match[1]) != offset:
                raise Passing("it sends other bytes than were asked for")
            self._meet(int(match[3]) if match[3] != "*" else None, _tag(answer))
            self._at = offset
        else:
            self._meet(_length(answer), _tag(answer))
            self._at = 0

    def _skimmed(self, offset: int, size: int) -> bytes:
        """The bytes there of what is on its way."""
        while self._at < offset and self._take(min(BLOCK, offset - self._at)):
            pass
        pieces, missing = [], size
        while missing and (piece := self._take(missing)):
            pieces.append(piece)
            missing -= len(piece)
        if self._stream and self._stream.status_code != 200:
            self._drop()  # it held these bytes and no more
        data, end = b"".join(pieces), self._known.bytes if self._known else None
        if end is not None and len(data) < min(size, end - offset):
            raise Passing(f"{len(data)} of {min(size, end - offset)} bytes came")
        return data

    def _take(self, size: int) -> bytes:
        if self._stream is None or self._stream.status_code == 416:
            return b""
        data: bytes = self._stream.raw.read(size)
        self._at += len(data)
        return data

    def _meet(self, size: int | None, tag: str) -> None:
        """Take note of the version that an answer is of."""
        found = Version(size, tag)
        if self._known is not None and tag != self._known.tag:
            self._drop()
            raise Changed
        self._known = found

    def _drop(self) -> None:
        self._answer.close()
        self._stream = None


@contextmanager
def _asked(
    url: Url, patience: Patience, session: Session, range_: str = "", *, method: str = "GET"
) -> Iterator[requests.Response]:
    headers = {"Range": range_} if range_ else {}
    try:
        with ask(url.whole, patience, headers, method=method, session=session, advice=ADVICE) as answer:
            yield answer
    except requests.exceptions.SSLError as error:
        raise FetchError(f"{url}: the server's certificate does not prove that it is {url.host}") from error
    except requests.exceptions.InvalidURL as error:
        raise FetchError(f"{url} is no URL that can be read") from error
    except TROUBLE as error:
        raise _passing(error) from error


def _passing(error: Exception) -> Passing:
    """Trouble of a connection, without what the library says: there the whole URL is in it."""
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return Passing("it says nothing for too long")
    return Passing("cannot be reached, or the connection broke off")


def _check(url: Url, status: int) -> None:
    if status in PASSING:
        raise Passing(f"the server is busy ({status})")
    if status in MISSING:
        raise Gone("it is not there")
    if status in (401, 403):
        raise Refused(f"{url}: the server refuses it ({status}): log in by ~/.netrc, or name a URL with the right")
    if status not in (200, 206):
        raise FetchError(f"{url}: the server answers {status}")


def _length(answer: requests.Response) -> int | None:
    text = answer.headers.get("Content-Length", "")
    return int(text) if LENGTH.fullmatch(text) else None


def _tag(answer: requests.Response) -> str:
    return answer.headers.get("ETag", "") or answer.headers.get("Last-Modified", "")
