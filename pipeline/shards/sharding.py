"""Sharding: manifests to shards, several at a time, resumed by shard. No row disappears.

    train.csv, dev.csv   ->   000000.tar ... manifest.csv, rejected.csv, shards.json

Rows of the manifests = rows in shards + rows in rejected.csv. The same manifests, audio and settings give the same
bytes, with any number of workers, in whatever order they are named, and however often it was killed.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ...manifests import DataError, Progress, silent
from ..commit import Record
from ..places import Cache, Place
from ..reading import length_of
from ..workers import run
from .gathering import gather
from .inventory import BY, Made, ShardReport, finish
from .packing import Task, libraries, write_shard
from .placement import Shard, Sharding, plan_shards
from .shelf import LocalShelf, Shelf

__all__ = ["ShardReport", "shard"]

Done = Callable[[Shard, Record], None]
"""Told of a shard that is there."""


def shard(
    places: Sequence[Place],
    out: Path | Shelf,
    sharding: Sharding,
    workers: int,
    progress: Progress = silent,
    cache: Cache | None = None,
) -> ShardReport:
    """Write the samples of manifests and shard folders as shards into the folder or shelf `out`.

    With 0 workers all is done in this process.

    Raises:
        DataError: a manifest is wrong or empty, two samples share an id, or shards are to be written and none of the
            files that the manifests name is there.
        OutputError: `out` is not ours or cannot be written.
    """
    shelf = LocalShelf(out) if isinstance(out, Path) else out
    sources = gather(places, keep_order=sharding.keep_order, cache=cache)
    shelf.begin(BY, sources.folders)
    with shelf.alone([sharding.facts(), sources.facts()]):
        shards = plan_shards(sources.items, sharding)
        made = _write_all(shards, sharding, shelf, workers, progress, ", ".join(map(str, places)))
        return finish(shards, made, sources, sharding, shelf)


def tasks(shards: Iterable[Shard], sharding: Sharding, shelf: Shelf, done: Done) -> Iterator[Task]:
    """What is to be written; `done` is told of the shards that are there."""
    for one in shards:
        key = one.key(sharding)
        task = Task(shard=one, sharding=sharding, shelf=shelf, key=key)
        record = shelf.accepted(one.name, key)
        if record is None:
            yield task
        elif (made_by := record.facts["libraries"]) and made_by != libraries():
            yield replace(task, again=True)
        elif record.facts["left out"] or any(not item.sample.sha256 for item in one.items):
            yield replace(task, unless_same=True)
        else:
            done(one, record)


def _write_all(
    shards: Sequence[Shard], sharding: Sharding, shelf: Shelf, workers: int, progress: Progress, named: str
) -> list[Made]:
    """All shards, those that are there and those that are written now, in their order; `named` is what they are of."""
    made: dict[int, Made] = {}
    total, done = sum(len(one.items) for one in shards), 0

    def take(one: Shard, record: Record) -> None:
        nonlocal done
        made[one.index] = Made.of(record)
        done += len(one.items)
        progress("writing shards", done, total, "samples")

    todo = list(tasks(shards, sharding, shelf, take))
    if not all(task.unless_same for task in todo):
        _check_there(shards, named)
    shelf.reopen()
    for task, record in run(write_shard, todo, 0 if min(workers, len(todo)) == 1 and _copies(todo) else workers):
        take(task.shard, record)
    return [made[one.index] for one in shards]


def _check_there(shards: Sequence[Shard], named: str) -> None:
    """Refuse to write shards of nothing in place of good ones, as when a disk is not mounted.

    Raises:
        DataError: not one of the files that are to be read is there.
    """
    paths = (item.sample.path for one in shards for item in one.items)
    if all(length_of(path) is None for path in paths):
        raise DataError(
            f"none of the files that {named} names is there, the first is {shards[0].items[0].sample.path}: mount or "
            "bring back what they lie on, and type the same command again; OUT stays as it was"
        )


def _copies(todo: Iterable[Task]) -> bool:
    """Whether nothing will be decoded, as far as names tell: then one process does what the start of two delays.

    What decodes foreign files has a process of its own, which may fall, and whose libraries write on no terminal.
    """
    return all(
        task.sharding.form == "keep" and item.sample.path.suffix.lower() in (".wav", ".flac", ".tar")
        for task in todo
        for item in task.shard.items
    )
