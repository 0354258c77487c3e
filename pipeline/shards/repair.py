"""Repair: what is damaged of a folder of shards, made again to the same bytes from what it was made of.

    000003.tar, 000003.tar.json                by `write_shard`, and of the sha256 that shards.json or the record tells
    manifest.csv, rejected.csv, shards.json    by `finish`, and only what differs is written

What is whole is not touched. The damaged stays until its successor is there; where that would be another one, for good.
"""

import hashlib
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...manifests import DataError, Progress, UsageError, silent
from ..commit import FileDigest, Record
from ..places import Cache, Place
from ..reading import Reader
from ..verdict import Verdict, file_fault
from ..verify import verify
from ..workers import run
from .accounts import Accounts, Tar, holds_shards
from .gathering import Sources, gather
from .intake import Refused, Taken, take
from .inventory import Made, finish
from .packing import Task, write_shard
from .placement import Shard, Sharding, plan_shards
from .shelf import LocalShelf

FEW = 2
"""Shards that are written sooner in this process than worker processes have begun."""


@dataclass(frozen=True, slots=True)
class Repair:
    """What was done."""

    mended: tuple[Path, ...]
    """Files that were written."""
    verdict: Verdict
    """What the folder is now, by reading all of it."""


@dataclass(frozen=True, slots=True)
class Mending(LocalShelf):
    """A folder in which only what differs is written, and nothing removed."""

    written: list[Path] = field(default_factory=list)

    def put(self, name: str, data: bytes | Iterable[bytes]) -> FileDigest:
        """See `Shelf`."""
        whole = data if isinstance(data, bytes) else b"".join(data)
        file = FileDigest(name, len(whole), hashlib.sha256(whole).hexdigest())
        if file_fault(self.out / name, file, deep=True):
            LocalShelf.put(self, name, whole)
            self.written.append(self.out / name)
        return file

    def names(self) -> list[str]:
        """See `Shelf`."""
        return []


def repair(
    root: Path,
    places: Sequence[Place],
    *,
    workers: int = 0,
    progress: Progress = silent,
    cache: Cache | None = None,
) -> Repair:
    """Mend the shards in `root`, which were made of the manifests or shards `places`.

    What lies behind a URL, or is other people's shards, needs a `cache`.

    Raises:
        UsageError: `root` was not made by `dsprep shard`.
        DataError: `root` holds nothing that is finished; `places` are not what the shards were made of; too little is
            whole to tell how they were made; or what was damaged would become other than it was (the rest is mended).
        OutputError: the folder cannot be written.
    """
    if not holds_shards(root):
        made_by = verify(root, deep=False).kind
        raise UsageError(
            f"{root} was made by dsprep {made_by}, which mends by itself what is gone: remove the files that "
            f"dsprep verify --deep {shlex.quote(str(root))} names, and type dsprep {made_by} with the same options "
            "once more"
        )
    accounts = Accounts(root, deep=True)
    tars = {tar.path.name: tar for tar in accounts.tars()}
    sharding = _settings(accounts)
    sources = gather(places, keep_order=sharding.keep_order, cache=cache)
    shards = plan_shards(sources.items, sharding)
    _check_sources(accounts, sources, shards, sharding)
    before = verify(root, deep=True, workers=workers, progress=progress)
    shelf = Mending(root)
    if not before.findings:
        shelf.end()
        return Repair((), before)
    damaged = {finding.path for finding in before.findings}
    if other := next((path for path in sorted(damaged) if path.exists() and not path.is_file()), None):
        raise DataError(f"{other} is no file: move it away and type the same command again")
    with shelf.alone([sharding.facts(), sources.facts()]):
        bad = [one for one in shards if one.name not in accounts.records or root / one.name in damaged]
        made = {name: one.made for name, one in accounts.records.items()}
        made |= _write(bad, tars, sharding, shelf, workers, progress)
        finish(shards, [made[one.name] for one in shards], sources, sharding, shelf)
    return Repair(tuple(sorted(shelf.written)), verify(root, deep=True, workers=workers, progress=progress))


def _settings(accounts: Accounts) -> Sharding:
    """The settings that the shards were made with, by shards.json or else by any record that is whole."""
    told = [accounts.index.get("settings")] if accounts.index else []
    for settings in (*told, *(one.settings for one in accounts.records.values())):
        try:
            sharding = Sharding.of(settings)
        except (KeyError, TypeError, ValueError):
            continue
        if sharding.facts() == settings:
            return sharding
    raise DataError(
        f"{accounts.root} cannot be repaired: nothing in there that is whole tells how this version of dsprep made it; "
        "type dsprep shard with the same options once more"
    )


