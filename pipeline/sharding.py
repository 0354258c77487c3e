"""Sharding: manifests to a folder of shards, several at a time, resumed by shard."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..manifests import DataError, Progress, Sample, manifest_bytes, silent
from .commit import Building, Record, accepted, commit, discard, read_record, seal, write_whole
from .foreign import Cache
from .outdir import MADE_BY, begin, end, file_facts, reopen
from .samples import MANIFEST, read_samples
from .shards import INDEX, Shard, plan_shards, write_tar
from .workers import run


@dataclass(frozen=True, slots=True)
class ShardReport:
    """What sharding made."""

    shards: int
    samples: int
    seconds: float
    bytes: int


def shard(
    manifests: Sequence[Path],
    out: Path,
    shard_bytes: int,
    seed: int,
    workers: int,
    progress: Progress = silent,
    cache: Cache | None = None,
) -> ShardReport:
    """Write the samples of `manifests` as shards into the folder `out`.

    Raises:
        DataError: a manifest is wrong, names a file that is gone or has another size, or shares an id.
        OutputError: `out` is not ours or cannot be written.
    """
    samples = read_samples(manifests, cache)
    if out.resolve() in {sample.path.parent.resolve() for sample in samples}:
        raise DataError(f"{out} holds what is to be read: name another folder for the shards")
    begin(out, INDEX, {MADE_BY: "dsprep shard"})
    shards = plan_shards(samples, shard_bytes, seed)
    digests = _audio_digests(samples)
    keys = [one.key(digests) for one in shards]
    records = {one.index: accepted(one.path(out), key) for one, key in zip(shards, keys, strict=True)}
    todo = [one for one in shards if records[one.index] is None]
    if todo:
        reopen(out, INDEX)
    done = len(samples) - sum(len(one.samples) for one in todo)
    for task, record in run(_write, [Task(one, out, keys[one.index]) for one in todo], workers):
        records[task.shard.index] = record
        done += len(task.shard.samples)
        progress("writing shards", done, len(samples), "samples")
    return _finish(shards, [record for record in records.values() if record], out, seed, shard_bytes)


@dataclass(frozen=True, slots=True)
class Task:
    """A shard to write: all that a worker needs, and no audio."""

    shard: Shard
    out: Path
    key: str


def _write(task: Task) -> Record:
    def build(building: Building) -> Any:
        with building.open() as file:
            return {"samples": list(write_tar(file, task.shard.samples))}

    return commit(task.shard.path(task.out), task.key, build)


def _audio_digests(samples: Sequence[Sample]) -> dict[str, str]:
    """A digest that covers each sample's audio, where a record of dsprep's tells: changed audio is a changed sample."""
    files: dict[Path, str] = {}
    for final in _recorded(samples):
        if record := read_record(final):
            files |= {final.parent / file.name: file.sha256 for file in record.files}
    return {sample.id: files[sample.path] for sample in samples if sample.path in files}


def _recorded(samples: Sequence[Sample]) -> Iterator[Path]:
    """Of what there may be a record: tars, folders of copies, chunks of an import."""
    yield from {sample.path if sample.offset is not None else sample.path.parent for sample in samples}
    for home in {sample.path.parent.parent for sample in samples if sample.offset is None}:
        yield from (path.with_suffix("") for path in home.glob("chunk-*.json"))


def _finish(shards: Sequence[Shard], records: Sequence[Record], out: Path, seed: int, shard_bytes: int) -> ShardReport:
    """Write the manifest, and shards.json last; remove shards that nothing names any more."""
    known = {one.path(out).name for one in shards}
    for path in [*out.glob("[0-9]*.tar"), *out.glob("[0-9]*.tar.json")]:
        if path.name.removesuffix(".json") not in known:
            discard(path)
    samples = [one for shard, record in zip(shards, records, strict=True) for one in _located(shard, record, out)]
    write_whole(out / MANIFEST, manifest_bytes(samples, out))
    facts = [_facts(one, record) for one, record in zip(shards, records, strict=True)]
    total = ShardReport(
        len(shards),
        len(samples),
        sum(one["seconds"] for one in facts),
        sum(one["bytes"] for one in facts),
    )
    content = {
        MADE_BY: "dsprep shard",
        "seed": seed,
        "shard bytes": shard_bytes,
        "total": asdict(total),
        "shards": facts,
        "files": [file_facts(out, MANIFEST)],
    }
    write_whole(out / INDEX, seal(content, indent=1))
    end(out)
    return total


def _located(one: Shard, record: Record, out: Path) -> Iterator[Sample]:
    """The samples of a written shard, at their places in it."""
    for sample, facts in zip(one.samples, record.facts["samples"], strict=True):
        yield replace(sample, path=one.path(out), offset=facts["offset"])


def _facts(one: Shard, record: Record) -> dict[str, Any]:
    (file,) = record.files
    return {
        "name": file.name,
        "bytes": file.size,
        "sha256": file.sha256,
        "samples": len(one.samples),
        "seconds": round(sum(sample.duration or 0 for sample in one.samples), 7),
        "seal": record.seal,
    }
