"""Converting: a data set of any format of `formats/` to another one, and what the other one cannot hold.

OUT/nemo_manifest.json    what the format is
OUT/audio/                copies of the audio, with --copy-audio; without, paths lead to where it lies already
OUT/txt/                  transcripts, for formats that have each in a file of its own
OUT/convert.json          written last: format, samples, a digest of each file
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from ..manifests import DataError, OutputError, Progress, Sample, UsageError, silent
from ..manifests.sample import ROUNDED
from ..manifests.utterance import check_text
from .commit import Building, Record, accepted, commit, digest_of, discard, read_record, seal, write_whole
from .copying import Task, chunks, copied, copy, form_of, measure, plan_copies
from .formats import FORMATS, Audio, Clip, Entry, Format, guess
from .formats.deepspeech_pytorch import text_bytes
from .outdir import CONVERTED, MADE_BY, begin, end, file_facts, reopen
from .samples import check_files
from .workers import run

AUDIO, TEXTS = "audio", "txt"


@dataclass(frozen=True, slots=True)
class ConvertReport:
    """What a conversion made."""

    source: Format
    samples: int
    notes: tuple[str, ...]
    """What the format cannot hold, or what was changed; a line each."""


def convert(
    source: Path,
    out: Path,
    to: Format,
    by: Format | None = None,
    *,
    root: Path | None = None,
    copy_audio: bool = False,
    workers: int = 1,
    progress: Progress = silent,
) -> ConvertReport:
    """Write the data set at `source` in the format `to` into the folder `out`; `by` None tells its format itself.

    Raises:
        UsageError: the format of `source` cannot be told or read, or `to` needs copies of the audio.
        DataError: something in `source` is wrong, its audio is gone, or a sample cannot be expressed.
        OutputError: `out` is not ours, holds another format, or cannot be written.
    """
    if copy_audio and to.holds.audio is Audio.NONE:
        raise UsageError(f"{to.name} holds no audio: leave out --copy-audio")
    by = by or guess(source)
    clips = _read(by, source, root)
    _check_apart(source, clips, out)
    if not copy_audio:
        _check_expressible(clips, to)
    begin(out, CONVERTED, {MADE_BY: "dsprep convert", "to": to.name}, _same_format(out, to))
    reopen(out, CONVERTED)
    done = _copies(clips, out, to, workers, progress) if copy_audio else []
    entries = _entries(clips, done, to, out, progress)
    notes = (*losses([clip.sample for clip in clips], entries, to), *_changes(done))
    _finish(entries, to, out, done, notes)
    return ConvertReport(by, len(entries), notes)


def losses(samples: Sequence[Sample], entries: Sequence[Entry], to: Format) -> list[str]:
    """What of `samples` is not in the format `to`: a line each, with the formats that hold it."""
    names = [Path(entry.sample.path).stem for entry in entries]
    columns = sorted({name for one in samples for name, value in one.extras if value})
    counts = {
        "audio": len(samples),
        "id": sum(one.id != name for one, name in zip(samples, names, strict=True)),
        "duration": sum(one.duration is not None for one in samples),
        "speaker": sum(bool(one.speaker) for one in samples),
        "extras": sum(any(value for _, value in one.extras) for one in samples),
        "spacing": sum(_spaced(one.transcript) or _spaced(one.speaker) for one in samples),
    }
    said = {"extras": f"columns {', '.join(columns)}", "spacing": "spacing of the words"}
    return [
        f"lost: {said.get(field, field)} of {count} samples; held by {', '.join(_holders(field))}"
        for field, count in counts.items()
        if count and not _holds(to, field)
    ]


def _read(by: Format, source: Path, root: Path | None) -> list[Clip]:
    if by.read is None:
        raise UsageError(f"{by.name} cannot be read: it holds no audio; name the data set that it was made from")
    clips = sorted((_settled(clip) for clip in by.read(source, root)), key=lambda clip: clip.sample.id)
    if not clips:
        raise DataError(f"{source}: no samples in there")
    check_files([clip.sample for clip in clips])
    return clips


def _settled(clip: Clip) -> Clip:
    """A piece that is all of its file as the whole file, which needs no cutting."""
    if clip.start == 0 and clip.end is not None and clip.channel is None:
        sound = measure(clip.sample)
        if (
            abs(sound.seconds - clip.end) < ROUNDED
        ):  # a piece from the beginning that all but ends with the file is all of it
            return replace(clip, end=None, sample=replace(clip.sample, duration=sound.seconds))
    return clip


def _check_apart(source: Path, clips: Iterable[Clip], out: Path) -> None:
    """Nothing that is read may lie in the folder that is written."""
    target = out.resolve()
    for path in (source.resolve(), *{clip.sample.path.parent.resolve() for clip in clips}):
        if path == target or target in path.parents:
            raise OutputError(f"{out} holds what is to be read: name another folder")


def _check_expressible(clips: Sequence[Clip], to: Format) -> None:
    faults = [(clip.sample.id, fault) for clip in clips if (fault := _fault(clip, to))]
    if faults:
        name, fault = faults[0]
        raise UsageError(
            f"{len(faults)} of {len(clips)} samples cannot stand in {to.name} as they are: the audio of {name} {fault};"
            " add --copy-audio, which writes files"
        )


def _fault(clip: Clip, to: Format) -> str:
    """Why a clip's audio cannot be named where it is, empty if it can."""
    audio = to.holds.audio
    if audio is Audio.NONE:
        return ""
    if not clip.whole:
        return f"is a piece of {clip.sample.path}"
    if audio is Audio.INSIDE:
        return "must lie in the folder itself"
    if clip.sample.offset is not None and audio is not Audio.TAR:
        return f"lies in the tar {clip.sample.path}"
    if audio is Audio.WAV and form_of(clip.sample) != "wav":
        return f"is no WAV file: {clip.sample.path}"
    return ""


