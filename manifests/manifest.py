"""Manifest: one CSV table of samples, spoken by every command and by DeepSpeech's own readers.

    wav_filename,wav_filesize,transcript,id,duration,speaker,offset
    audio/dev-clean/00000/1272-128104-0000.wav,187244,mister quilter is ...,1272-128104-0000,5.855,1272,

UTF-8, LF, a header, RFC 4180 quoting, rows sorted by id, paths relative to the CSV's own folder.
A last column of ours, `wav_sha256`, tells the digest of the audio where that is known.
Reading also takes DeepSpeech's three columns alone, absolute paths, and other people's further columns.
"""

import csv
import functools
import itertools
import os
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path

from .errors import DataError
from .sample import Sample
from .utterance import ID, cleaned

REQUIRED = ("wav_filename", "wav_filesize", "transcript")
LEFT_OUT = ("part", "id", "reason", "detail", "seconds")
"""The header of rejected.csv."""
ALWAYS = (*REQUIRED, "id", "duration", "speaker", "offset")
DIGEST = "wav_sha256"
"""A column that is there where the digests are known: in shards."""
COLUMNS = (*ALWAYS, DIGEST)


def manifest_bytes(samples: Iterable[Sample], folder: Path | None) -> bytes:
    """The table of `samples` for a CSV in `folder`: the same samples give the same bytes in any order.

    Without a folder, paths are written as they are: for a CSV that lies nowhere near its audio.

    Raises:
        DataError: an id appears twice.
    """
    rows = sorted(samples, key=lambda sample: sample.id)
    for one, other in itertools.pairwise(rows):
        if one.id == other.id:
            raise DataError(f"id {one.id} appears twice: {one.path} and {other.path}")
    extras = {name for sample in rows for name, _ in sample.extras}
    return b"".join(manifest_lines(rows, folder, extras, digests=any(sample.sha256 for sample in rows)))


def manifest_lines(
    samples: Iterable[Sample], folder: Path | None, extras: Iterable[str], *, digests: bool = False
) -> Iterator[bytes]:
    """The same table line by line, of samples that come sorted by id and have no columns but `extras`."""
    columns = [*([DIGEST] if digests else []), *sorted(extras)]
    return csv_lines((*ALWAYS, *columns), (_cells(sample, folder, columns) for sample in samples))


def csv_bytes(header: Iterable[str], rows: Iterable[Iterable[str]]) -> bytes:
    """A CSV table as dsprep writes all of them: UTF-8, LF, RFC 4180 quoting."""
    return b"".join(csv_lines(header, rows))


def csv_lines(header: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[bytes]:
    """The same line by line."""
    for cells in itertools.chain([header], rows):
        yield (",".join(map(_quote, cells)) + "\n").encode()


def read_manifest(path: Path, root: Path | None = None) -> list[Sample]:
    """The samples of the CSV at `path`, in its order; relative paths begin at `root`, by default at its own folder.

    Raises:
        DataError: the file is missing, has no such columns, or a row cannot be a sample (named by line).
    """
    try:
        csv.field_size_limit(
            2**31 - 1
        )  # of the whole process; a transcript may be longer than the 131072 it begins with
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(_samples(csv.reader(file, strict=True), path, root or path.parent))
    except FileNotFoundError as error:
        raise DataError(f"there is no manifest {path}") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as a manifest: {error}") from error


def _samples(rows: Iterator[list[str]], path: Path, root: Path) -> Iterator[Sample]:
    header = next(rows, [])
    if header == list(LEFT_OUT):
        raise DataError(f"{path} lists the rows that an import left out: name a manifest beside it")
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        raise DataError(f"{path} is not a manifest: its first line has no column {', '.join(missing)}")
    if twice := next((name for name in header if header.count(name) > 1), None):
        raise DataError(f"{path} has two columns {twice!r}: take one out, or give it another name")
    seen: set[str] = set()
    counts: dict[str, int] = {}
    for number, cells in enumerate(rows, 2):
        if not cells:
            continue
        if len(cells) != len(header):
            raise DataError.at(path, number, f"{len(cells)} cells under {len(header)} columns")
        try:
            sample = _sample(dict(zip(header, cells, strict=True)), root, seen, counts)
        except ValueError as error:
            raise DataError.at(path, number, str(error)) from error
        if sample.id in seen:
            raise DataError.at(path, number, f"id {sample.id} appears twice")
        seen.add(sample.id)
        yield sample


def _sample(row: dict[str, str], folder: Path, seen: set[str], counts: dict[str, int]) -> Sample:
    name = row["wav_filename"]
    if not name or "\0" in name:
        raise ValueError("wav_filename is empty or holds NUL")
    return Sample(
        id=row["id"] if row.get("id") else _made_id(name, seen, counts),
        path=folder / name,
        size=_whole("wav_filesize", row["wav_filesize"]),
        transcript=row["transcript"],
        offset=_whole("offset", row["offset"]) if row.get("offset") else None,
        duration=_seconds(row["duration"]) if row.get("duration") else None,
        speaker=row.get("speaker", ""),
        sha256=row.get(DIGEST, "").lower(),
        extras=tuple((key, value) for key, value in row.items() if key not in COLUMNS),
    )


def _whole(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit()):
        raise ValueError(f"{name} {value!r} is not a number of bytes")
    return int(value)


def _seconds(value: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise ValueError(f"duration {value!r} is not a number of seconds") from error


def _made_id(name: str, seen: set[str], counts: dict[str, int]) -> str:
    """An id for a row that has none: the file's stem, with its folders and a count where that is not unique.

    `counts` is how far each has been counted: names in other scripts are all alike, and a search from 2 each time
    would take hours of a large manifest.
    """
    stem = name.removesuffix(Path(name).suffix)
    for words in (Path(stem).name, stem):
        plain = words
        if not ID.fullmatch(words):
            plain = cleaned(words)[-80:] or "clip"
        if plain not in seen:
            return plain
    count = counts.get(plain, 2)
    while f"{plain}-{count}" in seen:
        count += 1
    counts[plain] = count
    return f"{plain}-{count}"


def _cells(sample: Sample, folder: Path | None, extras: list[str]) -> Iterator[str]:
    further = {DIGEST: sample.sha256, **dict(sample.extras)}
    yield _relative(sample.path, folder)
    yield str(sample.size)
    yield sample.transcript
    yield sample.id
    yield "" if sample.duration is None else seconds_text(sample.duration)
    yield sample.speaker
    yield "" if sample.offset is None else str(sample.offset)
    for name in extras:
        yield further.get(name, "")


@functools.lru_cache(maxsize=1024)
def _relative(path: Path, folder: Path | None) -> str:
    """How to get from `folder` to `path`: remembered, for it takes 10 us, and a tar holds thousands of samples."""
    return (os.path.relpath(path, folder) if folder else str(path)).replace(os.sep, "/")


def seconds_text(seconds: float) -> str:
    """Seconds as a plain decimal that reads back as the same float: 46797 / 16000 is `2.9248125`."""
    return format(Decimal(repr(seconds)), "f").removesuffix(".0")


def _quote(cell: str) -> str:
    # Not csv.writer: with LF line ends it leaves a lone CR unquoted before Python 3.13, and readers split the row.
    if cell != cell.strip() or any(character in cell for character in ',"\r\n'):
        return '"' + cell.replace('"', '""') + '"'
    return cell
