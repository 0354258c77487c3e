"""Packing: one shard written, from its samples' files to its record. What a worker process does.

    samples     {"id": "84-121123-0000", "form": "wav", "offset": 512, "size": 93638, "sha256": ..., "duration": 2.92}
    left out    {"id": "84-121123-0001", "part": "train", "reason": "no-audio", "detail": ..., "seconds": 3.1}

are the facts of its record, with the settings, so that each shard tells by itself what it holds and from what. Where
the audio was converted, `source` is the sha256 of what it was converted from; else that is `sha256`.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from ...manifests import DataError, Sample
from ..commit import Building, HashingFile, Record
from ..reading import Reader
from ..screen import Reason
from .intake import Refused, Taken, fetched, take
from .placement import Item, Shard, Sharding
from .shelf import Shelf
from .tar import END, after, before

GATHERED = 1 << 20
"""Bytes to write at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A shard to write: all that a worker needs, and no audio."""

    shard: Shard
    sharding: Sharding
    shelf: Shelf
    key: str
    again: bool = False
    """Whether what is there is not to be trusted, though its record has the key."""
    unless_same: bool = False
    """Whether what is there stays if its sources would make the same now, of which only reading them can tell."""
    expected: str | None = None
    """sha256 that the tar must have; None: any."""
    held: dict[str, str] | None = None
    """sha256 of the audio that must be in it, by id; None: any."""


def write_shard(task: Task) -> Record:
    """Write a shard.

    Raises:
        DataError: it is not the one that is `expected`, or has not `held`; nothing was replaced.
        OutputError: it cannot be written.
    """
    if task.unless_same and (record := _as_before(task)):
        return record

    def build(building: Building) -> Any:
        with Reader() as reader, building.open() as file:
            facts = _write(task, reader, file)
        same = task.expected in (None, building.files[0].sha256)
        if not same or task.held not in (None, {one["id"]: one["sha256"] for one in facts["samples"]}):
            raise DataError(_not_the_same(task.shard, facts))
        if task.again or task.expected or task.unless_same:
            # What is there must not be taken for what was just made.
            task.shelf.remove(f"{task.shard.name}.json")
        return facts

    return task.shelf.commit(task.shard.name, task.key, build)


def _write(task: Task, reader: Reader, file: HashingFile) -> dict[str, Any]:
    held: list[dict[str, Any]] = []
    left_out: list[dict[str, Any]] = []
    converted = False
    gathered: list[bytes | memoryview] = []
    waiting, offset = 0, 0
    for item in task.shard.items:
        audio = take(item, task.sharding.form, reader)
        if isinstance(audio, Refused):
            left_out.append(_left_out(item, audio))
            continue
        sample = _measured(item.sample, audio.seconds)
        size = len(audio.data)
        pieces = (before(sample, audio.form, size), audio.data, after(sample, size))
        held.append(_held(sample, audio, offset + len(pieces[0])))
        length = sum(map(len, pieces))
        offset, waiting = offset + length, waiting + length
        gathered += pieces
        if waiting >= GATHERED:
            file.write(b"".join(gathered))
            gathered, waiting = [], 0
        converted |= audio.converted
    file.write(b"".join((*gathered, END)))
    return {
        "settings": task.sharding.facts(),
        "samples": held,
        "left out": left_out,
        "libraries": libraries() if converted else {},
    }


def _measured(sample: Sample, seconds: float) -> Sample:
    return sample if sample.duration == seconds else replace(sample, duration=seconds)


def _held(sample: Sample, audio: Taken, offset: int) -> dict[str, Any]:
    source = {"source": audio.source} if audio.converted else {}
    return {
        **source,
        "id": sample.id,
        "form": audio.form,
        "offset": offset,
        "size": len(audio.data),
        "sha256": audio.sha256,
        "duration": audio.seconds,
    }


def _left_out(item: Item, why: Refused) -> dict[str, Any]:
    return {
        "id": item.sample.id,
        "part": item.part,
        "reason": why.reason,
        "detail": why.detail,
        "seconds": item.sample.duration,
    }


def _as_before(task: Task) -> Record | None:
    """The record that is there, if its shard holds what its sources are now, and lacks what they still do not give."""
    record = task.shelf.accepted(task.shard.name, task.key)
    if record is None:
        return None
    held = {one["id"]: one.get("source", one["sha256"]) for one in record.facts["samples"]}
    with Reader() as reader:
        for item in task.shard.items:
            if (source := held.get(item.sample.id)) is None:
                audio = take(item, task.sharding.form, reader)
                if isinstance(audio, Taken) or not _told(item, audio, record):
                    return None
            elif not item.sample.sha256 and _is_other(item, source, reader):
                return None
    return record


def _told(item: Item, why: Refused, record: Record) -> bool:
    """Whether a record tells of what is left out; of what is gone since, the reason that it tells stays."""
    return why.reason == Reason.NO_AUDIO or _left_out(item, why) in record.facts["left out"]


def _is_other(item: Item, source: str, reader: Reader) -> bool:
    """Whether a sample's file has another sha256 than `source`; one that is gone has not: its shard is all of it."""
    data = fetched(item, reader)
    return not isinstance(data, Refused) and hashlib.sha256(data).hexdigest() != source


def _not_the_same(shard: Shard, facts: dict[str, Any]) -> str:
    """What to say of a shard that did not become what it was."""
    why = "its samples, or what encodes them, have changed"
    if lost := facts["left out"]:
        why = f"{lost[0]['id']} of {lost[0]['part']} cannot be had: {lost[0]['detail']}"
    return f"{shard.name} cannot be made again as it was: {why}; bring the sources back as they were"


def libraries() -> dict[str, str]:
    """The versions that decide the bytes of what is converted."""
    from ..sound.audio import LIBRARIES

    return dict(LIBRARIES)
