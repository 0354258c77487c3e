"""lhotse: Lhotse's manifests, JSON lines in gzip: recordings, supervisions, and cuts that hold both.

    {"id": "a", "start": 0, "duration": 2.92, "channel": 0, "supervisions": [{"id": "a", "recording_id": "a",
     "start": 0.0, "duration": 2.92, "channel": 0, "text": "zero one", "speaker": "19", "custom": {"accent": "us"}}],
     "recording": {"id": "a", "sources": [{"type": "file", "channels": [0], "source": "/data/a.wav"}],
     "sampling_rate": 16000, "num_samples": 46720, "duration": 2.92, "channel_ids": [0]}, "type": "MonoCut"}

Fields: lhotse 1.33, supervision.py, audio/recording.py, cut/mono.py. Paths are absolute, for Lhotse begins them
wherever it runs. Durations are those of the files' headers, for Lhotse checks them against num_samples.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...manifests import DataError
from .format import Audio, Clip, Entry, Format, Holds, Sound
from .reading import Ids, at, audio_sample, extras_of, file_in, parse_object, read_lines, seconds, string
from .writing import absolute, json_lines, zipped

RECORDINGS, SUPERVISIONS, CUTS = "recordings.jsonl.gz", "supervisions.jsonl.gz", "cuts.jsonl.gz"
MAINS = (CUTS, "cuts.jsonl", RECORDINGS, "recordings.jsonl")
FIELDS = ("gender", "language")
"""Columns of ours for which a supervision has fields of its own; the others go into `custom`."""


def write(entries: Sequence[Entry], home: Path) -> Mapping[str, bytes]:
    recordings = [_recording(entry) for entry in entries]
    supervisions = [_supervision(entry) for entry in entries]
    cuts = map(_cut, recordings, supervisions)
    tables = {RECORDINGS: recordings, SUPERVISIONS: supervisions, CUTS: cuts}
    return {name: zipped(json_lines(rows)) for name, rows in tables.items()}


def read(place: Path, root: Path | None) -> Iterator[Clip]:
    """The clips of cuts, or of recordings and supervisions beside each other: one a supervision.

    A supervision's text goes with its own stretch of the recording, also where a cut shows less of it.
    """
    path, ids = file_in(place, MAINS), Ids()
    folder = root or path.parent
    if path.name.startswith("recordings."):
        yield from _read_supervisions(path, folder, ids)
        return
    for number, line in read_lines(path):
        with at(path, number):
            cut = parse_object(line)
            if cut.get("type") not in ("MonoCut", "MultiCut"):
                raise ValueError(f"a {cut.get('type')}: save its audio first (CutSet.save_audios), then convert that")
            if not (supervisions := _list(cut, "supervisions")):
                raise ValueError("a cut without supervisions, of which no text is known: take it out first")
            for one in supervisions:
                yield _clip(_object(cut, "recording"), one, seconds(cut, "start") or 0.0, folder, ids)


def _read_supervisions(path: Path, folder: Path, ids: Ids) -> Iterator[Clip]:
    recordings: dict[str, dict[str, Any]] = {}
    for number, line in read_lines(path):
        with at(path, number):
            row = parse_object(line)
            if recordings.setdefault(string(row, "id"), row) is not row:
                raise ValueError(f"id {row['id']} appears twice")
    beside = path.with_name(path.name.replace("recordings.", "supervisions."))
    for number, line in read_lines(beside):
        with at(beside, number):
            row = parse_object(line)
            if (recording := recordings.get(string(row, "recording_id"))) is None:
                raise ValueError(f"recording {row['recording_id']} is not in {path.name}")
            yield _clip(recording, row, 0.0, folder, ids)


def _clip(recording: dict[str, Any], one: dict[str, Any], cut_start: float, folder: Path, ids: Ids) -> Clip:
    if recording.get("transforms"):
        raise ValueError("a recording that Lhotse changes while it reads: save its audio first (CutSet.save_audios)")
    sources = _list(recording, "sources")
    if len(sources) != 1 or sources[0].get("type") != "file":
        raise ValueError("its audio is not one plain file (command, url, memory ...): save it to a file first")
    length, duration = seconds(recording, "duration"), seconds(one, "duration")
    start = cut_start + (seconds(one, "start") or 0.0)
    if length is None or duration is None:
        raise ValueError("no duration")
    whole = start == 0 and abs(duration - length) < SLACK
    made, original = ids.named(string(one, "id"))
    sample = audio_sample(
        string(sources[0], "source"),
        folder,
        id=made,
        transcript=string(one, "text", ""),
        duration=duration,
        speaker=string(one, "speaker", ""),
        extras=(*_extras(one), *original),
    )
    channel = _channel(one, recording)
    return Clip(sample=sample, start=start, end=None if whole else start + duration, channel=channel)


SLACK = 1e-6
"""Seconds within which two of Lhotse's times are the same: it rounds sums."""


