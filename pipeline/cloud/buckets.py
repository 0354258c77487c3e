"""Buckets: files of Amazon S3, of what speaks like it, and of Google Cloud Storage, through fsspec.

s3://speech/train/000000.tar       s3fs; credentials, region and endpoint as AWS's own tools find them
gs://speech/train/000000.tar       gcsfs; credentials as Google's own tools find them

No credential passes through here: the libraries find them in the environment, in the files of their tools, or ask the
machine that they run on.
"""

import logging
from contextlib import suppress
from pathlib import Path
from typing import Any

from ...manifests import MissingExtraError
from ..fetching.access import Patience
from ..places import Url
from .store import Changed, Gone, Passing, Refused, RemoteObject, Version
from .trouble import NoBucket, Trouble

PACKAGES = {"s3": "s3fs", "gs": "gcsfs"}
TAGS = {"s3": "ETag", "gs": "generation"}
"""What fsspec's `info` calls the mark of a version."""

PART = 1 << 24
"""Bytes of a large file to send at a time. Ten parts are on their way at once, each held in memory."""


class Buckets:
    """The buckets of one kind."""

    def __init__(self, scheme: str, patience: Patience) -> None:
        self.scheme = scheme
        try:
            self.files = _s3(patience) if scheme == "s3" else _gs(patience)
            self.trouble = Trouble(scheme)
        except ImportError as error:
            package = PACKAGES[scheme]
            raise MissingExtraError(
                f"{scheme}:// needs more: pip install {package} (dsprep's extra 'cloud')"
            ) from error

    def look(self, url: Url) -> Version | None:
        """What lies there."""
        try:
            with self.trouble.told(url):
                found = self.files.info(_key(url))
        except NoBucket:
            raise
        except Gone:
            return None
        return self.version_of(found) if found["type"] == "file" else None

    def open(self, url: Url) -> RemoteObject:
        """The file there, to be read in this version alone."""
        with self.trouble.told(url):
            return _S3Object(url, self) if self.scheme == "s3" else _GsObject(url, self)

    def listed(self, folder: Url) -> dict[str, Version] | None:
        """All files below a folder; None if one may read there but not list."""
        try:
            with self.trouble.told(folder):
                found = self.files.find(_key(folder), detail=True)
        except NoBucket:
            raise
        except Gone:
            return {}
        except Refused:
            return None
        start = len(_key(folder)) + 1
        return {name[start:]: self.version_of(one) for name, one in found.items() if len(name) > start}

    def put(self, url: Url, data: bytes | Path) -> None:
        """Write there: a large file in parts, which become an object all at once or not at all."""
        with self.trouble.told(url):
            if isinstance(data, Path):
                self.files.put_file(str(data), _key(url), chunksize=PART)
            else:
                self.files.pipe_file(_key(url), data)

    def remove(self, url: Url) -> None:
        """Remove the file there."""
        with suppress(Gone), self.trouble.told(url):
            self.files.rm_file(_key(url))

    def version_of(self, found: dict[str, Any]) -> Version:
        return Version(found["size"], str(found.get(TAGS[self.scheme], "")))


class _Object:
    """An object that is open."""

    def __init__(self, url: Url, version: Version, trouble: Trouble) -> None:
        self.version = version
        self._url, self._trouble = url, trouble

    def read(self, offset: int, size: int) -> bytes:
        wanted = min(size, max(0, (self.version.bytes or 0) - offset))
        if not wanted:
            return b""
        try:
            with self._trouble.told(self._url):
                data = self._range(offset, offset + wanted)
        except Gone as gone:  # there was one when it was opened; is there another?
            raise Changed from gone
        if len(data) != wanted:
            raise Passing(f"{len(data)} of {wanted} bytes came")
        return data

    def _range(self, start: int, end: int) -> bytes:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing is held."""


class _S3Object(_Object):
    """Read through s3fs's own file, which asks for the ETag that it found (If-Match)."""

    def __init__(self, url: Url, buckets: Buckets) -> None:
        # Without a cache of its own, which would read ahead: samples lie anywhere.
        self._file = buckets.files.open(_key(url), "rb", cache_type="none")
        super().__init__(url, buckets.version_of(self._file.details), buckets.trouble)

    def _range(self, start: int, end: int) -> bytes:
        self._file.seek(start)
        data: bytes = self._file.read(end - start)
        return data

    def close(self) -> None:
        self._file.close()


class _GsObject(_Object):
    """Read by its generation: gcsfs's own file would go on with another one."""

    def __init__(self, url: Url, buckets: Buckets) -> None:
        self._files = buckets.files
        super().__init__(url, buckets.version_of(self._files.info(_key(url))), buckets.trouble)

    def _range(self, start: int, end: int) -> bytes:
        data: bytes = self._files.cat_file(_key(self._url), start=start, end=end, generation=self.version.tag)
        return data


def _key(url: Url) -> str:
    return f"{url.host}/{url.path}".rstrip("/")


def _s3(patience: Patience) -> Any:
    import s3fs

    seconds = patience.timeout_seconds
    files = s3fs.S3FileSystem(
        # One for every thread of the process, and no list that was true a while ago.
        skip_instance_cache=True,
        use_listings_cache=False,
        config_kwargs={"connect_timeout": seconds, "read_timeout": seconds, "retries": {"total_max_attempts": 1}},
    )
    files.retries = 1  # patience is ours, one for all kinds of store
    return files


def _gs(patience: Patience) -> Any:
    # The plain one: the other asks first what kind of bucket it is, which takes rights that readers may not have.
    from gcsfs.core import GCSFileSystem

    for name in ("gcsfs", "google.auth"):  # what they would write to the terminal is in the errors that are raised
        logging.getLogger(name).addHandler(logging.NullHandler())
    return GCSFileSystem(skip_instance_cache=True, use_listings_cache=False, requests_timeout=patience.timeout_seconds)
