"""Mirror: the manifest of a data set that lies behind a URL, on this machine, and where its audio is to be had.

    CACHE/remote/5f0c.../manifest.csv     as it lies there, fetched again when it has changed
    CACHE/remote/5f0c.../.remote.json     sealed: the URL, and the size and version of each tar

The paths of its samples, `CACHE/remote/5f0c.../000000.tar`, are of no file. Whoever opens one is led by `.remote.json`
to the URL. The folder is named by the URL and closed to others, for a URL may be a right to read.
"""

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from ...manifests import DataError, FetchError
from ..commit import seal, unseal, write_whole, writing
from ..fetching.access import Patience
from ..hashing import sha256_if_there
from ..outdir import BEGUN, SHARDED
from ..places import MANIFEST, Cache, Url, url_of
from .store import Changed, Gone, Refused, Store, Version, persistently, store_of

MARK = ".remote.json"
PIECE = 1 << 24
"""Bytes to ask for at a time of what is read from end to end."""
SOON = 4
"""Attempts at what is asked first: a name that was mistyped is told within seconds."""


@dataclass(frozen=True, slots=True)
class Mirror:
    """A data set behind a URL."""

    root: Path
    """Of the mirror, on this machine."""
    url: Url
    """The folder that the manifest lies in."""
    files: Mapping[str, Version]
    """By name in that folder, as far as known: its tars."""
    listed: bool
    """Whether these are all that are there."""
    cache: Cache

    def locate(self, path: Path) -> tuple[str, Url]:
        """The name of a sample's file below the data set's folder, and its URL."""
        name = path.relative_to(self.root).as_posix()
        return name, self.url / name

    def length_of(self, path: Path, unknown: int) -> int | None:
        """Bytes of a sample's file when the manifest was read; None if it was not there, `unknown` if nobody told."""
        version = self.files.get(path.relative_to(self.root).as_posix())
        if version is None:
            return None if self.listed else unknown
        return unknown if version.bytes is None else version.bytes


def mirrored(url: Url, cache: Cache) -> Path:
    """The manifest at a URL, of a CSV or a folder of shards, as it is now, by its copy in the cache.

    Raises:
        DataError: there is none, it is damaged or not finished, or it names what lies elsewhere.
        FetchError: it cannot be had.
        OutputError: the cache cannot be written.
    """
    named = url.name.endswith(".csv")
    home, name = (url.parent, url.name) if named else (url, MANIFEST)
    root = cache.folder / "remote" / hashlib.sha256(str(home / name).encode()).hexdigest()
    with writing(root):
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
    store = store_of(url, cache.patience)
    listed, index = None, None
    if name == MANIFEST:
        soon = replace(cache.patience, attempts=min(SOON, cache.patience.attempts))
        try:
            listed = persistently(str(home), lambda: store.listed(home), soon)
        except Gone as gone:
            raise DataError(f"{home}: {gone}") from gone
        index = _index(store, home, listed, soon)
    _copy(store, url if named else home / name, root / MANIFEST, cache.patience, index.manifest if index else "")
    _check_names(root / MANIFEST, home)
    files = listed if listed is not None else index.tars if index else {}
    keep(Mirror(root, home, files, listed is not None, cache))
    return root / MANIFEST


def mirror_of(path: Path) -> Mirror | None:
    """The mirror that a path of no file belongs to; None if it belongs to none."""
    for root in path.parents:
        try:
            status = (root / MARK).stat()
        except OSError:
            continue
        return _read(root, status.st_mtime_ns, status.st_ino)
    return None


def pieces(store: Store, url: Url, patience: Patience) -> Iterator[bytes]:
    """A file from end to end, all of the same version.

    Raises:
        DataError: it is not there, or was replaced in between.
        FetchError: it cannot be had.
    """
    try:
        with closing(persistently(str(url), partial(store.open, url), patience)) as file:
            offset = 0
            while piece := persistently(str(url), partial(file.read, offset, PIECE), patience):
                yield piece
                offset += len(piece)
    except Gone as gone:
        raise DataError(f"{url}: {gone}") from gone
    except Changed as error:
        raise DataError(f"{url} was replaced while it was read; type the same command again") from error


