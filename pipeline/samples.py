"""Samples: what any mix of manifests and shard folders holds, and its bytes."""

from collections.abc import Sequence
from pathlib import Path

from ..manifests import DataError, Sample, read_manifest
from .source import Span

MANIFEST = "manifest.csv"
"""Of a folder of shards."""


def read_samples(places: Sequence[Path]) -> list[Sample]:
    """The samples of manifests and shard folders, in their order.

    Raises:
        DataError: a place is neither, all are empty, a file is gone or of another size, or two samples share an id.
    """
    samples: dict[str, Sample] = {}
    for place in places:
        for sample in read_manifest(_manifest_in(place)):
            if other := samples.get(sample.id):
                raise DataError(f"id {sample.id} is in the data twice: {other.path} and {sample.path}")
            samples[sample.id] = sample
    if not samples:
        raise DataError(f"{', '.join(map(str, places))}: no samples in there")
    check_files(list(samples.values()))
    return list(samples.values())


def audio_bytes(sample: Sample) -> bytes:
    """A sample's audio as it lies on disk.

    Raises:
        DataError: it is gone or has another size.
    """
    try:
        data = Span(sample.path, sample.offset or 0, sample.size).read()
    except OSError as error:
        raise DataError(f"{sample.id}: cannot read {sample.path}: {error.strerror}") from error
    if len(data) != sample.size:
        raise DataError(f"{sample.id}: {sample.path} has {len(data)} of the manifest's {sample.size} bytes")
    return data


def _manifest_in(place: Path) -> Path:
    """The manifest that a user means: a CSV itself, or that of a folder of shards."""
    if not place.is_dir():
        return place
    if not (place / MANIFEST).exists():
        raise DataError(
            f"{place} is no shard folder: it holds no {MANIFEST}; name a manifest in it, as {place}/train.csv"
        )
    return place / MANIFEST


def check_files(samples: Sequence[Sample]) -> None:
    """Make sure that every sample's bytes can be there, by the sizes of files.

    Raises:
        DataError: a file is gone, or of another size than its sample says.
    """
    sizes: dict[Path, int | None] = {}
    for sample in samples:
        if sample.path not in sizes:
            sizes[sample.path] = _size(sample.path)
        size = sizes[sample.path]
        if size is None:
            raise DataError(f"{sample.id}: {sample.path} is gone; make it again, or take the row out of the manifest")
        if sample.offset is None and size != sample.size:
            raise DataError(f"{sample.id}: {sample.path} has {size} bytes, its manifest says {sample.size}")
        if size < (sample.offset or 0) + sample.size:
            raise DataError(f"{sample.id}: {sample.path} has {size} bytes, too few for the manifest's row")


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:  # a name too long, a folder closed to us
        return None
