"""Chunk: a fixed run of 256 audio files of a part, the one unit of work, of commit, of retry and of loss.

    audio/dev-clean/00003/1272-128104-0000.wav     its clips
    audio/dev-clean/00003.json                     its record: key, digests, and each row's outcome

Which clips are in chunk 3 depends on the corpus's own order alone, so neither the number of workers nor
what was done before can change a byte. Converting runs in worker processes, one whole chunk at a time.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ..manifests import Sample, Utterance
from ..manifests.ctc import RATE
from .audio import LIBRARIES, Truncated, Unreadable, decode, encode
from .commit import Building, Record, commit, digest_of
from .screen import Reason, Rejection, Rules
from .source import Span
from .text import PROFILES, Unspoken

CLIPS = 256
"""Audio files in a chunk."""
CODE = "import-1"
"""Changes whenever the code would make other bytes of the same input, so that old chunks are built anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that decides the bytes of an import, besides its source."""

    form: str = "wav"
    """`wav` or `flac`."""
    text: str = "plain"
    """Name of a text profile."""
    rules: Rules = field(default_factory=Rules)

    def facts(self) -> dict[str, Any]:
        """These settings and the versions that matter, as JSON."""
        return {
            "audio": f"{self.form}, {RATE} Hz, mono, PCM16",
            "text": self.text,
            "rules": self.rules.facts(),
            "code": CODE,
            "libraries": LIBRARIES,
        }


@dataclass(frozen=True, slots=True)
class Clip:
    """One audio file and the utterances in it."""

    name: str
    utterances: tuple[Utterance, ...]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of clips, planned: what will be where, before any audio is read."""

    part: str
    index: int
    clips: tuple[Clip, ...]

    def folder(self, out: Path) -> Path:
        """Where its audio goes."""
        return out / "audio" / self.part / f"{self.index:05d}"

    def key(self, source: str, settings: Settings) -> str:
        """Digest of everything that decides its bytes; `source` is the digest of what the part was read from."""
        rows = [
            [row.id, row.audio, row.text, row.start, row.end, row.channel, row.speaker, row.extras]
            for clip in self.clips
            for row in clip.utterances
        ]
        return digest_of([source, settings.facts(), self.part, self.index, rows])


def plan_chunks(part: str, audio: Iterable[str], rows: dict[str, list[Utterance]]) -> list[Chunk]:
    """The chunks of a part: those of its `audio` files that have rows, in their order, by `CLIPS`."""
    clips = [Clip(name, tuple(rows[name])) for name in audio if name in rows]
    runs = (clips[start : start + CLIPS] for start in range(0, len(clips), CLIPS))
    return [Chunk(part, index, tuple(run)) for index, run in enumerate(runs)]


@dataclass(frozen=True, slots=True)
class Task:
    """A chunk to convert: all that a worker needs, and no audio. `spans[i]` are the bytes of `chunk.clips[i]`."""

    chunk: Chunk
    spans: tuple[Span, ...]
    settings: Settings
    out: Path
    key: str


def convert(task: Task) -> Record:
    """Make the chunk's folder and commit it."""

    def build(building: Building) -> Any:
        kept: list[Any] = []
        rejected: list[Any] = []
        for clip, span in zip(task.chunk.clips, task.spans, strict=True):
            for row in _clip(clip, span, task.settings, building):
                (rejected if isinstance(row, Rejected) else kept).append(row._asdict())
        return {"kept": kept, "rejected": rejected}

    return commit(task.chunk.folder(task.out), task.key, build, folder=True)


def outcome(record: Record, chunk: Chunk, out: Path) -> tuple[list[Sample], list[Rejection]]:
    """What became of the rows of a chunk, from its record."""
    folder = chunk.folder(out)
    samples = [
        Sample(
            id=row["id"],
            path=folder / row["file"],
            size=row["size"],
            transcript=row["transcript"],
            duration=row["frames"] / RATE,
            speaker=row["speaker"],
            extras=tuple((name, value) for name, value in row["extras"]),
        )
        for row in record.facts["kept"]
    ]
    return samples, [
        Rejection(
            id=row["id"],
            part=chunk.part,
            reason=Reason(row["reason"]),
            detail=row["detail"],
            seconds=None if row["frames"] is None else row["frames"] / RATE,
        )
        for row in record.facts["rejected"]
    ]


class Kept(NamedTuple):
    """A row that is in the manifest, as its chunk's record keeps it."""

    id: str
    file: str
    size: int
    frames: int
    transcript: str
    speaker: str
    extras: tuple[tuple[str, str], ...]


class Rejected(NamedTuple):
    """A row that is not, as its chunk's record keeps it."""

    id: str
    reason: Reason
    detail: str
    frames: int | None


def _clip(clip: Clip, span: Span, settings: Settings, building: Building) -> Iterator[Kept | Rejected]:
    data = span.read_surveyed()
    for row in clip.utterances:
        yield _row(row, data, settings, building)


def _row(row: Utterance, data: bytes, settings: Settings, building: Building) -> Kept | Rejected:
    try:
        transcript = PROFILES[settings.text](row.text)
        pcm = decode(data, start=row.start, end=row.end, channel=row.channel)
    except Unspoken as error:
        return Rejected(row.id, Reason.UNSPOKEN, f"{error}: {row.text[:60]!r}", None)
    except Truncated as error:
        return Rejected(row.id, Reason.TRUNCATED, str(error), None)
    except Unreadable as error:
        return Rejected(row.id, Reason.UNREADABLE, str(error), None)
    if refused := settings.rules.reject(transcript, len(pcm)):
        return Rejected(row.id, *refused, len(pcm))
    file = f"{row.id}.{settings.form}"
    size = building.add(file, encode(pcm, settings.form))
    return Kept(row.id, file, size, len(pcm), transcript, row.speaker, row.extras)