@dataclass(frozen=True, slots=True)
class _Index:
    """What `shards.json` tells."""

    manifest: str
    """sha256 of manifest.csv."""
    tars: dict[str, Version]


def _index(store: Store, home: Url, listed: Mapping[str, Version] | None, patience: Patience) -> _Index | None:
    """What `shards.json` tells; None where there is none, as in a folder of another maker."""

    def there(name: str) -> bool:
        if listed is not None:
            return name in listed
        try:
            return persistently(str(home / name), lambda: store.look(home / name), patience) is not None
        except Refused:
            if name == MANIFEST:
                raise
            return False

    if there(SHARDED):
        place = home / SHARDED
        return _told(unseal(b"".join(pieces(store, place, patience)), str(place)), place)
    if there(BEGUN):
        raise DataError(f"{home} is incomplete: type the dsprep shard that makes it once more, it goes on from there")
    if not there(MANIFEST):
        raise DataError(
            f"{home} is no shard folder: it holds no {MANIFEST}; name a manifest in it, as {home}/train.csv, or copy "
            "it to this machine if it holds tars alone"
        )
    return None


def _told(content: Mapping[str, Any], place: Url) -> _Index:
    try:
        digests = {one["name"]: str(one["sha256"]) for one in content["files"]}
        return _Index(digests[MANIFEST], {one["name"]: Version(int(one["bytes"]), "") for one in content["shards"]})
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{place} is not a list of shards: dsprep shard has not written it") from error


def _copy(store: Store, url: Url, copy: Path, patience: Patience, sha256: str) -> None:
    """Bring the manifest at a URL to this machine, if what is here already is not the same."""
    if sha256 and sha256_if_there(copy) == sha256:
        return
    written = write_whole(copy, pieces(store, url, patience))
    if sha256 not in ("", written.sha256):
        raise DataError(
            f"{url} is not the one that {SHARDED} beside it tells of: it is being written, or damaged; try again, or "
            f"type dsprep verify {url.parent}"
        )


def _check_names(manifest: Path, home: Url) -> None:
    """Make sure that all audio lies below the manifest: nobody's manifest leads to other files of this machine."""
    csv.field_size_limit(2**31 - 1)  # as read_manifest does
    with manifest.open(encoding="utf-8-sig", newline="", errors="replace") as file:
        rows = csv.reader(file, strict=True)
        header = next(rows, [])
        column = header.index("wav_filename") if "wav_filename" in header else len(header)
        try:
            for row in rows:
                name = row[column] if column < len(row) else ""
                if name.startswith("/") or "://" in name or ".." in name.split("/"):
                    place = f"the manifest in {home}"
                    raise DataError.at(place, rows.line_num, f"{name} does not lie below it: copy both to this machine")
        except csv.Error:
            return  # whoever reads it as a manifest says where


def keep(mirror: Mirror) -> None:
    """Write down where the files of a mirror are to be had, for whoever opens one."""
    content = {
        "url": mirror.url.whole,
        "listed": mirror.listed,
        "files": {name: [one.bytes, one.tag] for name, one in mirror.files.items()},
        "cache bytes": mirror.cache.bytes,
        "patience": asdict(mirror.cache.patience),
    }
    sealed = seal(content)
    path = mirror.root / MARK
    if not path.exists() or path.read_bytes() != sealed:
        write_whole(path, sealed)


@lru_cache(maxsize=16)
def _read(root: Path, changed_ns: int, inode: int) -> Mirror:
    """The mirror in a folder; of each state of its mark it is read once a process."""
    path = root / MARK
    try:
        content = unseal(path.read_bytes(), str(path))
        files = {name: Version(*facts) for name, facts in content["files"].items()}
        cache = Cache(folder=root.parents[1], bytes=content["cache bytes"], patience=Patience(**content["patience"]))
        return Mirror(root, url_of(content["url"]), files, content["listed"], cache)
    except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise FetchError(f"{path} cannot be read: {error}; remove it and type the same command again") from error