def _check_sources(accounts: Accounts, sources: Sources, shards: Sequence[Shard], sharding: Sharding) -> None:
    """Make sure that the shards were made of these manifests.

    Raises:
        DataError: they were not.
    """
    if accounts.root.resolve() in {folder.resolve() for folder in sources.folders}:
        raise DataError(f"{accounts.root} cannot be repaired from itself: name what it was made of")
    if accounts.index:
        if accounts.index.get("sources") != sources.facts():
            raise DataError(_not_these(accounts, sources, sharding))
        return
    keys = {one.name: one.key(sharding) for one in shards}
    for name, record in accounts.records.items():
        if record.key != keys.get(name):
            raise DataError(
                f"{accounts.root} was not made of these manifests, or what they name has changed: {name} would become "
                "another one; name those that were given to dsprep shard, or type dsprep shard once more"
            )


def _not_these(accounts: Accounts, sources: Sources, sharding: Sharding) -> str:
    told, given = (accounts.index or {}).get("sources", []), sources.facts()
    here = {one["sha256"]: one["name"] for one in given}
    if sorted(here) == sorted(one["sha256"] for one in told):
        for one in told:
            if (name := here[one["sha256"]]) != one["name"]:
                return (
                    f"{accounts.root} was made of these bytes, but {name} had another name: give it its old name, "
                    f"{one['name']}.csv, or {one['name']} if it is a folder"
                )
    order = ", in that order" if sharding.keep_order else ""
    return f"{accounts.root} was made of {_listed(told)}, not of {_listed(given)}: name those{order}"


def _listed(manifests: Iterable[Mapping[str, Any]]) -> str:
    return ", ".join(f"{one['name']} (sha256 {one['sha256'][:12]}...)" for one in manifests)


def _write(
    bad: Sequence[Shard], tars: Mapping[str, Tar], sharding: Sharding, shelf: Mending, workers: int, progress: Progress
) -> dict[str, Made]:
    """The shards made again.

    Raises:
        DataError: some would be others now; the rest is mended.
    """
    made, failures = dict[str, Made](), dict[str, str]()
    tasks = (_task(one, tars.get(one.name), sharding, shelf) for one in bad)
    results = run(_made_again, tasks, 0 if len(bad) <= FEW else workers)
    for done, (task, result) in enumerate(results, 1):
        name = task.shard.name
        if isinstance(result, Record):
            made[name] = Made.of(result)
            shelf.written.append(shelf.out / name)
        else:
            failures[name] = result
        progress("repairing", done, len(bad), "shards")
    if failures:
        first, *others = sorted(failures)
        more = f"; {len(others)} more shards likewise" if others else ""
        raise DataError(
            f"{first} cannot be made again as it was: {failures[first]}{more}; shards mended: {len(made)}, the others "
            "stay as they were: bring what they were made of back"
        )
    return made


def _task(shard: Shard, tar: Tar | None, sharding: Sharding, shelf: Mending) -> Task:
    """A shard to be made again, and all that is known of what it was."""
    expected = tar.file.sha256 if tar and tar.file else None
    held = {one.id: one.sha256 for one in tar.contents.samples} if tar and tar.contents else None
    key, place = shard.key(sharding), LocalShelf(shelf.out)
    return Task(shard=shard, sharding=sharding, shelf=place, key=key, expected=expected, held=held)


def _made_again(task: Task) -> Record | str:
    """The record of a shard that was made again, or why it cannot be."""
    try:
        return write_shard(task)
    except DataError as error:
        return _which(task) or str(error)


def _which(task: Task) -> str:
    """The first sample of a shard that is not what it was."""
    if task.held is None:
        return ""
    with Reader() as reader:
        for item in task.shard.items:
            name, audio = f"{item.sample.id} of {item.part}", take(item, task.sharding.form, reader)
            before = task.held.get(item.sample.id)
            if isinstance(audio, Taken) and audio.sha256 != before:
                return f"{name} is other audio now" if before else f"{name} was left out then, and is there now"
            if isinstance(audio, Refused) and before:
                return f"{name} cannot be had: {audio.detail}"
    return ""
