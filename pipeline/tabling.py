"""Tabling: manifests and shard folders, named together, as one table.

    data/train.csv, s3://speech/more   ->   a Table: keys, lengths, places, texts; a Sample when it is asked for

A table of large manifests is kept in the cache, under a digest of what they say and where they lie, and mapped from
there by the next command, which starts at once.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ..manifests import DataError, OutputError, Sample
from ..manifests.ctc import RATE
from .commit import digest_of, discard, record_path
from .hashing import sha256_of
from .pcm import read_pcm
from .places import Cache, Place, manifest_of
from .reading import Reader
from .samples import check_files, rows_of
from .table import CODE, Table

LARGE = 50_000_000
"""Bytes of manifests, some 300,000 rows: to read fewer takes three seconds."""


def read_table(places: Sequence[Place], cache: Cache | None = None) -> Table:
    """The samples of any mix of manifests and shard folders, which share no id; all have a length.

    Raises:
        DataError: a place is neither, all are empty, a file is gone or of another size, or two samples share an id.
        FetchError: a place is behind a URL and cannot be had.
    """
    manifests = [manifest_of(place, cache) for place in places]
    large = sum(path.stat().st_size for path in manifests if path.is_file()) > LARGE
    table = _kept(places, manifests, cache) if cache and large else None
    if table is None:
        table = Table.of(*(_measured(place, path) for place, path in zip(places, manifests, strict=True)))
    if not len(table):
        raise DataError(f"{', '.join(map(str, places))}: no samples in there")
    check_files(table.furthest())
    return table


class _Untold(Exception):
    """A manifest does not tell every length: what is measured may change while the manifest does not."""


def _kept(places: Sequence[Place], manifests: Sequence[Path], cache: Cache) -> Table | None:
    """The table in the cache, made if it is not there; None if it cannot be kept."""
    # Samples lie where their manifest does, by the name that was given: a link to it has other files beside it.
    whole = [path.absolute() for path in manifests]
    key = digest_of([CODE, [[str(path), sha256_of(path)] for path in whole]])
    folder = cache.folder / "tables" / key
    try:
        table = Table.kept(folder, key, *(_told(place, path) for place, path in zip(places, whole, strict=True)))
        os.utime(record_path(folder))
    except _Untold:
        return None
    except (OutputError, OSError) as error:
        cache.on_notice(f"the table of {places[0]} cannot be kept for the next command: {error}")
        return None
    _make_room(folder, cache.bytes)
    return table


def _make_room(mine: Path, most: int) -> None:
    """Remove the tables beside `mine` that were used longest ago, until all take no more than `most` bytes."""
    others = [path for path in mine.parent.glob("*.json") if path != record_path(mine)]
    taken = _size(mine)
    for record in sorted(others, key=lambda path: path.stat().st_mtime_ns, reverse=True):
        taken += _size(record.with_suffix(""))
        if taken > most:
            discard(record)
            discard(record.with_suffix(""))


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*"))


def _told(place: Place, manifest: Path) -> Iterator[Sample]:
    for one in rows_of(place, manifest):
        if one.duration is None:
            raise _Untold
        yield one


def _measured(place: Place, manifest: Path) -> Iterator[Sample]:
    """The samples, with the length of those of which the manifest does not tell it."""
    with Reader() as reader:
        for one in rows_of(place, manifest):
            yield one if one.duration is not None else replace(one, duration=len(read_pcm(one, reader)) / RATE)
