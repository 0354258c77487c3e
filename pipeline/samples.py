"""Samples: what any mix of manifests and shard folders holds, on this machine or behind URLs."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..manifests import DataError, Sample, read_manifest
from .places import Cache, Place, Url, home_of, manifest_of
from .reading import UNKNOWN, length_of, shown


@dataclass(frozen=True, slots=True)
class DataSet:
    """A manifest or a shard folder, kept apart from the others that were named with it."""

    name: str
    """`train` of `data/train.csv` and of the shard folder `train/`; the whole path where two would be alike."""
    manifest: Path
    samples: tuple[Sample, ...]


def read_each(places: Sequence[Place], cache: Cache | None = None) -> list[DataSet]:
    """Each of the manifests and shard folders by itself: they may share ids, and their files are not looked at.

    Raises:
        DataError: a place is neither, cannot be read, or is named twice; all are empty.
        FetchError: a place is behind a URL and cannot be had.
    """
    manifests = [manifest_of(place, cache) for place in places]
    named = Counter(manifest.resolve() for manifest in manifests)
    for place, manifest in zip(places, manifests, strict=True):
        if (count := named[manifest.resolve()]) > 1:
            raise DataError(f"{place} is named {count} times: name each manifest and shard folder once")
    homes = [home_of(place) for place in places]
    short = [name_of(place) for place in places]
    sets = [
        DataSet(name if short.count(name) == 1 else str(home), manifest, tuple(rows_of(place, manifest)))
        for name, home, place, manifest in zip(short, homes, places, manifests, strict=True)
    ]
    if not any(one.samples for one in sets):
        raise DataError(f"{', '.join(map(str, places))}: no samples in there")
    return sets


def name_of(place: Place) -> str:
    """`train` of `data/train.csv`, of the shard folder `train/`, and of `s3://speech/train`."""
    home = home_of(place)
    return (home.resolve() if isinstance(home, Path) else home).name.removesuffix(".csv").removesuffix(".tar")


def rows_of(place: Place, manifest: Path) -> list[Sample]:
    """The samples of a place, by its manifest on this machine.

    Raises:
        DataError: the manifest cannot be read; of one behind a URL it names the URL.
    """
    try:
        return read_manifest(manifest)
    except DataError as error:
        if isinstance(place, Url):
            raise DataError(str(error).replace(str(manifest), str(place))) from error
        raise


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
            sizes[sample.path] = length_of(sample.path)
        if fault := _file_fault(sample, sizes[sample.path]):
            yield sample, fault


def _file_fault(sample: Sample, size: int | None) -> str:
    if size == UNKNOWN:
        return ""
    if size is None:
        return f"{shown(sample.path)} is gone; make it again, or take the row out of the manifest"
    if sample.offset is None and size != sample.size:
        return f"{shown(sample.path)} has {size} bytes, its manifest says {sample.size}"
    if size < (sample.offset or 0) + sample.size:
        return f"{shown(sample.path)} has {size} bytes, too few for the manifest's row"
    return ""
