"""Tabling: manifests and shard folders, named together, as one table.

    data/train.csv, s3://speech/more   ->   a Table: keys, lengths, places, texts; a Sample when it is asked for

A table of large manifests is kept in the cache and mapped from there by the next command, which starts at once.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ..manifests import DataError, Sample
from ..manifests.ctc import RATE
from .commit import digest_of
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
    sets = [_measured(rows_of(place, path)) for place, path in zip(places, manifests, strict=True)]
    if cache and sum(path.stat().st_size for path in manifests if path.is_file()) > LARGE:
        key = digest_of([CODE, [_state(path) for path in manifests]])
        table = Table.kept(cache.folder / "tables" / key, key, *sets)
    else:
        table = Table.of(*sets)
    if not len(table):
        raise DataError(f"{', '.join(map(str, places))}: no samples in there")
    check_files(table.furthest())
    return table


def _state(path: Path) -> list[str | int]:
    found = path.stat()
    return [str(path.resolve()), found.st_size, found.st_mtime_ns]


def _measured(samples: Iterable[Sample]) -> Iterator[Sample]:
    """The samples, with the length of those of which the manifest does not tell it."""
    with Reader() as reader:
        for one in samples:
            yield one if one.duration is not None else replace(one, duration=len(read_pcm(one, reader)) / RATE)
