"""Foreign shards: other people's webdataset tars, indexed once on first use, then read like our own.

    CACHE/index/3fa9....csv             a manifest with offsets, which everything that takes manifests takes
    CACHE/index/3fa9....csv.json        its record: what became of the samples, counted
    CACHE/index/3fa9....rejected.csv    each sample that cannot be used, with its reason

The name is a digest of the tars' names, sizes and times of change: tars that change are indexed anew. Each sample of
the tars is a row of one of the two tables.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ...manifests import LEFT_OUT, DataError, Sample, csv_bytes, manifest_bytes
from ..commit import Building, commit, digest_of, file_size, proven, record_path, sweep, write_whole
from ..formats.reading import Ids
from ..outdir import BEGUN, CONVERTED, IMPORTED
from ..places import Cache
from ..sound import ffmpeg
from ..workers import run
from .foreign_sample import KEY
from .foreign_tar import Row, Scanned, scan

CODE = "foreign-1"
"""Changes whenever the code would make another index of the same tars."""
ENDINGS = (".tar", ".tar.gz", ".tgz")
"""Names of shards. Compressed ones can only be streamed, and that is said when they are to be indexed."""
MOST_PLACES = 1_000_000
"""Names that a pattern may stand for: more are a slip of the hand."""
_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d{1,18})\.\.(\d{1,18})")


def tars_in(place: Path) -> list[Path] | None:
    """The shards that a user means by a tar, a folder of tars and of folders of tars, or `dir/{000000..000145}.tar`.

    None for what is none of these. Whether a folder has a manifest of ours, the caller knows.

    Raises:
        DataError: the folder is one in which dsprep has not come to its end.
    """
    if place.is_dir():
        if (place / BEGUN).exists():
            raise DataError(f"{place} is not finished: type the command that writes it again")
        if any((place / mark).exists() for mark in (IMPORTED, CONVERTED)):
            return None  # the archives below it are no shards
        return _tars([place, *sorted(one for one in place.iterdir() if one.is_dir())]) or None
    if not place.name.endswith(ENDINGS):
        return None
    return [place] if place.exists() else [Path(name) for name in dict.fromkeys(_expanded(str(place)))]


def indexed(tars: Sequence[Path], cache: Cache) -> Path:
    """A manifest of the samples in `tars`: the one in the cache, or made now in one pass over their headers.

    Samples that cannot be used are listed beside it, and counted in a notice.

    Raises:
        DataError: a tar is not there, cut off, damaged or compressed, or changes meanwhile; no sample can be used.
        OutputError: the cache cannot be written.
    """
    tars = [tar.resolve() for tar in tars]
    key = _key(tars)
    index = cache.folder / "index" / f"{key}.csv"

    def build(building: Building) -> Any:
        found = _scanned(tars, cache)
        if _key(tars) != key:
            raise DataError(f"tars beside {tars[0]} changed while they were read: type the same command again")
        rejected = [(tar.name, one.key, one.reason, one.detail, "") for tar in tars for one in found[tar].left]
        write_whole(_rejected(index), csv_bytes(LEFT_OUT, rejected))
        samples = list(_samples(tars, found))
        if not samples:
            raise DataError(_hopeless(tars, rejected, _rejected(index)))
        with building.open() as file:
            file.write(manifest_bytes(samples, None))
        left = Counter(reason for _, _, reason, _, _ in rejected)
        return {"rows": len(samples), "left out": left, "strays": sum(one.strays for one in found.values())}

    if (record := proven(index, key)) is None:
        record_path(index).unlink(missing_ok=True)
        sweep(index.parent)
        record = commit(index, key, build)
    if notice := _notice(record.facts, tars, _rejected(index)):
        cache.on_notice(notice)
    return index


def _tars(folders: Sequence[Path]) -> list[Path]:
    return sorted(path for one in folders for path in one.iterdir() if path.name.endswith(ENDINGS) and path.is_file())


def _expanded(pattern: str) -> Iterator[str]:
    """The names that a pattern with braces stands for, as a shell has it."""
    if not (braces := _BRACES.search(pattern)):
        yield pattern
        return
    for choice in _choices(braces[1]):
        yield from _expanded(f"{pattern[: braces.start()]}{choice}{pattern[braces.end() :]}")


def _choices(text: str) -> Iterator[str]:
    if not (ends := _RANGE.fullmatch(text)):
        yield from text.split(",")
        return
    first, last = int(ends[1]), int(ends[2])
    if abs(last - first) >= MOST_PLACES:
        raise DataError(f"{{{text}}} stands for {abs(last - first) + 1} shards, more than {MOST_PLACES}")
    width = max(map(len, ends.groups())) if any(len(end) > 1 and end[0] == "0" for end in ends.groups()) else 0
    step = 1 if first <= last else -1
    yield from (f"{number:0{width}d}" for number in range(first, last + step, step))


def _key(tars: Sequence[Path]) -> str:
    """Digest of what decides an index."""
    # ffmpeg decides whether some samples can be used: once it is installed, the index is made anew.
    return digest_of([CODE, ffmpeg.installed(), [_state(tar) for tar in tars]])


def _state(tar: Path) -> list[Any]:
    if (size := file_size(tar)) is None:
        raise DataError(f"there is no shard {tar}")
    return [str(tar), size, tar.stat().st_mtime_ns]


def _scanned(tars: Sequence[Path], cache: Cache) -> dict[Path, Scanned]:
    sizes = {tar: tar.stat().st_size for tar in tars}
    found: dict[Path, Scanned] = {}
    # One tar is read before processes have started.
    work = run(scan, tars, min(cache.workers, len(tars))) if len(tars) > 1 else ((tar, scan(tar)) for tar in tars)
    for tar, scanned in work:
        found[tar] = scanned
        cache.progress("indexing", sum(sizes[one] for one in found), sum(sizes.values()), "B")
    return found


def _samples(tars: Sequence[Path], found: dict[Path, Scanned]) -> Iterator[Sample]:
    ids = Ids()
    for tar in tars:
        for row in found[tar].rows:
            yield _sample(ids.made(row.key), tar, row)


def _sample(name: str, tar: Path, row: Row) -> Sample:
    own = () if name == row.key else ((KEY, row.key),)
    return Sample(
        id=name,
        path=tar,
        size=row.size,
        offset=row.offset,
        transcript=row.told.transcript,
        duration=row.seconds,
        speaker=row.told.speaker,
        extras=(*own, *row.told.extras),
    )


def _rejected(index: Path) -> Path:
    return index.with_suffix(".rejected.csv")


def _notice(facts: dict[str, Any], tars: Sequence[Path], rejected: Path) -> str:
    parts = []
    if left := sum(facts["left out"].values()):
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(facts["left out"].items()))
        total = facts["rows"] + left
        parts.append(f"{left} of {total} samples cannot be used ({reasons}), each is in {rejected}")
    if facts["strays"]:
        parts.append(f"{facts['strays']} files belong to no sample")
    return f"{tars[0].parent}: {'; '.join(parts)}" if parts else ""


def _hopeless(tars: Sequence[Path], rejected: Sequence[tuple[str, ...]], listed: Path) -> str:
    if not rejected:
        return f"{tars[0].parent}: no samples in {len(tars)} tars"
    _, key, reason, detail, _ = rejected[0]
    first = f"first {key}: {reason}, {detail}"
    return f"{tars[0].parent}: none of {len(rejected)} samples can be used, {first}; see {listed}"
