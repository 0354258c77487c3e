"""Table: samples by the million, as rows of numbers and one long text; a `Sample` is made when it is asked for.

    rows    key, seconds, offset, size, start, length, folder, shard, set, needed, digest     92 bytes each, by key
    text    1272-128104-0000 NUL 000017.tar NUL mister quilter is ... NUL 1272 NUL further columns

The key is BLAKE2b of the id, and the order of the rows: it does not depend on the order in which they came.
A hundred million samples are some 20 GB; kept in a folder they are mapped, not read, and processes share them.
"""

import hashlib
import io
import itertools
import struct
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self, overload

import numpy as np
from numpy.typing import NDArray

from ..manifests import DataError, Sample, ctc
from .commit import Building, commit, proven, record_path, sweep
from .hashing import draw
from .reading import shown

CODE = "table-2"
"""Changes whenever the code would make other rows of the same samples."""
ROW = np.dtype(
    [
        ("key", "<u8"),
        ("seconds", "<f8"),
        ("offset", "<i8"),
        ("size", "<i8"),
        ("start", "<i8"),
        ("length", "<i4"),
        ("folder", "<i4"),
        ("shard", "<i4"),
        ("set", "<i4"),
        ("needed", "<i4"),
        ("digest", "u1", (32,)),
    ]
)
_PACK = struct.Struct("<Qdqqqiiiii32s").pack
NONE = -1
"""In place of an offset: a file of its own."""
FURTHEST = 1 << 61
"""Bytes: no file reaches there, and what a damaged manifest says of more is kept as this."""
PIECE = 1 << 20
"""Rows to put in order at a time."""
UNTOLD = bytes(32)


def key_of(name: str) -> int:
    """Where an id stands among all ids: 64 bits of BLAKE2b, the same on every machine."""
    return int.from_bytes(draw(name))


@dataclass(frozen=True, slots=True)
class Layout:
    """What the rows' numbers mean, and what was learnt of all of them on the way."""

    folders: tuple[str, ...]
    """Where the files lie."""
    shards: int
    """Tars, and folders of loose files."""
    columns: tuple[str, ...]
    """Names of the further columns; one that a sample lacks has an empty value."""
    digest: str
    """Of all ids, sizes, transcripts and lengths, wherever the audio lies."""
    characters: dict[str, tuple[int, str]]
    """Of the transcripts in NFC, each with the number of transcripts that have it, and the id of one."""


class Table(Sequence[Sample]):
    """Samples by key. Equal tables hold equal samples, in whatever order these came."""

    def __init__(self, rows: NDArray[Any], text: bytes | NDArray[np.uint8], layout: Layout) -> None:
        self.rows, self._text, self.layout = rows, text, layout
        self._folders = [Path(folder) for folder in layout.folders]

    @classmethod
    def of(cls, *sets: Iterable[Sample]) -> Self:
        """A table in memory, of one or several data sets.

        Raises:
            DataError: an id comes twice.
        """
        rows, text = io.BytesIO(), io.BytesIO()
        layout = _write(sets, rows, text)
        unsorted = np.frombuffer(rows.getbuffer(), dtype=ROW)
        table = cls(unsorted[_order(unsorted)], text.getvalue(), layout)
        table._check_ids()
        return table

    @classmethod
    def kept(cls, folder: Path, key: str, *sets: Iterable[Sample]) -> Self:
        """The table that was kept in `folder` under that key, mapped; made of the data sets if it is not whole there.

        Raises:
            DataError: an id comes twice.
            OutputError: it cannot be written.
        """
        if (record := proven(folder, key)) is None:
            record_path(folder).unlink(missing_ok=True)
            sweep(folder.parent)
            record = commit(folder, key, lambda building: _build(building, sets), folder=True)
        table = cls(_mapped(folder / "rows", ROW), _mapped(folder / "text", np.dtype("u1")), _layout(record.facts))
        table._check_ids()
        return table

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, at: int) -> Sample: ...

    @overload
    def __getitem__(self, at: slice) -> "Table": ...

    def __getitem__(self, at: int | slice) -> "Sample | Table":
        if isinstance(at, slice):
            return Table(self.rows[at], self._text, self.layout)
        _, seconds, offset, size, start, length, folder, _, _, _, digest = self.rows[at]
        name, file, transcript, speaker, *values = bytes(self._text[start : start + length]).decode().split("\0")
        return Sample(
            id=name,
            path=self._folders[folder] / file,
            size=int(size),
            transcript=transcript,
            offset=None if offset == NONE else int(offset),
            duration=None if np.isnan(seconds) else float(seconds),
            sha256="" if (told := digest.tobytes()) == UNTOLD else told.hex(),
            speaker=speaker,
            extras=tuple(itertools.zip_longest(self.layout.columns, values, fillvalue="")),
        )

    def taken(self, kept: NDArray[np.bool_]) -> "Table":
        """Those of its samples for which `kept` is true."""
        return Table(self.rows[kept], self._text, self.layout)

    @property
    def keys(self) -> NDArray[np.uint64]:
        """Of each sample; they rise."""
        return np.ascontiguousarray(self.rows["key"])

    @property
    def seconds(self) -> NDArray[np.float64]:
        """Of each sample; not a number where nobody tells."""
        return np.ascontiguousarray(self.rows["seconds"])

    @property
    def needed(self) -> NDArray[np.int32]:
        """Of each sample, the fewest steps in which CTC can write its transcript."""
        return np.ascontiguousarray(self.rows["needed"])

    @property
    def sets(self) -> NDArray[np.int32]:
        """Of each sample, the number of its data set."""
        return np.ascontiguousarray(self.rows["set"])

    @property
    def shards(self) -> NDArray[np.int32]:
        """Of each sample, the number of its tar, or of the folder of its loose file, counted from 0 as they appear."""
        found = self.rows["shard"]
        first = np.full(self.layout.shards, len(found))
        first[found[::-1]] = np.arange(len(found))[::-1]
        number = np.empty(self.layout.shards, np.int32)
        number[np.argsort(first, kind="stable")] = np.arange(self.layout.shards)
        return np.asarray(number[found])

    def furthest(self) -> Iterator[Sample]:
        """Every sample with a file of its own, and of each tar the one that ends last: if these are there, all are."""
        rows, loose = self.rows, self.rows["offset"] == NONE
        yield from (self[int(at)] for at in np.flatnonzero(loose))
        tarred = np.flatnonzero(~loose)
        tarred = tarred[np.lexsort(((rows["offset"] + rows["size"])[tarred], rows["shard"][tarred]))]
        last = np.flatnonzero(np.diff(rows["shard"][tarred], append=NONE))
        yield from (self[int(at)] for at in tarred[last])

    def _check_ids(self) -> None:
        keys = self.rows["key"]
        for at in np.flatnonzero(keys[1:] == keys[:-1]):
            one, other = self[int(at)], self[int(at) + 1]
            if one.id == other.id:
                raise DataError(
                    f"id {one.id} is in the data twice: {shown(one.path)} and {shown(other.path)}: "
                    "name manifests that share no clip"
                )


