"""Shards: manifests to webdataset tars that any consumer can stream and ours can index.

    OUT/000000.tar        KEY.wav KEY.txt KEY.json, KEY.wav ...: USTAR, fixed times and owners, members of a sample together
    OUT/000000.json       its record: key, sha256, and its samples
    OUT/manifest.csv      every sample with its tar and the byte at which its audio begins
    OUT/shards.json       written last: count, seconds, bytes and sha256 of each tar, and of the whole

Samples go to shards by a hash of (seed, id) alone. The hashes are a line that is cut in halves until each
piece fits in `--shard-bytes`: a shard is a stretch of that line, so when a corpus grows, what was
together stays together, and only a shard that grows too big is cut in two.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..manifests import (
    DataError,
    OutputError,
    Progress,
    Sample,
    manifest_bytes,
    read_manifest,
    silent,
)
from .commit import Building, HashingFile, Record, accepted, commit, digest_of, discard, seal, sweep, write_whole, writing
from .outdir import file_facts
from .source import Span
from .workers import run

INDEX = "shards.json"
MANIFEST = "manifest.csv"
BEGUN = ".dsprep"
"""While shards are being written, or after that was killed."""
CODE = "shards-1"
"""Changes whenever the code would make other bytes of the same samples."""
MEMBER_OVERHEAD = 4 * tarfile.BLOCKSIZE
"""Bytes that a sample takes in a tar besides its audio: three headers and two small members, about."""


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard, planned: which samples, in which order."""

    index: int
    samples: tuple[Sample, ...]

    def path(self, out: Path) -> Path:
        """Where it goes."""
        return out / f"{self.index:06d}.tar"

    def key(self) -> str:
        """Digest of everything that decides its bytes but the audio's own."""
        return digest_of([CODE, self.index, [[_json(one), one.size, one.transcript] for one in self.samples]])


@dataclass(frozen=True, slots=True)
class ShardReport:
    """What sharding made."""

    shards: int
    samples: int
    seconds: float
    bytes: int


def plan_shards(samples: Sequence[Sample], shard_bytes: int, seed: int) -> list[Shard]:
    """The shards of `samples`, whatever their order."""
    placed = sorted(((_place(seed, one.id), one) for one in samples), key=lambda pair: (pair[0], pair[1].id))
    pieces = _halve(placed, 0, 1 << 64, shard_bytes)
    return [Shard(index, tuple(sample for _, sample in piece)) for index, piece in enumerate(pieces)]


def shard(
    manifests: Sequence[Path],
    out: Path,
    shard_bytes: int,
    seed: int,
    workers: int,
    progress: Progress = silent,
) -> ShardReport:
    """Write the samples of `manifests` as shards into the folder `out`.

    Raises:
        DataError: a manifest is wrong, names a file that is gone or has another size, or shares an id.
        OutputError: `out` is not ours or cannot be written.
    """
    samples = _read(manifests)
    _claim(out)
    sweep(out)
    shards = plan_shards(samples, shard_bytes, seed)
    records = {one.index: accepted(one.path(out), one.key()) for one in shards}
    todo = [one for one in shards if records[one.index] is None]
    if todo:
        (out / INDEX).unlink(missing_ok=True)  # from here on the folder is not what it says
    done = len(samples) - sum(len(one.samples) for one in todo)
    for task, record in run(_write, [Task(one, out) for one in todo], workers):
        records[task.shard.index] = record
        done += len(task.shard.samples)
        progress("writing shards", done, len(samples), "samples")
    return _finish(shards, [record for record in records.values() if record], out, seed, shard_bytes)


@dataclass(frozen=True, slots=True)
class Task:
    """A shard to write: all that a worker needs, and no audio."""

    shard: Shard
    out: Path


def _write(task: Task) -> Record:
    def build(building: Building) -> Any:
        with building.open() as file:
            return {"samples": list(write_tar(file, task.shard.samples))}

    return commit(task.shard.path(task.out), task.shard.key(), build)


