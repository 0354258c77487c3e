"""Places: where a user says that data lies, on this machine or behind a URL.

    data/train.csv                            a manifest
    shards                                    a folder of shards, by its manifest.csv
    theirs/{000000..000145}.tar               other people's shards, which are indexed once
    s3://speech/train-clean-100               such a folder in a bucket; gs://BUCKET/PATH likewise
    https://example.org/digits/train.csv      read alone; what lies beside it is asked for with the same query

A URL's query may be a right to read (a presigned URL), so it is never shown.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from ..manifests import DataError, Progress, UsageError, silent
from .fetching.access import PATIENCE, Patience

MANIFEST = "manifest.csv"
"""Of a folder of shards."""
REMOTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
"""How a URL begins; a path that does has two slashes too many."""
BUCKETS = ("s3", "gs")
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
"""Hosts that are this machine: nobody is between, so http is as good as https."""
HIDDEN = re.compile(r"[\0-\x1f\x7f]|(^|/)\.{1,2}(/|$)")
"""What no name of ours has, and what a server may take for another place than we do."""


@dataclass(frozen=True, slots=True)
class Url:
    """A folder or file behind a URL."""

    scheme: str
    """`s3`, `gs`, `https`, or `http` on this machine alone."""
    host: str
    """The bucket, or the server with its port."""
    path: str
    """Without slashes at its ends; as it was typed, so percent-encoded for a server."""
    query: str = field(default="", repr=False)

    def __str__(self) -> str:
        """The URL without its query."""
        return f"{self.scheme}://{self.host}/{self.path}".rstrip("/")

    def __truediv__(self, name: str) -> "Url":
        """What lies below, `/` between folders."""
        below = name if self.scheme in BUCKETS else quote(name)
        return replace(self, path=f"{self.path}/{below}".lstrip("/"))

    @property
    def whole(self) -> str:
        """All of it, for the server and nobody else."""
        return str(self) + (f"?{self.query}" if self.query else "")

    @property
    def name(self) -> str:
        """The last part of the path, or the host."""
        return unquote(self.path.rpartition("/")[2]) or self.host

    @property
    def parent(self) -> "Url":
        """The folder that it lies in."""
        return replace(self, path=self.path.rpartition("/")[0])


Place = Path | Url


def unheard(notice: str) -> None:
    """Nobody is told. A name and not a lambda, for a cache goes to worker processes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """A folder of this machine for what comes from elsewhere; it may be thrown away at any time."""

    folder: Path
    bytes: int = 10**10
    """That clips may take up in it; those used longest ago make room."""
    patience: Patience = PATIENCE
    """With servers that give trouble."""
    workers: int = 1
    """Processes that index other people's shards."""
    progress: Progress = silent
    on_notice: Callable[[str], None] = unheard
    """Told of samples that an index had to leave out."""


def place_of(text: str) -> Place:
    """What a user typed.

    Raises:
        UsageError: it is a URL that is not read.
    """
    return url_of(text) if REMOTE.match(text) else Path(text)


def url_of(text: str) -> Url:
    """A URL that was typed.

    Raises:
        UsageError: it is of a kind that is not read, or incomplete.
    """
    shown = url_text(text)
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise UsageError(f"{shown} is not a URL: {error}") from error
    if parts.scheme not in (*BUCKETS, "http", "https"):
        raise UsageError(f"{shown}: only s3://, gs:// and https:// are read; name a file by its path")
    if parts.username is not None:
        raise UsageError(f"{shown} has a name or password in it: leave that to the environment or ~/.netrc")
    if parts.scheme == "http" and parts.netloc.rpartition(":")[0] not in LOOPBACK and parts.netloc not in LOOPBACK:
        raise UsageError(f"{shown}: http can be read and changed on its way; name it https://")
    bucket = parts.scheme in BUCKETS
    if not parts.netloc or parts.fragment or (bucket and parts.query) or HIDDEN.search(unquote(parts.path)):
        raise UsageError(f"{shown} is not a URL of data: it is {parts.scheme}://{_form(bucket)}")
    return Url(parts.scheme, parts.netloc, parts.path.strip("/"), parts.query)


def url_text(text: str) -> str:
    """Of a URL that was typed what may be shown: no query, no name or password."""
    scheme, _, rest = text.partition("?")[0].partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def manifest_of(place: Place, cache: Cache | None = None) -> Path:
    """The manifest that a user means, on this machine: a CSV itself, that of a folder of shards, or an index of tars.

    Of a URL it is a copy in the cache, which is looked after at each call; `reading.open_file` finds the audio.

    Raises:
        DataError: the place holds no manifest, or one that is damaged.
        FetchError: it is elsewhere and cannot be had.
        UsageError: it is a URL, and there is no cache.
    """
    if isinstance(place, Url):
        from .cloud.mirror import mirrored

        if cache is None:
            raise UsageError(f"{place}: what is read from a URL needs a cache folder on this machine")
        return mirrored(place, cache)
    if (place / MANIFEST).is_file():
        return place / MANIFEST
    from .shards.foreign import indexed, tars_in

    if tars := tars_in(place):
        if cache is None:
            raise UsageError(f"{place} is shards without a manifest: to index them needs a cache folder")
        return indexed(tars, cache)
    if not place.is_dir():
        return place
    raise DataError(f"{place} is no shard folder: it holds no {MANIFEST}; name a manifest in it, as {place}/train.csv")


def home_of(place: Place) -> Place:
    """What a place is called by: the folder of a `manifest.csv`, else the CSV or folder itself."""
    return place.parent if place.name == MANIFEST else place


def _form(bucket: bool) -> str:
    return "BUCKET/PATH, without ?, # and .. in it" if bucket else "HOST/PATH, without # and .. in it"