def _build(building: Building, sets: Iterable[Iterable[Sample]]) -> dict[str, Any]:
    """The files of a table in a folder; returns its layout."""
    unsorted = building.path / "unsorted"
    with unsorted.open("xb") as rows, building.open("text") as text:
        layout = _write(sets, rows, text)
    found = _mapped(unsorted, ROW)
    order = _order(found)
    with building.open("rows") as file:
        for start in range(0, len(order), PIECE):
            file.write(found[order[start : start + PIECE]].tobytes())
    unsorted.unlink()
    return asdict(layout)


def _write(sets: Iterable[Iterable[Sample]], rows: BinaryIO, text: Any) -> Layout:
    """Write the samples of each data set as they come."""
    seen = _Seen()
    folders: dict[Path, int] = {}
    shards: dict[Path, int] = {}
    columns: dict[str, int] = {}
    end = 0
    for number, sample in ((number, sample) for number, samples in enumerate(sets) for sample in samples):
        words = "\0".join((sample.id, sample.path.name, sample.transcript, sample.speaker, *_further(sample, columns)))
        data = words.encode()
        folder, place = sample.path.parent, sample.path.parent if sample.offset is None else sample.path
        rows.write(
            _PACK(
                key_of(sample.id),
                np.nan if sample.duration is None else sample.duration,
                NONE if sample.offset is None else min(sample.offset, FURTHEST),
                min(sample.size, FURTHEST),
                end,
                len(data),
                folders.setdefault(folder, len(folders)),
                shards.setdefault(place, len(shards)),
                number,
                seen.take(sample),
                bytes.fromhex(sample.sha256) or UNTOLD,
            )
        )
        text.write(data)
        end += len(data)
    return Layout(tuple(map(str, folders)), len(shards), tuple(columns), seen.digest, seen.characters)


class _Seen:
    """What is learnt of samples, one after another, in whatever order."""

    def __init__(self) -> None:
        self.characters: dict[str, tuple[int, str]] = {}
        self._sum = 0

    def take(self, sample: Sample) -> int:
        """The fewest steps in which CTC can write the transcript."""
        facts = f"{sample.id}\0{sample.size}\0{sample.transcript}\0{sample.duration!r}"
        self._sum += int.from_bytes(hashlib.sha256(facts.encode()).digest())
        labels = unicodedata.normalize("NFC", sample.transcript)
        for character in set(labels):
            count, first = self.characters.get(character, (0, sample.id))
            self.characters[character] = (count + 1, first)
        return ctc.needed(labels)

    @property
    def digest(self) -> str:
        """A sum of digests, for that is the same in any order (AdHash: Bellare and Micciancio 1997)."""
        return f"{self._sum % (1 << 256):064x}"


def _further(sample: Sample, columns: dict[str, int]) -> Iterator[str]:
    """The values of all columns so far: who came before a column was seen has none, which reads as empty."""
    own = dict(sample.extras)
    for name in own:
        columns.setdefault(name, len(columns))
    return (own.get(name, "") for name in columns)


def _order(rows: NDArray[Any]) -> NDArray[np.int64]:
    return np.argsort(rows["key"], kind="stable")


def _mapped(path: Path, kind: np.dtype[Any]) -> NDArray[Any]:
    """A file as an array; an empty file cannot be mapped."""
    return np.memmap(path, kind, "r") if path.stat().st_size else np.empty(0, kind)


def _layout(facts: dict[str, Any]) -> Layout:
    characters = {character: (count, first) for character, (count, first) in facts["characters"].items()}
    return Layout(tuple(facts["folders"]), facts["shards"], tuple(facts["columns"]), facts["digest"], characters)
