"""Verifiable: shards behind a URL, as a folder of this machine that `verify` can look at.

    CACHE/verify/5f0c.../shards.json, manifest.csv, 000000.tar.json ...     as they are there now
    CACHE/verify/5f0c.../.remote.json                                       where the tars are read, piece by piece

What is small is copied anew each time, damaged or not; of the tars nothing is kept.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ...manifests import DataError, Progress, silent
from ..commit import discard, record_path, write_whole, writing
from ..outdir import BEGUN, REJECTED, SHARDED
from ..places import MANIFEST, Cache, Url
from ..shards.shelf import SHARD
from .mirror import Mirror, keep, pieces
from .store import Gone, Store, Version, persistently, store_of


@contextmanager
def verifiable(url: Url, cache: Cache, progress: Progress = silent) -> Iterator[Path]:
    """A folder that stands for the one at `url` as long as it is open.

    Raises:
        DataError: nothing is there.
        FetchError: it cannot be had.
        OutputError: the cache cannot be written.
    """
    root = cache.folder / "verify" / hashlib.sha256(str(url).encode()).hexdigest()
    with writing(root):
        discard(root)
        root.mkdir(mode=0o700, parents=True)
    try:
        _bring(url, root, cache, progress)
        yield root
    except DataError as error:
        raise DataError(str(error).replace(str(root), str(url))) from error
    finally:
        discard(root)


def _bring(url: Url, root: Path, cache: Cache, progress: Progress) -> None:
    store = store_of(url, cache.patience)
    try:
        listed = persistently(str(url), partial(store.listed, url), cache.patience)
    except Gone as gone:
        raise DataError(f"{url}: {gone}") from gone
    if listed == {}:
        raise DataError(f"{url} is empty or not there: name a folder that dsprep shard wrote")
    index = _copied(store, url, SHARDED, root, cache) if listed is None or SHARDED in listed else {}
    if listed is None:
        listed = dict(_looked_for(store, url, index, cache))
    tars = {name: one for name, one in listed.items() if SHARD.fullmatch(name) and name.endswith(".tar")}
    small = [
        name for name in listed if name in (BEGUN, MANIFEST, REJECTED) or (SHARD.fullmatch(name) and name not in tars)
    ]
    for done, name in enumerate(small, 1):
        _copied(store, url, name, root, cache)
        progress("fetching records", done, len(small), "files")
    keep(Mirror(root, url, tars, True, replace(cache, bytes=0)))


def _looked_for(store: Store, url: Url, index: Mapping[str, Any], cache: Cache) -> Iterator[tuple[str, Version]]:
    """What is there of all that shards.json names, where one cannot list."""
    for name in _named(index):
        if found := persistently(str(url / name), partial(store.look, url / name), cache.patience):
            yield name, found


def _named(index: Mapping[str, Any]) -> Iterable[str]:
    try:
        tars = [Path(str(one["name"])).name for one in index.get("shards", [])]
    except (AttributeError, KeyError, TypeError):
        tars = []
    return [MANIFEST, REJECTED, *tars, *(record_path(Path(name)).name for name in tars)]


def _copied(store: Store, url: Url, name: str, root: Path, cache: Cache) -> dict[str, Any]:
    """Bring a small file; what it holds, if that is a JSON object."""
    write_whole(root / name, pieces(store, url / name, cache.patience))
    if name != SHARDED:
        return {}
    try:
        content = json.loads((root / name).read_bytes())
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
