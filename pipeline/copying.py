"""Copying: the audio of clips as files of their own, named by their ids.

    OUT/audio/00000/1272-128104-0000.wav      256 clips a folder
    OUT/audio/00000.json                      its record: what lies in there, and from what it was made

WAV and FLAC files stay as they are, byte for byte. What is cut out of a longer file, of another kind, or must be WAV
and is not, becomes 16 kHz mono PCM16. A folder is the unit of work: done, or not begun.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import soundfile

from ..manifests import DataError, Sample
from ..manifests.ctc import RATE
from .commit import Building, Record, commit, digest_of
from .formats import Clip, Sound
from .reading import audio_bytes
from .sound.audio import LIBRARIES, Cut, Unreadable, encode, open_audio
from .source import Span

Thing = TypeVar("Thing")

CHUNK = 256
"""Clips a folder."""
LONGEST = 2**62
"""libsndfile gives at least this many frames for a FLAC whose header does not tell."""
CODE = "copies-1"
"""Changes whenever the code would make other bytes of the same clips."""


@dataclass(frozen=True, slots=True)
class Task:
    """A folder of copies to make: all that a worker needs, and no audio."""

    clips: tuple[Clip, ...]
    final: Path
    wav: bool
    """Whether all copies must be WAV files."""
    key: str


def chunks(things: Sequence[Thing], home: Path) -> list[tuple[Path, Sequence[Thing]]]:
    """Slices of `CHUNK`, each with the folder that it goes to."""
    return [(home / f"{at // CHUNK:05d}", things[at : at + CHUNK]) for at in range(0, len(things), CHUNK)]


def plan_copies(clips: Sequence[Clip], home: Path, *, wav: bool) -> list[Task]:
    """The folders below `home` for copies of `clips`, in their order."""
    return [Task(tuple(some), final, wav, _key(some, wav)) for final, some in chunks(clips, home)]


def copy(task: Task) -> Record:
    """Make a folder of copies; its record's facts are a list, one object a clip.

    Raises:
        DataError: audio is gone, has another size, or cannot be read whole and true.
        OutputError: it cannot be written.
    """

    def build(building: Building) -> Any:
        facts: dict[str, Any] = {}
        cut: dict[tuple[Path, int | None, int], list[Clip]] = {}
        for clip in task.clips:
            sample = clip.sample
            if form := _as_it_is(clip, task.wav):
                facts[sample.id] = _copied(building, sample, form)
            else:
                cut.setdefault((sample.path, sample.offset, sample.size), []).append(clip)
        for clips in cut.values():
            facts.update(_made(building, clips))
        return [facts[clip.sample.id] for clip in task.clips]

    return commit(task.final, task.key, build, folder=True)


def copied(task: Task, record: Record) -> list[tuple[Sample, Sound]]:
    """The samples of a folder that `copy` made, and what their headers say."""
    found = []
    for clip, facts in zip(task.clips, record.facts, strict=True):
        sound = Sound(**facts["sound"])
        known = None if facts["made"] else clip.sample.duration
        path, duration = task.final / facts["name"], sound.seconds if known is None else known
        found.append((replace(clip.sample, path=path, offset=None, size=facts["size"], duration=duration), sound))
    return found


def measure(sample: Sample) -> Sound:
    """What the header of a sample's audio says; the frames of an MP3 are counted, for it has no such header.

    Raises:
        DataError: it cannot be read.
    """
    return _sound(sample, sample.path if sample.offset is None else io.BytesIO(audio_bytes(sample)))


def form_of(sample: Sample) -> str | None:
    """`wav` or `flac` by how a sample's audio begins; None for anything else."""
    head = Span(sample.path, sample.offset or 0, 4).read()
    return {b"RIFF": "wav", b"fLaC": "flac"}.get(head)


def _as_it_is(clip: Clip, wav: bool) -> str | None:
    """The form of a clip's file, if it can be copied as it is."""
    form = form_of(clip.sample) if clip.whole else None
    return form if form == "wav" or not wav else None


def _copied(building: Building, sample: Sample, form: str) -> dict[str, Any]:
    data = audio_bytes(sample)
    sound, size = _sound(sample, io.BytesIO(data)), building.add(f"{sample.id}.{form}", data)
    return {"name": f"{sample.id}.{form}", "size": size, "made": False, "sound": asdict(sound)}


def _made(building: Building, clips: Sequence[Clip]) -> Iterator[tuple[str, Any]]:
    """Pieces of one audio file, which is decoded once."""
    sample = clips[0].sample
    data = audio_bytes(sample)
    try:
        with open_audio(io.BytesIO(data), len(data)) as audio:
            for index, sound in audio.cuts([Cut(start=one.start, end=one.end, channel=one.channel) for one in clips]):
                name = clips[index].sample.id
                if isinstance(sound, Unreadable):
                    raise DataError(f"{name}: {sample.path}: {sound}")
                size = building.add(f"{name}.wav", encode(sound, "wav"))
                facts = {"name": f"{name}.wav", "size": size, "made": True}
                yield name, {**facts, "sound": asdict(Sound(len(sound), RATE, 1))}
    except Unreadable as error:
        raise DataError(f"{sample.id}: {sample.path}: {error}") from error


def _sound(sample: Sample, place: Path | io.BytesIO) -> Sound:
    try:
        with soundfile.SoundFile(place) as file:
            frames = len(file.read(dtype="int16")) if file.format == "MP3" else file.frames
            if frames < LONGEST:
                return Sound(frames, file.samplerate, file.channels)
    except soundfile.LibsndfileError as error:
        raise DataError(f"{sample.id}: {sample.path}: {error.error_string}") from error
    raise DataError(f"{sample.id}: {sample.path}: its header does not tell its length; convert it to WAV first")


def _key(clips: Sequence[Clip], wav: bool) -> str:
    """Digest of everything that decides the bytes of the copies, and when their sources were changed last."""
    wanted = [[*_source(clip.sample), clip.start, clip.end, clip.channel] for clip in clips]
    return digest_of([CODE, LIBRARIES, wav, wanted])


def _source(sample: Sample) -> list[Any]:
    return [sample.id, str(sample.path), sample.offset, sample.size, sample.path.stat().st_mtime_ns]
