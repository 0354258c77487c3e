"""Web: one question to a server over HTTP, and for how long it is asked again.

GET https://www.openslr.org/resources/12/dev-clean.tar.gz
302 Location: https://openslr.elda.org/...       followed: to http(s) only, and from https to https only
503 Retry-After: 30                              waited for, and asked again
404                                              told
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import urljoin, urlsplit

import requests
import requests.auth
import urllib3

from ... import __version__
from ...manifests import FetchError
from .access import Patience
from .offer import shown

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_REDIRECTS = 5
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses that another attempt may not meet (RFC 9110, section 15; 425 is of RFC 8470, 429 of RFC 6585)."""
TROUBLE = (requests.RequestException, urllib3.exceptions.HTTPError)
"""What a connection raises: requests up to the headers, urllib3 in the body."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Setback:
    """Why an attempt failed, when another may not."""

    reason: str
    wait_seconds: float = 0.0
    """What the server asks for before the next one."""
    useless: bool = False
    """What had arrived before cannot be gone on with."""


def patiently(what: str, attempt: Callable[[], T | Setback], patience: Patience, arrived: Callable[[], int]) -> T:
    """What `attempt` brings, tried again after setbacks until none of `patience.attempts` in a row got further.

    Raises:
        FetchError: patience is at its end; says why, and how many bytes have `arrived`.
    """
    idle, furthest = 0, arrived()
    while isinstance(result := attempt(), Setback):
        idle = 1 if arrived() > furthest else idle + 1
        furthest = max(furthest, arrived())
        if idle >= patience.attempts:
            raise FetchError(f"{what}: {result.reason}, {idle} times at byte {furthest}; type the same command again")
        if result.wait_seconds > patience.longest_pause_seconds:
            raise FetchError(
                f"{what}: {result.reason}, and asks to wait {result.wait_seconds:.0f} s; "
                "type the same command again then"
            )
        pause = max(patience.pause_seconds * 2 ** (idle - 1), result.wait_seconds)
        time.sleep(min(pause, patience.longest_pause_seconds))
    return result


class Session(requests.Session):
    """Follows no redirect: requests would go from https to http, and read the whole page of each."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


@contextmanager
def ask(
    url: str,
    patience: Patience,
    headers: Mapping[str, str],
    *,
    method: str = "GET",
    auth: requests.auth.AuthBase | None = None,
    redirects: int = MOST_REDIRECTS,
    session: Session | None = None,
    advice: str = "use --source with a file you have",
) -> Iterator[requests.Response]:
    """The answer after redirects, its body not read yet. One of `TROUBLE` is raised here or in the body.

    A `session` that is given stays open, and so does its connection; `advice` ends what is told of redirects.

    Raises:
        FetchError: it redirects to what is not followed, or too often.
    """
    asked = {"User-Agent": f"dsprep/{__version__}", "Accept-Encoding": "identity", **headers}
    place = url
    with nullcontext(session) if session else Session() as opened:
        for _ in range(redirects + 1):
            with opened.request(
                method, place, headers=asked, auth=auth, stream=True, timeout=patience.timeout_seconds
            ) as answer:
                if answer.status_code not in REDIRECTS:
                    yield answer
                    return
                place = _redirected(place, answer.headers.get("Location", ""), advice)
    raise FetchError(f"{shown(url)} redirects more than {redirects} times; {advice}")


def _redirected(place: str, location: str, advice: str) -> str:
    try:
        # Header fields are read as latin-1, and servers send UTF-8.
        target = urljoin(place, location.encode("latin-1").decode("utf-8", "replace"))
        scheme = urlsplit(target).scheme
    except ValueError as error:
        raise FetchError(f"{shown(place)} redirects to what is no URL; {advice}") from error
    if not location or scheme not in ("http", "https"):
        raise FetchError(f"{shown(place)} redirects to {shown(target)!r}; {advice}")
    if urlsplit(place).scheme == "https" and scheme != "https":
        raise FetchError(f"{shown(place)} redirects from https to {shown(target)}, which is not followed")
    return target


def setback(url: str, error: Exception, *, known: bool) -> Setback:
    """What one of `TROUBLE` means; `known` is whether the server has been there before.

    Raises:
        FetchError: there is no such server, or none that can be spoken to.
    """
    cause = error.args[0] if error.args else None
    if isinstance(cause, urllib3.exceptions.MaxRetryError):
        reason = f"cannot reach it ({cause.reason})"
    elif isinstance(error, (requests.Timeout, urllib3.exceptions.TimeoutError)):
        return Setback("it says nothing for too long")
    elif isinstance(error, ValueError):  # requests' InvalidURL and the like
        raise FetchError(f"{shown(url)} is no URL that can be fetched") from error
    else:
        return Setback("the connection broke off")
    if known:
        return Setback(reason)
    raise FetchError(f"cannot reach {shown(url)} ({cause.reason}); use --source with a file you have") from error


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that a Retry-After field asks for, given as such or as a date (RFC 9110, section 10.2.3); or 0."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # no date, or one of a year that no calendar has
        return 0.0
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (date - datetime.now(UTC)).total_seconds())
