"""Answer: what a server's status and fields promise of a file, decided before a byte of its body is read.

    we ask           Range: bytes=65536-           If-Range: "5e84a2b7"
    206              Content-Range: bytes 65536-337926285/337926286          goes on
    206              Content-Range: bytes 0-337926285/337926286              is not what we asked for: start over
    200              Content-Length: 337926286                               another file by now: start over
    416              Content-Range: bytes */60000                            shorter than what we have: start over

The rules are those of RFC 9110: 13.1.5 (If-Range), 14.4 (Content-Range), 8.8 (strong validators).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime

from ...manifests import FetchError
from .offer import Offer, shown
from .web import PASSING, Setback, retry_after

RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")
LENGTH = re.compile(r"\d{1,18}")
ADVICE = {
    401: "it wants a login: fetch it in a browser and use --source with the file",
    403: "it refuses: see its page in a browser, or use --source with a file you have",
    404: "it is not there (any more): look for its new place, and use --source with that or with a file you have",
    410: "it is not there any more: use --source with a file you have",
}
OLD_ENOUGH = timedelta(seconds=60)
"""A Last-Modified that is this much older than its answer cannot hide a second change within its second."""

Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Piece:
    """What of a file has arrived."""

    size: int
    """Bytes, from its beginning."""
    tag: str = ""
    """ETag or Last-Modified of the file; empty if there is none that can be relied on."""
    total: int | None = None
    """Bytes of the whole file, as the server said."""

    def asks(self) -> dict[str, str]:
        """The fields that ask for the rest of it, or for all if it cannot be gone on with."""
        return {"Range": f"bytes={self.size}-", "If-Range": self.tag} if self.size and self.tag else {}


@dataclass(frozen=True, slots=True)
class Body:
    """What the body of an answer is: a file from `start` to its end."""

    start: int
    total: int | None
    """Bytes of the whole file; None if only the end of the body tells."""
    tag: str


def read_answer(offer: Offer, status: int, headers: Headers, piece: Piece) -> Body | Setback:
    """What an answer to `piece.asks()` brings.

    Raises:
        FetchError: it is a refusal, or not the file on offer.
    """
    if status in PASSING:
        return Setback(f"answers {status}", retry_after(headers))
    if status == 416:
        return Setback("has fewer bytes than had arrived", useless=True)
    if status not in (200, 206):
        advice = ADVICE.get(status, "use --source with a file you have")
        raise FetchError(f"{shown(offer.url)} answers {status}: {advice}")
    _check_kind(offer, headers)
    body = _rest(headers, piece) if status == 206 else _whole(offer, headers)
    if isinstance(body, Body) and offer.bytes is not None and body.total not in (None, offer.bytes):
        raise FetchError(
            f"{shown(offer.url)} is {body.total} bytes, published are {offer.bytes}: it is another file; "
            "use --source with a file you have"
        )
    return body


def _check_kind(offer: Offer, headers: Headers) -> None:
    if "html" in headers.get("Content-Type", "").lower():
        raise FetchError(f"{shown(offer.url)} sends a web page, not a file; open it in a browser to see why")
    encoding = headers.get("Content-Encoding", "identity").lower()
    # Some servers say gzip of every .tar.gz, meaning the file itself, which is then kept as it comes.
    if encoding != "identity" and not offer.name.lower().endswith((".gz", ".tgz")):
        raise FetchError(f"{shown(offer.url)} comes encoded as {encoding}, unasked; use --source with a file you have")


def _whole(offer: Offer, headers: Headers) -> Body:
    total, chunked = _length(headers), "chunked" in headers.get("Transfer-Encoding", "").lower()
    if total is None and not chunked and offer.bytes is None and not offer.digest:
        raise FetchError(
            f"{shown(offer.url)} does not say how long it is, so that a part would pass for the whole; "
            "fetch it by other means and use --source with the file"
        )
    return Body(0, offer.bytes if total is None else total, validator(headers))


def _rest(headers: Headers, piece: Piece) -> Body | Setback:
    """The rest of `piece`, if it is exactly that."""
    other = Setback("sends another range than was asked for", useless=True)
    match = RANGE.fullmatch(headers.get("Content-Range", ""))
    if not match or not piece.asks():
        return other
    first, last, total = map(int, match.groups())
    if first != piece.size or last != total - 1 or _length(headers) not in (None, total - first):
        return other
    same_tag = headers.get("ETag" if piece.tag.startswith('"') else "Last-Modified", piece.tag) == piece.tag
    if not same_tag or piece.total not in (None, total):
        return Setback("has changed in between", useless=True)
    return Body(first, total, piece.tag)


def _length(headers: Headers) -> int | None:
    text = headers.get("Content-Length", "")
    return int(text) if LENGTH.fullmatch(text) and "Transfer-Encoding" not in headers else None


def validator(headers: Headers) -> str:
    """The field by which to tell the same bytes again: a strong ETag, or a Last-Modified that is strong enough."""
    tag = headers.get("ETag", "")
    if tag.startswith('"'):
        return tag
    try:
        changed, now = (parsedate_to_datetime(headers.get(name, "")) for name in ("Last-Modified", "Date"))
        return headers["Last-Modified"] if now - changed >= OLD_ENOUGH else ""
    except (ValueError, TypeError, OverflowError):  # no date, one with and one without a time zone, or no such year
        return ""