def _same_format(out: Path, to: Format) -> Any:
    def check(earlier: dict[str, Any]) -> None:
        if earlier.get("to", to.name) != to.name:
            raise OutputError(f"{out} holds {earlier['to']} of an earlier convert: name another folder, or empty it")

    return check


Done = list[tuple[Task, Record]]


def _copies(clips: Sequence[Clip], out: Path, to: Format, workers: int, progress: Progress) -> Done:
    tasks = plan_copies(clips, out / AUDIO, wav=to.holds.audio is Audio.WAV)
    records = {task.final: record for task in tasks if (record := accepted(task.final, task.key))}
    todo = [task for task in tasks if task.final not in records]
    count = len(clips) - sum(len(task.clips) for task in todo)
    # A single folder is not worth the start of a process.
    for task, record in run(copy, todo, workers) if len(todo) > 1 else ((task, copy(task)) for task in todo):
        records[task.final] = record
        count += len(task.clips)
        progress("copying audio", count, len(clips), "samples")
    return [(task, records[task.final]) for task in tasks]


def _entries(clips: Sequence[Clip], done: Done, to: Format, out: Path, progress: Progress) -> list[Entry]:
    """What the writer takes: samples where they will be, measured if it asks for that, their texts in place."""
    found = {sample.id: (sample, sound) for task, record in done for sample, sound in copied(task, record)}
    texts = _texts([clip.sample for clip in clips], out) if to.texts else {}
    entries = []
    for count, clip in enumerate(clips, 1):
        sample, sound = found.get(clip.sample.id, (clip.sample, None))
        if sound is None and (to.needs_sound or (to.needs_duration and sample.duration is None)):
            sound = measure(sample)
            progress("measuring", count, len(clips), "samples")
        if sample.duration is None and sound is not None:
            sample = replace(sample, duration=sound.seconds)
        _check_path(sample)
        entries.append(Entry(sample=sample, sound=sound, text=texts.get(sample.id)))
    return entries


def _texts(samples: Sequence[Sample], out: Path) -> dict[str, Path]:
    """Write each transcript as a file of its own, and tell where."""
    for final, some in chunks(samples, out / TEXTS):
        key = digest_of([[one.id, one.transcript] for one in some])
        if accepted(final, key) is None:
            commit(final, key, partial(_add_texts, some), folder=True)
    return {one.id: final / f"{one.id}.txt" for final, some in chunks(samples, out / TEXTS) for one in some}


def _add_texts(samples: Sequence[Sample], building: Building) -> None:
    for one in samples:
        building.add(f"{one.id}.txt", text_bytes(one.transcript))


def _check_path(sample: Sample) -> None:
    try:
        check_text("its path", str(sample.path))
    except ValueError as error:
        raise DataError(f"{sample.id}: {error}: rename the file, or add --copy-audio") from error


def _finish(entries: Sequence[Entry], to: Format, out: Path, done: Done, notes: Sequence[str]) -> None:
    """Write the format's files, remove what an earlier run wrote and this one does not name, and the mark last."""
    files = to.write(entries, out)
    for name, data in files.items():
        write_whole(out / name, data)
    for name in {*to.mains, *to.beside} - set(files):
        discard(out / name)
    _sweep_folders(out / AUDIO, {task.final for task, _ in done})
    texts = sorted({entry.text.parent for entry in entries if entry.text})
    _sweep_folders(out / TEXTS, set(texts))
    sealed = [(task.final, record.seal) for task, record in done]
    sealed += [(final, record.seal) for final in texts if (record := read_record(final))]
    content = {
        MADE_BY: "dsprep convert",
        "to": to.name,
        "samples": len(entries),
        "notes": list(notes),
        "files": [file_facts(out, name) for name in sorted(files)],
        "chunks": [{"path": final.relative_to(out).as_posix(), "seal": one} for final, one in sealed],
    }
    write_whole(out / CONVERTED, seal(content, indent=1))
    end(out)


def _sweep_folders(home: Path, known: set[Path]) -> None:
    for path in home.glob("[0-9]*"):
        if path.with_suffix("") not in known:
            discard(path)
    if home.is_dir() and not any(home.iterdir()):
        home.rmdir()


def _changes(done: Done) -> list[str]:
    count = sum(facts["made"] for _, record in done for facts in record.facts)
    return [f"changed: audio of {count} samples is now 16 kHz mono WAV"] if count else []


def _spaced(text: str) -> bool:
    return " ".join(text.split()) != text


def _holds(one: Format, field: str) -> bool:
    return one.holds.audio is not Audio.NONE if field == "audio" else bool(getattr(one.holds, field))


def _holders(field: str) -> list[str]:
    return [one.name for one in FORMATS.values() if _holds(one, field)]
