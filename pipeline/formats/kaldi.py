"""kaldi: a data folder, each file a table of words and all of them sorted by bytes.

    wav.scp   1272-128104-0000 /data/audio/1272-128104-0000.wav
    text      1272-128104-0000 mister quilter is the apostle
    utt2spk   1272-128104-0000 1272          spk2utt  1272 1272-128104-0000 1272-128104-0001 ...
    utt2dur   1272-128104-0000 5.855         segments (read only)  utterance recording 0.0 5.855

Layout: kaldi-asr.org/doc/data_prep.html. Paths are absolute, for Kaldi begins them wherever a recipe runs. An
utterance without a speaker is its own speaker. utils/validate_data_dir.sh wants utt2spk sorted by speaker and by
utterance at once. Where our ids do not give that, utterances are named SPEAKER-ID, the speaker by letters, digits and
`_` alone, and two further tables tell the way back:

    utt2id    spk_7-0001 0001                spk2name   spk_7 Spk. 7
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...manifests import DataError, Sample, seconds_text
from .format import Audio, Clip, Entry, Format, Holds
from .reading import Ids, at, audio_sample, read_lines
from .writing import absolute

MAIN = "wav.scp"


@dataclass(frozen=True, slots=True)
class Names:
    """What a sample is called in Kaldi's tables."""

    utterance: str
    speaker: str


def write(entries: Sequence[Entry], home: Path) -> Mapping[str, bytes]:
    samples = [entry.sample for entry in entries]
    plain = {one.id: Names(one.id, one.speaker or one.id) for one in samples}
    names = plain if _sorted(samples, plain) else _prefixed(samples)
    tables: dict[str, dict[str, str]] = {
        "text": {names[one.id].utterance: one.transcript for one in samples},
        "utt2spk": {names[one.id].utterance: names[one.id].speaker for one in samples},
        "utt2dur": {names[one.id].utterance: seconds_text(one.duration or 0) for one in samples},
    }
    if names is not plain:
        tables["utt2id"] = {names[one.id].utterance: one.id for one in samples}
        tables["spk2name"] = {names[one.id].speaker: one.speaker for one in samples if one.speaker}
    by_speaker: dict[str, list[str]] = {}
    for name in sorted(names.values(), key=lambda name: name.utterance):
        by_speaker.setdefault(name.speaker, []).append(name.utterance)
    tables["spk2utt"] = {speaker: " ".join(utterances) for speaker, utterances in by_speaker.items()}
    paths = sorted((names[one.id].utterance.encode(), _path(one).encode()) for one in samples)
    scp = b"".join(b" ".join(row) + b"\n" for row in paths)
    return {MAIN: scp, **{name: _table_bytes(table) for name, table in tables.items()}}


def read(place: Path, root: Path | None) -> Iterator[Clip]:
    """The clips of a data folder: its segments, or without that file its recordings."""
    folder = place if place.is_dir() else place.parent
    wavs = {name: (number, path) for number, name, path in _table(folder / MAIN)}
    texts, speakers = _mapping(folder / "text"), _mapping(folder / "utt2spk")
    durations, own_ids = _optional(folder / "utt2dur"), _optional(folder / "utt2id")
    speaker_names = _optional(folder / "spk2name")
    ids = Ids()

    def clip(utterance: str, recording: str, times: Sequence[str] = ()) -> Clip:
        if recording not in wavs:
            raise ValueError(f"{recording} is not in wav.scp")
        if utterance not in texts or utterance not in speakers:
            raise ValueError(f"{utterance} is not in {'text' if utterance not in texts else 'utt2spk'}")
        made, extras = ids.named(own_ids.get(utterance, utterance))
        number, path = wavs[recording]
        with at(folder / MAIN, number):
            speaker = speakers[utterance]
            sample = audio_sample(
                _plain_file(path),
                root or folder,
                id=made,
                transcript=texts[utterance],
                duration=float(durations[utterance]) if utterance in durations and not times else None,
                speaker="" if speaker == utterance else speaker_names.get(speaker, speaker),
                extras=extras,
            )
        return _piece(sample, times)

    table, there = MAIN, set(wavs)
    if (folder / "segments").is_file():
        table, there = "segments", set()
        for number, name, rest in _table(folder / table):
            with at(folder / table, number):
                recording, *times = rest.split() or [""]
                yield clip(name, recording, times)
            there.add(name)
    else:
        for name, (number, _) in wavs.items():
            with at(folder / MAIN, number):
                yield clip(name, name)
    for number, name, _ in _table(folder / "text"):
        if name not in there:
            raise DataError.at(folder / "text", number, f"{name} is not in {table}: take its line out of text")