def write_tar(file: HashingFile, samples: Sequence[Sample]) -> Iterator[dict[str, Any]]:
    """Write samples as a tar, telling of each its id and the offset of its audio.

    Raises:
        DataError: a sample's audio is gone or has another size.
    """
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:  # type: ignore[call-overload]
        for sample in samples:
            audio = _audio(sample)
            offset = tar.offset + tarfile.BLOCKSIZE
            _add(tar, f"{sample.id}.{_form(audio)}", audio)
            _add(tar, f"{sample.id}.txt", sample.transcript.encode())
            _add(tar, f"{sample.id}.json", json.dumps(dict(_json(sample)), ensure_ascii=False).encode())
            yield {"id": sample.id, "offset": offset}


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), 0o444
    tar.addfile(info, io.BytesIO(data))


def _audio(sample: Sample) -> bytes:
    try:
        data = Span(sample.path, sample.offset or 0, sample.size).read()
    except OSError as error:
        raise DataError(f"{sample.id}: cannot read {sample.path}: {error.strerror}") from error
    if len(data) != sample.size:
        raise DataError(f"{sample.id}: {sample.path} has {len(data)} of the manifest's {sample.size} bytes")
    return data


def _form(audio: bytes) -> str:
    return "flac" if audio[:4] == b"fLaC" else "wav"


def _json(sample: Sample) -> list[tuple[str, Any]]:
    return [("id", sample.id), ("duration", sample.duration), ("speaker", sample.speaker), *sample.extras]


def _place(seed: int, name: str) -> int:
    """Where a sample lies on the line from 0 to 2**64."""
    return int.from_bytes(hashlib.blake2b(f"{seed}\0{name}".encode(), digest_size=8).digest())


Placed = list[tuple[int, Sample]]


def _halve(placed: Placed, low: int, high: int, shard_bytes: int) -> Iterator[Placed]:
    """Pieces of the line from `low` to `high` that fit; a piece of one sample always does."""
    size = sum(sample.size + MEMBER_OVERHEAD for _, sample in placed)
    if size <= shard_bytes or len(placed) == 1 or high - low == 1:
        if placed:
            yield placed
        return
    middle = (low + high) // 2
    yield from _halve([one for one in placed if one[0] < middle], low, middle, shard_bytes)
    yield from _halve([one for one in placed if one[0] >= middle], middle, high, shard_bytes)


def _read(manifests: Sequence[Path]) -> list[Sample]:
    samples: dict[str, Sample] = {}
    for path in manifests:
        for sample in read_manifest(path):
            if other := samples.get(sample.id):
                raise DataError(f"id {sample.id} is in the data twice: {other.path} and {sample.path}")
            if not sample.path.is_file():
                raise DataError(f"{path}: {sample.id}: {sample.path} is gone; import again, or take the row out")
            samples[sample.id] = sample
    if not samples:
        raise DataError(f"{', '.join(map(str, manifests))}: no samples in there")
    return list(samples.values())


def _claim(out: Path) -> None:
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        names = {path.name for path in out.iterdir()}
    if names and not any(name == INDEX or name == BEGUN for name in names):
        raise OutputError(f"{out} is not empty and was not made by dsprep shard: name another folder, or empty it")
    write_whole(out / BEGUN, b"dsprep shard writes here\n")


def _finish(
    shards: Sequence[Shard], records: Sequence[Record], out: Path, seed: int, shard_bytes: int
) -> ShardReport:
    """Write the manifest, and shards.json last; remove shards that nothing names any more."""
    known = {one.path(out).stem for one in shards}
    for path in [*out.glob("[0-9]*.tar"), *out.glob("[0-9]*.json")]:
        if path.stem not in known:
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
        "made by": "dsprep shard",
        "seed": seed,
        "shard bytes": shard_bytes,
        "total": asdict(total),
        "shards": facts,
        "files": [file_facts(out, MANIFEST)],
    }
    write_whole(out / INDEX, seal(content, indent=1))
    (out / BEGUN).unlink(missing_ok=True)
    return total


def _located(one: Shard, record: Record, out: Path) -> Iterator[Sample]:
    """The samples of a written shard, at their places in it."""
    for sample, facts in zip(one.samples, record.facts["samples"], strict=True):
        yield Sample(
            id=sample.id,
            path=one.path(out),
            size=sample.size,
            transcript=sample.transcript,
            offset=facts["offset"],
            duration=sample.duration,
            speaker=sample.speaker,
            extras=sample.extras,
        )


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

