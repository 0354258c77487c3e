"""audiofolder: a folder that Hugging Face `datasets` loads by itself, metadata.jsonl beside its audio.

    {"file_name": "audio/00000/a.wav", "transcription": "zero one", "id": "a", "duration": 2.92, "speaker": "19"}

The audio must lie inside the folder. We write JSON lines, for in a metadata.csv `datasets` (by pandas) makes numbers
of ids and missing values of words like `null`; reading takes both.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...manifests import DataError
from .format import Audio, Clip, Entry, Format, Holds
from .reading import (
    Ids,
    at,
    audio_sample,
    extra,
    extras_of,
    file_in,
    parse_object,
    read_lines,
    read_text,
    seconds,
    string,
)
from .writing import free_columns, json_lines, relative

MAINS = ("metadata.jsonl", "metadata.csv")
TEXTS = ("transcription", "transcript", "text", "sentence")
"""What data sets call the text; the first one there is taken."""
OURS = ("file_name", TEXTS[0], "id", "duration", "speaker")


def read(place: Path, root: Path | None) -> Iterator[Clip]:
    """The clips of a metadata.jsonl or metadata.csv. Rows without `id` get the names of their files."""
    path, ids = file_in(place, MAINS), Ids()
    for number, row in _csv_rows(path) if path.suffix == ".csv" else _json_rows(path):
        with at(path, number):
            yield _clip(row, root or path.parent, ids)


def write(entries: Sequence[Entry], home: Path) -> Mapping[str, bytes]:
    columns = free_columns(entries, (*OURS, "audio", "file_names"), "audiofolder")
    if special := [name for name in columns if name.endswith(("_file_name", "_file_names"))]:
        raise DataError(f"column {special[0]!r} names audio in audiofolder: rename it in the manifest first")
    # The first rows decide the columns and their types, so that every row has all of them.
    return {MAINS[0]: json_lines(_row(entry, home, columns) for entry in entries)}


def _json_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in read_lines(path):
        with at(path, number):
            row = parse_object(line)
        yield number, row


def _csv_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    rows = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
    header: list[str] = []
    try:
        for cells in rows:
            if header and cells and len(cells) != len(header):
                raise DataError.at(path, rows.line_num, f"{len(cells)} cells under {len(header)} columns")
            if header and cells:
                yield rows.line_num, dict(zip(header, cells, strict=True))
            if not header and (twice := next((name for name in cells if cells.count(name) > 1), None)):
                raise DataError(f"{path} has two columns {twice!r}: take one out, or give it another name")
            header = header or cells
    except csv.Error as error:
        raise DataError.at(path, rows.line_num, str(error)) from error


def _clip(row: dict[str, Any], folder: Path, ids: Ids) -> Clip:
    name, own = string(row, "file_name"), extra(row.get("id"))
    made, original = ids.named(own) if own else (ids.made(Path(name).stem), ())
    text = next((key for key in TEXTS if key in row), TEXTS[0])
    sample = audio_sample(
        name,
        folder,
        id=made,
        transcript=string(row, text),
        duration=_duration(row),
        speaker=extra(row.get("speaker")),
        extras=extras_of(row, (*OURS, text)) + original,
    )
    return Clip(sample=sample)


def _duration(row: dict[str, Any]) -> float | None:
    value = row.get("duration")
    if isinstance(value, str):  # as all cells of a CSV are
        return float(value) if value else None
    return seconds(row, "duration")


def _row(entry: Entry, home: Path, columns: Sequence[str]) -> dict[str, Any]:
    sample, further = entry.sample, dict(entry.sample.extras)
    return {
        "file_name": relative(sample.path, home),
        TEXTS[0]: sample.transcript,
        "id": sample.id,
        "duration": sample.duration,
        "speaker": sample.speaker,
        **{name: further.get(name, "") for name in columns},
    }


FORMAT = Format(
    name="audiofolder",
    title="Hugging Face's audiofolder, metadata.jsonl and audio",
    mains=MAINS,
    holds=Holds(audio=Audio.INSIDE, id=True, duration=True, speaker=True, extras=True),
    begins=lambda head: "file_name" in head.split("\n")[0],
    read=read,
    write=write,
)