def _piece(sample: Sample, times: Sequence[str]) -> Clip:
    """The clip between the times of a line of segments; an end of -1 is that of the file."""
    if not times:
        return Clip(sample=sample)
    if len(times) not in (2, 3):
        raise ValueError("not utterance, recording, start, end and perhaps a channel")
    start, end = float(times[0]), float(times[1])
    clip = Clip(sample=sample, start=start, end=None if end == -1 else end)
    # Kaldi counts a segment's channel from 0.
    return replace(clip, channel=int(times[2])) if len(times) == 3 else clip


def _plain_file(path: str) -> str:
    if path.endswith("|") or path.startswith("|"):
        raise ValueError("a command; dsprep runs no commands from data: write its output to files, and name those")
    if re.search(r":\d+$", path):
        raise ValueError(f"{path} is a place in an archive of Kaldi's: copy it to files (wav-copy scp:... )")
    return path


def _sorted(samples: Sequence[Sample], names: Mapping[str, Names]) -> bool:
    """Whether the names as they are can stand in Kaldi's tables, sorted by utterance and by speaker at once."""
    speakers = {one.speaker for one in samples if one.speaker}
    if any(speaker != "".join(speaker.split()) for speaker in speakers) or speakers & {one.id for one in samples}:
        return False
    lines = sorted((name.utterance.encode(), name.speaker.encode()) for name in names.values())
    return lines == sorted(lines, key=lambda line: (line[1], line[0]))


def _prefixed(samples: Sequence[Sample]) -> dict[str, Names]:
    """Names that sort well: no speaker holds a `-`, and all that they may hold sorts after it."""
    made: dict[str, str] = {}
    taken: set[str] = set()
    for owner in sorted({one.speaker or f"\0{one.id}" for one in samples}):
        plain = re.sub(r"[^A-Za-z0-9_]+", "_", owner).strip("_") or "speaker"
        key, count = plain, 1
        while key in taken:
            count += 1
            key = f"{plain}_{count}"
        taken.add(key)
        made[owner] = key
    return {
        one.id: Names(f"{made[one.speaker]}-{one.id}", made[one.speaker])
        if one.speaker
        else Names(made[f"\0{one.id}"], made[f"\0{one.id}"])
        for one in samples
    }


def _path(sample: Sample) -> str:
    path = absolute(sample.path)
    if path != path.strip() or path.endswith("|") or re.search(r"[\n\r]|:\d+$", path):
        raise DataError(f"{sample.id}: Kaldi would not take {path} for a file: rename it, or add --copy-audio")
    return path


def _table_bytes(table: Mapping[str, str]) -> bytes:
    rows = sorted((key.encode(), " ".join(value.split()).encode()) for key, value in table.items())
    return b"".join(b" ".join(row).rstrip(b" ") + b"\n" for row in rows)


def _table(path: Path) -> Iterator[tuple[int, str, str]]:
    """The lines of a table: number, first word, the rest."""
    seen = set[str]()
    for number, line in read_lines(path):
        key, _, rest = line.strip().replace("\t", " ", 1).partition(" ")
        if key in seen:
            raise DataError.at(path, number, f"{key} appears twice")
        seen.add(key)
        yield number, key, rest.strip()


def _mapping(path: Path) -> dict[str, str]:
    return {key: rest for _, key, rest in _table(path)}


def _optional(path: Path) -> dict[str, str]:
    return _mapping(path) if path.is_file() else {}


FORMAT = Format(
    name="kaldi",
    title="Kaldi's data folder",
    mains=(MAIN,),
    beside=("text", "utt2spk", "spk2utt", "utt2dur", "utt2id", "spk2name"),
    holds=Holds(audio=Audio.WAV, id=True, duration=True, speaker=True, spacing=False),
    read=read,
    write=write,
    needs_duration=True,
)
