"""Gathering: all that is to be sharded, from the manifests and shard folders that were named.

data/train.csv   ->   1600 items of part `train`; {"name": "train", "sha256": ..., "rows": 1600}
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ...manifests import DataError, Sample
from ..commit import file_size
from ..hashing import sha256_of
from ..places import Cache, Place, manifest_of
from ..reading import shown
from ..samples import name_of, rows_of
from .placement import Item
from .vouching import vouched


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest that was read."""

    name: str
    """`train` of `data/train.csv` and of the shard folder `train/`: no path, for the same data lies elsewhere too."""
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True)
class Sources:
    """What is to be sharded, and from which manifests it comes."""

    items: tuple[Item, ...]
    manifests: tuple[Manifest, ...]

    @property
    def folders(self) -> set[Path]:
        """Where files lie that are read."""
        return {one.sample.path.parent for one in self.items}

    def facts(self) -> list[dict[str, Any]]:
        """The manifests as JSON."""
        return [asdict(one) for one in self.manifests]


def gather(places: Sequence[Place], *, keep_order: bool = False, cache: Cache | None = None) -> Sources:
    """The samples of manifests and shard folders; their files are not looked at.

    Raises:
        DataError: a place is neither, or is named twice; all are empty; two manifests share an id.
        FetchError: a place is behind a URL and cannot be had.
    """
    manifests: list[Manifest] = []
    found: dict[str, Item] = {}
    paths = [manifest_of(place, cache) for place in places]
    if len({path.resolve() for path in paths}) < len(paths):
        raise DataError(f"{', '.join(map(str, places))}: name each manifest and shard folder once")
    for place, path in zip(places, paths, strict=True):
        sha256 = _digest(path)
        samples = rows_of(place, path)
        manifests.append(Manifest(name_of(place), sha256, len(samples)))
        _check_apart(place, samples, found)
        found |= {item.sample.id: item for item in _items(samples, manifests[-1].name)}
    if not found:
        raise DataError(f"{', '.join(map(str, places))}: no samples in there")
    if not keep_order:
        manifests.sort(key=lambda one: (one.name, one.sha256))
    return Sources(tuple(_alike(found.values())), tuple(manifests))


def _items(samples: Sequence[Sample], part: str) -> Iterator[Item]:
    return (Item(sample, part, whole) for sample, whole in vouched(samples))


def _alike(items: Collection[Item]) -> Iterator[Item]:
    """The items with the same further columns, sorted, empty where a manifest has none.

    So will manifest.csv have them: what a tar holds besides audio follows from its row.
    """
    columns = sorted({name for one in items for name, _ in one.sample.extras})
    for one in items:
        if [name for name, _ in one.sample.extras] == columns:
            yield one
        else:
            known = dict(one.sample.extras)
            extras = tuple((name, known.get(name, "")) for name in columns)
            yield replace(one, sample=replace(one.sample, extras=extras))


def _digest(path: Path) -> str:
    if path.exists() and file_size(path) is None:
        raise DataError(f"{path} is no file: a manifest is read twice, so it cannot come through a pipe")
    try:
        return sha256_of(path)
    except FileNotFoundError as error:
        raise DataError(f"there is no manifest {path}") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read as a manifest: {error}") from error


def _check_apart(place: Place, samples: Sequence[Sample], found: dict[str, Item]) -> None:
    """Refuse what is there twice: which copy is meant, only the user knows."""
    twice = [sample for sample in samples if sample.id in found]
    if not twice:
        return
    one, other = found[twice[0].id].sample, twice[0]
    same = (one.path.resolve(), one.offset) == (other.path.resolve(), other.offset)
    audio = (
        f"the same audio, {shown(one.path)}" if same else f"different audio, {shown(one.path)} and {shown(other.path)}"
    )
    raise DataError(
        f"{len(twice)} ids of {place} are in {found[one.id].part} too, as {one.id}, with {audio}: "
        "name only one of the two, or shard each into a folder of its own"
    )