def _channel(one: dict[str, Any], recording: dict[str, Any]) -> int | None:
    """The channel of a supervision, None if its file has no other."""
    (source,) = recording["sources"]
    own, all_of_them = one.get("channel", 0), source.get("channels", [0])
    if own == all_of_them or [own] == all_of_them:
        return None
    if not isinstance(own, int) or not isinstance(all_of_them, list) or own not in all_of_them:
        raise ValueError(f"channel {own} of a file with channels {all_of_them}")
    return own


def _extras(one: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name in FIELDS:
        if one.get(name) is not None:
            yield name, string(one, name)
    custom = one.get("custom") or {}
    if not isinstance(custom, dict):
        raise ValueError("custom is not an object")
    yield from extras_of(custom)


def _recording(entry: Entry) -> dict[str, Any]:
    sample, sound = entry.sample, _sound(entry)
    channels = list(range(sound.channels))
    return {
        "id": sample.id,
        "sources": [{"type": "file", "channels": channels, "source": absolute(sample.path)}],
        "sampling_rate": sound.rate,
        "num_samples": sound.frames,
        "duration": sound.seconds,
        "channel_ids": channels,
    }


def _supervision(entry: Entry) -> dict[str, Any]:
    sample, sound = entry.sample, _sound(entry)
    extras = dict(sample.extras)
    named = {"speaker": sample.speaker} if sample.speaker else {}
    named |= {name: extras.pop(name) for name in FIELDS if name in extras}
    return {
        "id": sample.id,
        "recording_id": sample.id,
        "start": 0.0,
        "duration": sound.seconds,
        "channel": 0 if sound.channels == 1 else list(range(sound.channels)),
        "text": sample.transcript,
        **named,
        **({"custom": extras} if extras else {}),
    }


def _cut(recording: dict[str, Any], supervision: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": recording["id"],
        "start": 0,
        "duration": recording["duration"],
        "channel": supervision["channel"],
        "supervisions": [supervision],
        "recording": recording,
        "type": "MonoCut" if supervision["channel"] == 0 else "MultiCut",
    }


def _sound(entry: Entry) -> Sound:
    if entry.sound is None or entry.sound.frames == 0:
        raise DataError(f"{entry.sample.id}: {entry.sample.path} holds no sound, and Lhotse has no empty recordings")
    return entry.sound


def _list(row: dict[str, Any], key: str) -> list[dict[str, Any]]:
    value = row.get(key)
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise ValueError(f"it has no list of {key}")
    return value


def _object(row: dict[str, Any], key: str) -> dict[str, Any]:
    value = row.get(key)
    if not isinstance(value, dict):
        raise ValueError(f"it has no {key}")
    return value


FORMAT = Format(
    name="lhotse",
    title="Lhotse's recordings, supervisions and cuts",
    mains=MAINS,
    beside=(RECORDINGS, SUPERVISIONS),
    holds=Holds(audio=Audio.FILE, id=True, duration=True, speaker=True, extras=True),
    begins=lambda head: '"supervisions"' in head.split("\n")[0] and '"recording"' in head.split("\n")[0],
    read=read,
    write=write,
    needs_sound=True,
)
