"""Download: the bytes of an offer into its partial file, over as many connections as it takes.

GET ...                                   200, breaks off at byte 65536
GET ...  Range: bytes=65536-              206, goes on; sends nothing for a minute
GET ...  Range: bytes=81920-              403, the signed URL's time is over: another one is asked for
GET ...  Range: bytes=81920-              206, to the end
"""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass

import requests

from ...manifests import FetchError, OutputError, Progress
from ..commit import writing
from .access import Patience
from .answer import read_answer
from .offer import HEAD, Offer, shown, wrong_head
from .partial import Partial
from .web import TROUBLE, Setback, ask, patiently, setback

BLOCK = 1 << 18
"""Bytes at a time, at most; what has come is kept to the last byte."""
EXPIRED = frozenset({400, 401, 403, 404, 410})
"""What storage says of a signed URL whose time is over, each in its own way."""

Renew = Callable[[], Offer]
"""Gives the same offer with a URL that is good now."""


def download(offer: Offer, partial: Partial, progress: Progress, patience: Patience, renew: Renew | None) -> None:
    """Bring all the bytes of `offer` into `partial`; their digest is not looked at.

    Raises:
        FetchError: the server cannot be reached, refuses, sends something else, or keeps breaking off.
        OutputError: there is no room for them.
    """
    task = _Download(offer, partial, progress, patience, renew)
    patiently(shown(offer.url), task.attempt, patience, lambda: partial.size)


@dataclass(slots=True)
class _Download:
    """Attempts at one file, one connection each."""

    offer: Offer
    partial: Partial
    progress: Progress
    patience: Patience
    renew: Renew | None
    answered: bool = False
    """Whether the server has been there at all."""
    served: bool = False
    """Whether the URL was good once: then it may have expired."""

    def attempt(self) -> bool | Setback:
        """Append what one connection brings. True when all is there that the server promised."""
        piece = self.partial.piece(self.offer.identity)
        if piece.size and piece.size == piece.total:
            return True
        if not piece.asks():
            self.partial.clear()
        _check_room(self.partial, self.offer.bytes)
        try:
            with ask(self.offer.url, self.patience, piece.asks()) as answer:
                self.answered = True
                result = self._take(answer)
        except TROUBLE as error:
            return setback(self.offer.url, error, known=self.answered or self.partial.size > 0)
        if isinstance(result, Setback) and result.useless:
            self.partial.clear()
        return result

    def _take(self, answer: requests.Response) -> bool | Setback:
        if self.renew and self.served and answer.status_code in EXPIRED:
            return self._renewed(self.renew())
        body = read_answer(self.offer, answer.status_code, answer.headers, self.partial.piece(self.offer.identity))
        if isinstance(body, Setback):
            return body
        self.served = True
        if body.start == 0:
            self.partial.clear()
        _check_room(self.partial, body.total)
        if body.start == 0:
            self.partial.begin(self.offer.identity, body)
        return self._append(answer, body.total)

    def _append(self, answer: requests.Response, total: int | None) -> bool | Setback:
        looked, pace = self.partial.size >= HEAD, _Pace(self.patience)
        while block := answer.raw.read1(BLOCK):
            self.partial.append(block)
            size = self.partial.size
            if not looked and size >= HEAD:
                self._look()
                looked = True
            if total is not None and size > total:
                raise self._refused(f"sends more than the {total} bytes that it promised")
            self.progress(f"fetching {self.offer.name}", size, total or 0, "B")
            if pace.too_slow(len(block)):
                return Setback("sends next to nothing")
        if total is not None and self.partial.size < total:
            return Setback("the connection broke off")
        if not looked:
            self._look()
        return True

    def _look(self) -> None:
        if reason := wrong_head(self.offer.name, self.partial.head()):
            raise self._refused(f"sends something else than {self.offer.name}: {reason}")

    def _refused(self, reason: str) -> FetchError:
        self.partial.clear()
        return FetchError(
            f"{shown(self.offer.url)} {reason}; open it in a browser to see what it is, "
            "or use --source with a file you have"
        )

    def _renewed(self, offer: Offer) -> Setback:
        if (offer.name, offer.identity) != (self.offer.name, self.offer.identity):
            raise FetchError(f"{self.offer.name} was replaced by {offer.name} meanwhile; type the same command again")
        self.offer, self.served = offer, False
        return Setback("its URL had expired")


class _Pace:
    """Watches for a connection that lives but brings next to nothing, which no timeout of a socket sees."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._began, self._brought = time.monotonic(), 0

    def too_slow(self, size: int) -> bool:
        """Count `size` more bytes."""
        self._brought += size
        seconds = time.monotonic() - self._began
        if seconds < self._patience.timeout_seconds:
            return False
        slow = self._brought < seconds * self._patience.slowest_bytes_per_second
        self._began, self._brought = time.monotonic(), 0
        return slow


def _check_room(partial: Partial, total: int | None) -> None:
    """Raises OutputError if the filesystem has no room for what is still to come of `total` bytes."""
    with writing(partial.path):
        free = shutil.disk_usage(partial.path.parent).free
    if total is not None and (missing := total - partial.size) > free:
        raise OutputError(
            f"{partial.path.parent} has {free} bytes free, and {missing} are still to be fetched: "
            "free space, or name another folder"
        )
