"""Collective: Mozilla Data Collective, where Common Voice is published, by its REST API.

    POST https://mozilladatacollective.com/api/datasets/cminc35no007no707hql26lzk/download
    Authorization: Bearer KEY
    200 {"downloadUrl": "https://storage...?signature=...", "filename": "cv-corpus-23.0-br.tar.gz",
         "sizeBytes": 1234567, "checksum": "sha256:9f86d0...", "expiresAt": "2026-01-01T12:00:00Z"}

Addresses, fields and statuses are those that the publisher's own client uses (PyPI: datacollective 0.7.0). The URL is
good for some hours; `fetch` asks for another when it is not. The key goes to the API alone, in one field of a request.
"""

import base64
import binascii
import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
import requests.auth

from ...manifests import FetchError, UsageError
from .access import MDC_API, PATIENCE, Patience
from .offer import Offer
from .web import PASSING, TROUBLE, Setback, ask, patiently, retry_after, setback

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
KEY = re.compile(r"[!-~]{1,1000}")
"""What fits into a field of a request; more would be shown by the error that it makes."""
ARCHIVES = (".tar.gz", ".tgz", ".tar", ".zip")
ALGORITHMS = {16: "md5", 32: "sha256"}
"""By length of the digest in bytes."""
LONGEST_ANSWER = 1 << 20
"""Bytes."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def check_id(dataset_id: str) -> None:
    """Raises UsageError if `dataset_id` cannot be one."""
    if not ID.fullmatch(dataset_id):
        raise UsageError(
            f"mdc:{dataset_id}: a dataset's id is the last part of the address of its page, "
            "as in mdc:cminc35no007no707hql26lzk"
        )


def offer(dataset_id: str, api_key: str, base: str = MDC_API, patience: Patience = PATIENCE) -> Offer:
    """Where the archive of a dataset can be fetched now, and what it must be.

    Raises:
        UsageError: the id or the key is none, or `base` would have the key sent in the open.
        FetchError: the key is not taken, the terms are not agreed to, there is no such dataset, or the API fails.
    """
    check_id(dataset_id)
    api = _Api(dataset_id, api_key, base.rstrip("/"), patience)
    answer = api.call("POST", "/download")
    if not answer.get("filename"):
        answer = {**answer, "filename": api.call("GET", "").get("filename")}
    return _offer(dataset_id, answer, base)


def _offer(dataset_id: str, answer: dict[str, Any], base: str) -> Offer:
    """The offer in an answer of the API: names and addresses of a server are looked at before they are used."""
    url, name, size = (answer.get(key) for key in ("downloadUrl", "filename", "sizeBytes"))
    allowed = ("https",) if urlsplit(base).scheme == "https" else ("https", "http")
    if not isinstance(url, str) or url.partition("://")[0].lower() not in allowed:
        raise _odd(dataset_id, "gives no https URL")
    if not isinstance(name, str) or not name.lower().endswith(ARCHIVES):
        raise _odd(dataset_id, f"names a file {name!r}, which is none of {', '.join(ARCHIVES)}")
    if not re.fullmatch(r"[1-9]\d{0,17}", str(size)):
        raise _odd(dataset_id, f"gives a size of {size!r} bytes")
    digest = _digest(dataset_id, answer.get("checksum") or "")
    identity = digest or f"mdc:{dataset_id}:{size}"
    return Offer(url=url, name=name, bytes=int(str(size)), digest=digest, identity=identity)


def _digest(dataset_id: str, checksum: object) -> str:
    """`sha256:...` or `md5:...` of a checksum in hexadecimal or base64, with its algorithm before it or without."""
    algorithm, _, text = str(checksum).rpartition(":")
    if not text:
        return ""
    try:
        raw = bytes.fromhex(text) if re.fullmatch(r"[0-9A-Fa-f]+", text) else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raw = b""
    known = ALGORITHMS.get(len(raw), "")
    if not known or algorithm.lower().replace("-", "") not in ("", known):
        raise _odd(dataset_id, f"gives a checksum {checksum!r}, which is neither sha256 nor md5")
    return f"{known}:{raw.hex()}"


def _odd(dataset_id: str, what: str) -> FetchError:
    return FetchError(
        f"mdc:{dataset_id}: the API {what}; fetch the dataset in a browser and use --source with the file"
    )


class _Bearer(requests.auth.AuthBase):
    """The key in its field. Given as `auth`, it also keeps requests from putting a line of ~/.netrc there."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers["Authorization"] = f"Bearer {self._key}"
        return r


@dataclass(frozen=True, slots=True)
class _Api:
    """One dataset's corner of the API."""

    dataset_id: str
    key: str = field(repr=False)
    base: str
    patience: Patience

    def __post_init__(self) -> None:
        if not self.key:
            raise UsageError(
                f"mdc:{self.dataset_id} needs an API key: make one in your profile at mozilladatacollective.com, "
                "and put it into the environment variable MDC_API_KEY"
            )
        if not KEY.fullmatch(self.key):
            raise UsageError("the API key of Mozilla Data Collective has characters that no key has: copy it anew")
        parts = urlsplit(self.base)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
            raise UsageError(f"{self.base}: the API's address begins with https://, for a key is sent there")

    def call(self, method: str, path: str) -> dict[str, Any]:
        """The object that the API answers; the key is shown for POST alone, as reading details needs none."""
        url = f"{self.base}/datasets/{self.dataset_id}{path}"
        return patiently(f"mdc:{self.dataset_id}", lambda: self._attempt(method, url), self.patience, lambda: 0)

    def _attempt(self, method: str, url: str) -> dict[str, Any] | Setback:
        auth, wanted = _Bearer(self.key) if method == "POST" else None, {"Accept": "application/json"}
        try:
            # No redirect is followed: the key would go with it.
            with ask(url, self.patience, wanted, method=method, auth=auth, redirects=0) as answer:
                data = answer.raw.read(LONGEST_ANSWER, decode_content=True)
        except TROUBLE as error:
            return setback(url, error, known=False)
        if answer.status_code in PASSING:
            return Setback(f"the API answers {answer.status_code}", retry_after(answer.headers))
        value = _object(data)
        if not 200 <= answer.status_code < 300:
            raise FetchError(self._refusal(answer.status_code, value))
        if not value:
            raise _odd(self.dataset_id, "sends something else than a JSON object")
        return value

    def _refusal(self, status: int, value: dict[str, Any]) -> str:
        what = {
            401: "the API key is not taken: make a new one in your profile at mozilladatacollective.com",
            402: "this dataset is sold: buy it on its page in a browser",
            403: f"its terms are not agreed to: open {self._page} in a browser and agree, with the account of the key",
            404: f"there is no such dataset: compare the id with the address of its page, {self._page}",
            410: "this dataset is there no more",
        }.get(status, "type the same command again, or fetch it in a browser and use --source with the file")
        said = str(value.get("message") or value.get("error") or "").replace(self.key, "(key)")[:200]
        return f"mdc:{self.dataset_id} answers {status}: {what}" + (f" (the API says: {said})" if said else "")

    @property
    def _page(self) -> str:
        return f"{self.base.removesuffix('/api')}/datasets/{self.dataset_id}"


def _object(data: bytes) -> dict[str, Any]:
    """The JSON object in `data`, empty if there is none."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
