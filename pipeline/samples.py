"""Samples: what any mix of manifests and shard folders, ours and others', holds."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..manifests import DataError, Sample, read_manifest
from .commit import file_size
from .foreign import Cache, indexed, tars_in

MANIFEST = "manifest.csv"
"""Of a folder of shards."""


@dataclass(frozen=True, slots=True)
class DataSet:
    """A manifest or a shard folder, kept apart from the others that were named with it."""

    name: str
    """`train` of `data/train.csv` and of the shard folder `train/`; the whole path where two would be alike."""
    manifest: Path
    samples: tuple[Sample, ...]


def read_samples(places: Sequence[Path], cache: Cache | None = None) -> list[Sample]:
    """The samples of manifests and shard folders, in their order; foreign shards are indexed in `cache`.

    Raises:
        DataError: a place is neither, all are empty, a file is gone or of another size, or two samples share an id.
    """
    samples: dict[str, Sample] = {}
    for place in places:
        for sample in read_manifest(manifest_in(place, cache)):
            if other := samples.get(sample.id):
                raise DataError(f"id {sample.id} is in the data twice: {other.path} and {sample.path}")
            samples[sample.id] = sample
    if not samples:
        raise DataError(f"{', '.join(map(str, places))}: no samples in there")
    check_files(samples.values())
    return list(samples.values())


def read_each(places: Sequence[Path], cache: Cache | None = None) -> list[DataSet]:
    """Each of the manifests and shard folders by itself: they may share ids, and their files are not looked at.

    Raises:
        DataError: a place is neither, cannot be read, or is named twice; all are empty.
    """
    manifests = [manifest_in(place, cache) for place in places]
    for place, count in Counter(manifest.resolve() for manifest in manifests).items():
        if count > 1:
            raise DataError(f"{place} is named {count} times: name each manifest and shard folder once")
    homes = [place.parent if place.name == MANIFEST else place for place in places]
    short = [home.resolve().name.removesuffix(".csv").removesuffix(".tar") for home in homes]
    sets = [
        DataSet(name if short.count(name) == 1 else str(home), manifest, tuple(read_manifest(manifest)))
        for name, home, manifest in zip(short, homes, manifests, strict=True)
    ]
    if not any(one.samples for one in sets):
        raise DataError(f"{', '.join(map(str, places))}: no samples in there")
    return sets


def manifest_in(place: Path, cache: Cache | None = None) -> Path:
    """The manifest that a user means: a CSV itself, that of a folder of shards, or the index of foreign shards.

    Raises:
        DataError: it is none of these.
    """
    if (place / MANIFEST).is_file():
        return place / MANIFEST
    if tars := tars_in(place):
        if cache is None:
            raise DataError(f"{place} is webdataset shards without a manifest: give a cache to index them in")
        return indexed(tars, cache)
    if not place.is_dir():
        return place
    raise DataError(f"{place} is no shard folder: it holds no {MANIFEST}; name a manifest in it, as {place}/train.csv")


def check_files(samples: Iterable[Sample]) -> None:
    """Make sure that every sample's bytes can be there, by the sizes of files.

    Raises:
        DataError: a file is gone, or of another size than its sample says.
    """
    for sample, fault in file_faults(samples):
        raise DataError(f"{sample.id}: {fault}")


def file_faults(samples: Iterable[Sample]) -> Iterator[tuple[Sample, str]]:
    """Samples whose bytes cannot be there, by the sizes of files, each with what is wrong."""
    sizes: dict[Path, int | None] = {}
    for sample in samples:
        if sample.path not in sizes:
            sizes[sample.path] = file_size(sample.path)
        if fault := _file_fault(sample, sizes[sample.path]):
            yield sample, fault


def _file_fault(sample: Sample, size: int | None) -> str:
    if size is None:
        return f"{sample.path} is gone; make it again, or take the row out of the manifest"
    if sample.offset is None and size != sample.size:
        return f"{sample.path} has {size} bytes, its manifest says {sample.size}"
    if size < (sample.offset or 0) + sample.size:
        return f"{sample.path} has {size} bytes, too few for the manifest's row"
    return ""
