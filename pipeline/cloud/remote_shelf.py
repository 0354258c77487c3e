"""RemoteShelf: a folder in a bucket as a place for shards.

    CACHE/building/5f0c.../.000003.tar.4711-....tmp      built, hashed
    s3://speech/train/000003.tar                         sent, its size compared
    s3://speech/train/000003.tar.json                    then its record
    s3://speech/train/shards.json                        the mark, last

An object is there whole or not at all, so nothing needs renaming. A shard counts when its record is there and its tar
has the recorded size: so another machine goes on where this one was stopped.
"""

import hashlib
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from ...manifests import DataError, OutputError
from .. import outdir
from ..commit import (
    Building,
    FileDigest,
    Record,
    discard,
    record_of,
    recorded,
    seal,
    sweep,
    temporary_name,
    unseal,
    write_whole,
    writing,
)
from ..outdir import BEGUN, MADE_BY, SHARDED
from ..places import Cache, Url
from ..shards.shelf import SHARD
from .mirror import mirror_of, pieces
from .store import Gone, Store, persistently, store_of, writable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RemoteShelf:
    """A folder in a bucket."""

    url: Url
    cache: Cache

    def __post_init__(self) -> None:
        writable(self.url)

    def alone(self, work: object) -> AbstractContextManager[None]:
        """See `Shelf`. Of other machines nothing is known."""
        return outdir.alone(self._home(), work)

    def begin(self, facts: dict[str, Any], read: Iterable[Path]) -> None:
        """See `Shelf`."""
        mirrors = [mirror for folder in read if (mirror := mirror_of(folder / SHARDED))]
        if any(str(mirror.url) == str(self.url) for mirror in mirrors):
            raise DataError(f"{self.url} holds what is to be read: name another folder for the shards")
        there = self._listed()
        marks = [self._mark(name) for name in (SHARDED, BEGUN) if name in there]
        damaged = {} in marks and any(name.endswith(".tar.json") for name in there)
        if there and not damaged and not any(one.get(MADE_BY) == facts[MADE_BY] for one in marks):
            raise OutputError(f"{self.url} is not empty and was not made by {facts[MADE_BY]}: name another folder")
        sweep(self._home())
        self._send(BEGUN, seal(facts))

    def reopen(self) -> None:
        """See `Shelf`."""
        self.remove(SHARDED)

    def end(self) -> None:
        """See `Shelf`."""
        self.remove(BEGUN)
        sweep(self._home())

    def accepted(self, name: str, key: str) -> Record | None:
        """See `Shelf`."""
        record = self.record(name)
        if record is None or record.key != key:
            return None
        return record if all(self._size(file.name) == file.size for file in record.files) else None

    def record(self, name: str) -> Record | None:
        """See `Shelf`."""
        try:
            return record_of(b"".join(pieces(self._store(), self.url / f"{name}.json", self.cache.patience)))
        except DataError:  # there is none, or it is just being replaced
            return None

    def commit(self, name: str, key: str, build: Callable[[Building], Any]) -> Record:
        """See `Shelf`."""
        final = self._home() / name
        temporary = temporary_name(final)
        with writing(final):
            try:
                building = Building(final, temporary)
                facts = build(building)
                if record := self.accepted(name, key):
                    return record
                self.remove(f"{name}.json")
                self._send(name, temporary)
            finally:
                discard(temporary)
        (file,) = building.files
        if (size := self._size(name)) != file.size:
            raise OutputError(f"{self.url / name} has {size} bytes, {file.size} were sent; type the same command again")
        record, data = recorded(key, building.files, facts)
        self._send(f"{name}.json", data)
        return record

    def put(self, name: str, data: bytes | Iterable[bytes]) -> FileDigest:
        """See `Shelf`."""
        path = temporary_name(self._home() / name)
        try:
            written = write_whole(path, data)
            self._send(name, path)
        finally:
            discard(path)
        return FileDigest(name, written.size, written.sha256)

    def remove(self, name: str) -> None:
        """See `Shelf`."""
        self._ask(name, partial(self._store().remove, self.url / name))

    def names(self) -> list[str]:
        """See `Shelf`."""
        return sorted(name for name in self._listed() if SHARD.fullmatch(name))

    def _mark(self, name: str) -> dict[str, Any]:
        """What a mark says; nothing if it is damaged."""
        place = self.url / name
        try:
            return unseal(b"".join(pieces(self._store(), place, self.cache.patience)), str(place))
        except DataError:
            return {}

    def _listed(self) -> set[str]:
        listed = self._ask("", partial(self._store().listed, self.url))
        if listed is None:
            raise OutputError(f"{self.url}: the store does not let you list it: ask for the right to, or name another")
        return set(listed)

    def _size(self, name: str) -> int | None:
        found = self._ask(name, partial(self._store().look, self.url / name))
        return found.bytes if found else None

    def _send(self, name: str, data: bytes | Path) -> None:
        self._ask(name, partial(self._store().put, self.url / name, data))

    def _ask(self, name: str, attempt: Callable[[], T]) -> T:
        place = self.url / name if name else self.url
        try:
            return persistently(str(place), attempt, self.cache.patience)
        except Gone as gone:
            raise OutputError(f"{place}: {gone}") from gone

    def _store(self) -> Store:
        return store_of(self.url, self.cache.patience)

    def _home(self) -> Path:
        """Where shards are built, on this machine."""
        home = self.cache.folder / "building" / hashlib.sha256(str(self.url).encode()).hexdigest()
        with writing(home):
            home.mkdir(parents=True, exist_ok=True)
        return home
