"""Trouble: what the errors of s3fs and gcsfs mean to whoever asked.

    503 SlowDown, a connection that broke off       Passing: once more
    404 NoSuchKey, NoSuchBucket                     Gone, NoBucket: there is none
    412 PreconditionFailed                          Changed: it is another object by now
    403 AccessDenied, no credentials                one line that says what to look at

Both libraries bring three layers of errors: their own, their client's (botocore, google.auth), and aiohttp's.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...manifests import FetchError
from ..places import Url
from .store import Changed, Gone, Passing, Refused

Kinds = tuple[type[BaseException], ...]
BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses that another attempt may not meet (RFC 9110, section 15; 425 is of RFC 8470, 429 of RFC 6585)."""
BUSY_CODES = frozenset(
    {"SlowDown", "InternalError", "RequestTimeout", "ServiceUnavailable", "XAmzContentSHA256Mismatch"}
)
"""The same in words: S3 may say them in an answer of status 200 or 400 (Amazon S3 API, Error responses)."""
LONGEST = 200
"""Characters of what a library says."""
HINTS = {
    "s3": "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or for a public bucket FSSPEC_S3_ANON=true",
    "gs": "type gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS",
}


class NoBucket(Gone):
    """There is no file, and no bucket for it either."""


class Trouble:
    """The errors of the library for one scheme."""

    def __init__(self, scheme: str) -> None:
        self._passing, self._kinds = _s3() if scheme == "s3" else _gs()

    @contextmanager
    def told(self, url: Url) -> Iterator[None]:
        """Translate what goes wrong with `url` into one of the errors of a store."""
        try:
            yield
        except self._kinds as error:
            raise self._meaning(url, error) from error

    def _meaning(self, url: Url, error: BaseException) -> Exception:
        code, status = _answer(error)
        said = (str(error).splitlines() or [type(error).__name__])[0][:LONGEST]
        if status == 412 or type(error).__name__ == "FileExpired":
            return Changed()
        if status in BUSY or code in BUSY_CODES:
            return Passing(f"the store is busy ({code})")
        if isinstance(error, FileNotFoundError) or status == 404:
            return NoBucket(f"there is no bucket {url.host}") if code == "NoSuchBucket" else Gone("it is not there")
        if status in (401, 403) or isinstance(error, PermissionError) or said.startswith("Forbidden"):
            what = f"the store refuses it ({said}): you have no right to it, or it is not there"
            return Refused(f"{url}: {what}; {HINTS[url.scheme]}")
        if isinstance(error, self._passing):
            return Passing(f"no whole answer came ({said})")
        if isinstance(error, OSError | ValueError):
            return FetchError(f"{url}: {said}")
        return FetchError(f"{url}: {said}; {HINTS[url.scheme]}")


def _answer(error: BaseException) -> tuple[str, int]:
    """Code and status of the answer that an error is about; empty and 0 if there was none."""
    for one in (error, error.__cause__):
        response: Any = getattr(one, "response", None)
        if isinstance(response, dict) and "Error" in response:
            code = str(response["Error"].get("Code", ""))
            return code, int(response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
        code = str(getattr(one, "code", None) or "")
        if code.isdigit():
            return code, int(code)
    return "", 0


def _s3() -> tuple[Kinds, Kinds]:
    """Errors of connections, and all errors."""
    import aiohttp
    import botocore.exceptions as botocore
    from botocore.parsers import ResponseParserError
    from fsspec.exceptions import FSTimeoutError

    passing: Kinds = (
        botocore.HTTPClientError,
        botocore.ConnectionError,
        botocore.IncompleteReadError,
        ResponseParserError,
        aiohttp.ClientError,
        FSTimeoutError,
        ConnectionError,
        TimeoutError,
    )
    return passing, (*passing, botocore.BotoCoreError, botocore.ClientError, OSError, ValueError)


def _gs() -> tuple[Kinds, Kinds]:
    """Errors of connections, and all errors."""
    import aiohttp
    import requests
    from fsspec.exceptions import FSTimeoutError
    from gcsfs.retry import ChecksumError, HttpError, NonRetryableError
    from google.auth.exceptions import GoogleAuthError, TransportError

    passing: Kinds = (
        aiohttp.ClientError,
        requests.ConnectionError,
        requests.Timeout,
        TransportError,
        ChecksumError,
        FSTimeoutError,
        ConnectionError,
        TimeoutError,
    )
    return passing, (*passing, HttpError, NonRetryableError, GoogleAuthError, OSError, ValueError)
