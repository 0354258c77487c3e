"""Offer: a file that can be fetched, and what it must turn out to be.

    https://www.openslr.org/resources/12/dev-clean.tar.gz     337926286 bytes     md5:42e2234ba48799c1f50f24a7926300a1

What comes may be something else: the page of a hotel's network with status 200, for one. A name that promises an
archive is held to the first bytes of one.
"""

import re
import tarfile
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit, urlunsplit

from ...importers import Archive
from ...manifests import FetchError
from ..commit import digest_of

HEAD = 512
"""Bytes that tell what a file is: a tar's first header."""
DIGEST = re.compile(r"(md5:[0-9a-f]{32}|sha256:[0-9a-f]{64})?")
LONGEST_NAME = 200
"""Bytes of UTF-8: most filesystems take 255, and the names beside the file are longer than its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A file at a URL: under which name it is kept, and what it must be."""

    url: str = field(repr=False)
    """Whoever knows a signed one may fetch the file, so that it is neither shown nor written down."""
    name: str
    bytes: int | None
    """Published size; None where the publisher does not tell."""
    digest: str
    """`md5:...` or `sha256:...`; empty where the publisher gives none."""
    identity: str
    """The same for the same file, whatever its URL is today."""

    def __post_init__(self) -> None:
        if reason := _bad_name(self.name):
            raise FetchError(
                f"{shown(self.url)} offers a file called {self.name!r}: {reason}; use --source with a file"
            )
        if not DIGEST.fullmatch(self.digest):
            raise FetchError(f"{self.name}: {self.digest!r} is no digest that can be checked, as md5:... or sha256:...")
        if self.bytes is not None and self.bytes < 0:
            raise FetchError(f"{self.name} cannot have {self.bytes} bytes")


def offered(archive: Archive) -> Offer:
    """The published `archive` as an offer.

    Raises:
        FetchError: its name is none for a file.
    """
    identity = archive.digest or digest_of(archive.url)
    name = url_name(archive.url)
    return Offer(url=archive.url, name=name, bytes=archive.bytes, digest=archive.digest, identity=identity)


def url_name(url: str) -> str:
    """The name of the file at `url`: the last part of its path, without a query.

    Raises:
        FetchError: `url` is none.
    """
    try:
        return PurePosixPath(unquote(urlsplit(url).path)).name
    except ValueError as error:
        raise FetchError(f"{shown(url)} is no URL: {error}") from error


def shown(url: str) -> str:
    """`url` as it may be printed: without a password, and without a query, which may hold a signature."""
    try:
        parts = urlsplit(url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    except ValueError:
        return "a URL that is none"


def wrong_head(name: str, head: bytes) -> str:
    """What is wrong with a file called `name` that begins with `head`, its first 512 bytes; empty if nothing is."""
    lower = name.lower()
    if lower.endswith((".gz", ".tgz")):
        return "" if head.startswith(b"\x1f\x8b") else "it does not begin as a gzip"
    if lower.endswith(".zip"):
        return "" if head.startswith((b"PK\x03\x04", b"PK\x05\x06")) else "it does not begin as a zip"
    if lower.endswith(".tar"):
        try:
            tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
        except tarfile.HeaderError:
            return "it does not begin as a tar"
    return ""


def _bad_name(name: str) -> str:
    if not name or name.startswith("."):
        return "it is empty or begins with a dot"
    if "/" in name or "\\" in name or not name.isprintable():
        return "it has a slash or a control character"
    return "it is too long" if len(name.encode("utf-8", "surrogatepass")) > LONGEST_NAME else ""
