"""Inventory: what a set of shards tells of itself, beside the tars.

    manifest.csv    every sample with its tar, offset and sha256, sorted by id
    rejected.csv    every row that is in no tar, with the reason
    shards.json     written last: settings, counts, sha256 of each tar, of what was read, and of the whole

No clock, host or path stands in there: the same data gives the same bytes.
"""

import hashlib
from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ...manifests import LEFT_OUT, Sample, csv_lines, manifest_lines, seconds_text
from ..commit import FileDigest, Record, seal
from ..outdir import MADE_BY, REJECTED, SHARDED
from ..places import MANIFEST
from .gathering import Sources
from .placement import Shard, Sharding
from .shelf import Shelf

BY = {MADE_BY: "dsprep shard"}


@dataclass(frozen=True, slots=True)
class ShardReport:
    """What sharding made."""

    shards: int
    samples: int
    seconds: float
    bytes: int
    left_out: tuple[tuple[str, int], ...] = ()
    """Rows that are in no shard, by reason, the most frequent first."""
    oversized: int = 0
    """Shards of several samples that became larger than was asked for: lengths were not known, or not right."""
    forms: tuple[str, ...] = ()
    """Of the audio in them: `wav`, `flac`, or both, which not all readers take."""

    @property
    def rejected(self) -> int:
        """Rows that are in no shard."""
        return sum(count for _, count in self.left_out)


@dataclass(frozen=True, slots=True)
class Made:
    """A shard that was written: what its record tells, in few bytes a sample, for there may be many millions."""

    file: FileDigest
    path: Path
    """Of the tar, from beside it."""
    seal: str
    offsets: "array[int]"
    sizes: "array[int]"
    seconds: "array[float]"
    digests: bytes
    """32 bytes a sample."""
    forms: frozenset[str]
    left_out: tuple[tuple[str, str, str, str, float | None], ...]
    """Part, id, reason, detail, seconds."""

    @classmethod
    def of(cls, record: Record) -> "Made":
        """What `write_shard` returned."""
        held, (file,) = record.facts["samples"], record.files
        return cls(
            file,
            Path(file.name),
            record.seal,
            array("q", [one["offset"] for one in held]),
            array("q", [one["size"] for one in held]),
            array("d", [one["duration"] for one in held]),
            b"".join(bytes.fromhex(one["sha256"]) for one in held),
            frozenset(one["form"] for one in held),
            tuple(
                (one["part"], one["id"], one["reason"], one["detail"], one["seconds"])
                for one in record.facts["left out"]
            ),
        )

    def held(self, shard: Shard) -> list[Sample]:
        """The samples that are in it, of those that were to be."""
        lacking = {name for _, name, *_ in self.left_out}
        return [item.sample for item in shard.items if item.sample.id not in lacking]

    def sample(self, sample: Sample, index: int) -> Sample:
        """The one that is number `index` of those in it, at its place."""
        return replace(
            sample,
            path=self.path,
            offset=self.offsets[index],
            size=self.sizes[index],
            duration=self.seconds[index],
            sha256=self.digests[32 * index : 32 * index + 32].hex(),
        )

    def facts(self) -> dict[str, Any]:
        """As JSON, for the index."""
        return {
            "name": self.file.name,
            "bytes": self.file.size,
            "sha256": self.file.sha256,
            "samples": len(self.offsets),
            "seconds": round(sum(self.seconds), 7),
            "left out": len(self.left_out),
            "seal": self.seal,
        }


def finish(
    shards: Sequence[Shard], made: Sequence[Made], sources: Sources, sharding: Sharding, shelf: Shelf
) -> ShardReport:
    """Write manifest.csv and rejected.csv, and shards.json last; remove our shards that nothing names any more."""
    for name in _outlived({one.name for one in shards}, shelf):
        shelf.remove(name)
    files = [shelf.put(MANIFEST, _manifest_lines(shards, made)), shelf.put(REJECTED, _rejected_lines(made))]
    report = _report(shards, made, sharding)
    rows = sum(one.rows for one in sources.manifests)
    if rows != report.samples + report.rejected:
        raise AssertionError(f"{rows} rows in, {report.samples} + {report.rejected} out")
    content = {
        **BY,
        "settings": sharding.facts(),
        "total": {
            "shards": report.shards,
            "samples": report.samples,
            "seconds": report.seconds,
            "bytes": report.bytes,
            "left out": report.rejected,
        },
        "left out": dict(report.left_out),
        "sha256": root_digest([*(one.file for one in made), files[0]]),
        "shards": [one.facts() for one in made],
        "sources": sources.facts(),
        "files": [asdict(file) for file in files],
    }
    shelf.put(SHARDED, seal(content, indent=1))
    shelf.end()
    return report


def _outlived(known: Collection[str], shelf: Shelf) -> list[str]:
    """Files of earlier shards that are none of the `known` ones: they have a record, or lie among those that have.

    A tar that only looks like a shard may be anybody's, as 20251120.tar is.
    """
    others = [name for name in shelf.names() if name.removesuffix(".json") not in known]
    tars = {name.removesuffix(".json") for name in others}
    ours = {tar for tar in tars if (record := shelf.record(tar)) and [one.name for one in record.files] == [tar]}
    last = max(map(_number, ours), default=-1)
    ours |= {tar for tar in tars if len(tar) == len("000000.tar") and _number(tar) <= last}
    return [name for name in others if name.removesuffix(".json") in ours]


def _number(tar: str) -> int:
    return int(tar.removesuffix(".tar"))


def root_digest(files: Iterable[FileDigest]) -> str:
    """One digest for all: of what `sha256sum` prints of the tars, in their order, and of manifest.csv.

    So `sha256sum [0-9]*.tar manifest.csv | sha256sum` tells it without dsprep.
    """
    return hashlib.sha256(b"".join(f"{one.sha256}  {one.name}\n".encode() for one in files)).hexdigest()


def _manifest_lines(shards: Sequence[Shard], made: Sequence[Made]) -> Iterator[bytes]:
    """The table of all samples. What is sorted are names and numbers, for the samples are there already."""
    held = [one.held(shard) for shard, one in zip(shards, made, strict=True)]
    order = sorted((one.id, number, index) for number, some in enumerate(held) for index, one in enumerate(some))
    columns = {name for some in held for one in some for name, _ in one.extras}
    samples = (made[number].sample(held[number][index], index) for _, number, index in order)
    return manifest_lines(samples, Path(), columns, digests=True)


def _rejected_lines(made: Iterable[Made]) -> Iterator[bytes]:
    rows = sorted(row for one in made for row in one.left_out)
    return csv_lines(LEFT_OUT, ((*texts, "" if seconds is None else seconds_text(seconds)) for *texts, seconds in rows))


def _report(shards: Sequence[Shard], made: Sequence[Made], sharding: Sharding) -> ShardReport:
    reasons = Counter(reason for one in made for _, _, reason, _, _ in one.left_out)
    most = sharding.shard_bytes
    return ShardReport(
        len(made),
        sum(len(one.offsets) for one in made),
        sum(one.facts()["seconds"] for one in made),
        sum(one.file.size for one in made),
        tuple(sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))),
        sum(most is not None and one.file.size > most and len(one.offsets) > 1 for one in made),
        tuple(sorted({form for one in made for form in one.forms})),
    )
