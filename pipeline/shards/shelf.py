"""Shelf: where shards go. All that sharding does to its output goes through one, so that it need not be a folder.

    with shelf.alone(work):
        shelf.begin(facts, folders)      it is ours from here on
        shelf.reopen()                   it is not what it says any more
        shelf.commit("000000.tar", ...)  whole or not at all, with a record
        shelf.put("shards.json", ...)    the mark, last
        shelf.end()

A shelf goes to the worker processes, so it must pickle and hold nothing open.
"""

import re
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ...manifests import DataError
from .. import commit, outdir
from ..commit import Building, FileDigest, Record
from ..outdir import SHARDED


class Shelf(Protocol):
    """A place for shards, by their names."""

    def alone(self, work: object) -> AbstractContextManager[None]:
        """Let nobody else do other `work`, a JSON value, here meanwhile, as far as that can be known."""

    def begin(self, facts: dict[str, Any], read: Iterable[Path]) -> None:
        """Claim it for what `facts` tell of.

        Raises:
            DataError: it is one of the folders that are `read`.
            OutputError: it cannot be written, or holds what `dsprep shard` did not make.
        """

    def reopen(self) -> None:
        """Take the mark away, before the first byte changes."""

    def end(self) -> None:
        """Take the sign of work in progress away."""

    def accepted(self, name: str, key: str) -> Record | None:
        """The record of `name` if it is done: recorded with that key, and there in the recorded size."""

    def record(self, name: str) -> Record | None:
        """The record of `name`, whatever its key, if there is one that is whole."""

    def commit(self, name: str, key: str, build: Callable[[Building], Any]) -> Record:
        """Make `name` whole or not at all, then its record; `build` writes it and returns the record's facts.

        What `accepted` finds when `build` has ended is left as it is, and its record returned.
        """

    def put(self, name: str, data: bytes | Iterable[bytes]) -> FileDigest:
        """Put a file there: the old one or the new one, never a piece."""

    def remove(self, name: str) -> None:
        """Remove a file if it is there."""

    def names(self) -> list[str]:
        """Of the files that are there and could be shards or records of shards."""


SHARD = re.compile(r"\d{6,}\.tar(\.json)?")
"""A shard or its record, by name."""


@dataclass(frozen=True, slots=True)
class LocalShelf:
    """A folder on this machine."""

    out: Path

    def alone(self, work: object) -> AbstractContextManager[None]:
        """See `Shelf`."""
        return outdir.alone(self.out, work)

    def begin(self, facts: dict[str, Any], read: Iterable[Path]) -> None:
        """See `Shelf`."""
        here = self.out.resolve()
        if any(folder.resolve() == here for folder in read):
            raise DataError(f"{self.out} holds what is to be read: name another folder for the shards")
        outdir.begin(self.out, SHARDED, facts)

    def reopen(self) -> None:
        """See `Shelf`."""
        outdir.reopen(self.out, SHARDED)

    def end(self) -> None:
        """See `Shelf`."""
        outdir.end(self.out)

    def accepted(self, name: str, key: str) -> Record | None:
        """See `Shelf`."""
        return commit.accepted(self.out / name, key)

    def record(self, name: str) -> Record | None:
        """See `Shelf`."""
        return commit.read_record(self.out / name)

    def commit(self, name: str, key: str, build: Callable[[Building], Any]) -> Record:
        """See `Shelf`."""
        return commit.commit(self.out / name, key, build)

    def put(self, name: str, data: bytes | Iterable[bytes]) -> FileDigest:
        """See `Shelf`."""
        return commit.write_whole(self.out / name, data)

    def remove(self, name: str) -> None:
        """See `Shelf`."""
        commit.discard(self.out / name)

    def names(self) -> list[str]:
        """See `Shelf`."""
        return sorted(path.name for path in self.out.iterdir() if SHARD.fullmatch(path.name))
