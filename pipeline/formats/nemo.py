"""nemo: NVIDIA NeMo's manifest, one JSON object a line.

    {"audio_filepath": "audio/00000/a.wav", "duration": 2.92, "text": "zero one", "id": "a", "speaker": "19"}

Keys: nemo/collections/common/parts/preprocessing/manifest.py of NeMo 3.0. Paths are relative to the manifest, as NeMo
looks for them. A row is the `duration` seconds from `offset` on, or from the beginning.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .format import Audio, Clip, Entry, Format, Holds
from .reading import Ids, at, audio_sample, extra, extras_of, file_in, parse_object, read_lines, seconds, string
from .writing import free_columns, json_lines, relative

MAIN = "nemo_manifest.json"
OURS = ("audio_filepath", "duration", "text", "id", "speaker", "offset")
THEIRS = (
    *("audio_filename", "audio_file", "video_filename", "video_filepath", "video_file", "context", "context_duration"),
    *("text_filepath", "normalized_text", "rttm_file", "rttm_filename", "rttm_filepath"),
    *("feature_file", "feature_filename", "feature_filepath", "orig_sample_rate", "token_labels", "shard_id"),
)
"""Keys that NeMo gives a meaning, so that no column of ours may have their names."""


def read(place: Path, root: Path | None) -> Iterator[Clip]:
    """The clips of a manifest. Rows without `id` get the names of their files."""
    path, ids = file_in(place, [MAIN]), Ids()
    for number, line in read_lines(path):
        with at(path, number):
            yield _clip(parse_object(line), root or path.parent, ids)


def write(entries: Sequence[Entry], home: Path) -> Mapping[str, bytes]:
    free_columns(entries, (*OURS, *THEIRS), "nemo")
    return {MAIN: json_lines(_row(entry, home) for entry in entries)}


def _clip(row: dict[str, Any], folder: Path, ids: Ids) -> Clip:
    if "shard_id" in row:
        raise ValueError("a row of a tarred data set: untar its audio, and convert the manifest that it was made from")
    name, own = string(row, "audio_filepath"), string(row, "id", "")
    made, original = ids.named(own) if own else (ids.made(Path(name).stem), ())
    duration, start = seconds(row, "duration"), seconds(row, "offset")
    if duration is None and start is not None:
        raise ValueError("offset without duration")
    sample = audio_sample(
        name,
        folder,
        id=made,
        transcript=string(row, "text"),
        duration=duration,
        speaker=extra(row.get("speaker")),
        extras=extras_of(row, OURS) + original,
    )
    if duration is None:
        return Clip(sample=sample)
    return Clip(sample=sample, start=start or 0.0, end=(start or 0.0) + duration)


def _row(entry: Entry, home: Path) -> dict[str, Any]:
    sample = entry.sample
    row = {
        "audio_filepath": relative(sample.path, home),
        "duration": sample.duration,
        "text": sample.transcript,
        "id": sample.id,
    }
    return row | ({"speaker": sample.speaker} if sample.speaker else {}) | dict(sample.extras)


FORMAT = Format(
    name="nemo",
    title="NVIDIA NeMo's manifest, JSON lines",
    mains=(MAIN,),
    holds=Holds(audio=Audio.FILE, id=True, duration=True, speaker=True, extras=True),
    begins=lambda head: head.lstrip().startswith("{") and '"audio_filepath"' in head.split("\n")[0],
    read=read,
    write=write,
    needs_duration=True,
)
