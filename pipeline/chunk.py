"""Chunk: a fixed run of a section's audio files, the one unit of work, of commit, of retry and of loss.

    audio/dev-clean/chunk-00003.json               its record: key, digests, and each row's outcome
    audio/dev-clean/00007/1272-128104-0000.wav     a clip of it

Which files are in chunk 3 depends on the order of the source alone, so neither the number of workers nor what was done
before can change a byte. In which folder a clip lies depends on its rank among all names alone, so that an archive, in
whatever order it was packed, and a folder of the same files give the same audio and manifests. Converting runs in
worker processes, one whole chunk at a time. A talk is decoded once for all of its rows, and rows of several parts with
the same audio share one file.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ..manifests import Utterance
from .archive import reading
from .commit import Building, Record, commit, digest_of
from .ledger import Audio
from .screen import Reason, Rules, unheard
from .sound.audio import LIBRARIES, Cut, Pcm, Unreadable, encode, open_audio
from .source import Span
from .text import PROFILES, Unspoken

FILES = 256
"""Audio files in a chunk, at the most, and those whose clips lie in one folder."""
BYTES = 64 << 20
"""Of audio as the corpus has it, after which a chunk ends: some files are talks of half an hour."""
CODE = "import-4"
"""Changes whenever the code would make other bytes of the same input, so that old chunks are built anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that decides the bytes of an import, besides its source."""

    form: str = "wav"
    """`wav` or `flac`."""
    text: str = "plain"
    """Name of a text profile."""
    channel: int | None = None
    """Counted from 0, of audio whose rows name none; None mixes all of them."""
    rules: Rules = field(default_factory=Rules)

    def facts(self) -> dict[str, Any]:
        """These settings and the versions that matter, as JSON."""
        return {
            "audio": f"{self.form}, 16000 Hz, mono, PCM16",
            "channel": self.channel,
            "text": self.text,
            "rules": self.rules.facts(),
            "code": CODE,
            "libraries": LIBRARIES,
        }


Row = tuple[str, Utterance]
"""A part and a row of it."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One audio file and the rows in it."""

    audio: Audio
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of clips, planned: what will be where, before any audio is read."""

    section: str
    index: int
    clips: tuple[Clip, ...]

    def final(self, out: Path) -> Path:
        """Of what its record is; its audio goes into folders beside it."""
        return out / "audio" / self.section / f"chunk-{self.index:05d}"

    def key(self, source: str, settings: Settings) -> str:
        """Digest of everything that decides its bytes; `source` is the digest of what the section was read from."""
        rows = [
            [part, row.id, row.audio, row.text, row.start, row.end, row.channel, row.speaker, row.extras]
            for clip in self.clips
            for part, row in clip.rows
        ]
        return digest_of([source, settings.facts(), self.section, self.index, rows])


def plan_chunks(section: str, wanted: Iterable[tuple[Audio, list[Row]]]) -> Iterator[Chunk]:
    """The chunks of a section: its audio files with their rows, in their order, cut at `FILES` or `BYTES`."""
    index, clips, size = 0, list[Clip](), 0
    for audio, rows in wanted:
        clips.append(Clip(audio, tuple(rows)))
        size += audio.size
        if len(clips) == FILES or size >= BYTES:
            yield Chunk(section, index, tuple(clips))
            index, clips, size = index + 1, [], 0
    if clips:
        yield Chunk(section, index, tuple(clips))


@dataclass(frozen=True, slots=True)
class Task:
    """A chunk to convert: all that a worker needs, and no audio. `spans[i]` are the bytes of `chunk.clips[i]`."""

    chunk: Chunk
    spans: tuple[Span, ...]
    settings: Settings
    out: Path
    key: str


class Kept(NamedTuple):
    """A row that is in the manifest, as its chunk's record keeps it."""

    part: str
    id: str
    file: str
    """`FOLDER/NAME`, beside the chunk's record."""
    size: int
    """Bytes."""
    frames: int
    """Samples at 16 kHz."""
    transcript: str
    speaker: str
    extras: tuple[tuple[str, str], ...]


class Rejected(NamedTuple):
    """A row that is not, as its chunk's record keeps it."""

    part: str
    id: str
    reason: Reason
    detail: str
    frames: int | None


def convert(task: Task) -> Record:
    """Make the chunk's folder and commit it."""

    def build(building: Building) -> Any:
        kept: list[Any] = []
        rejected: list[Any] = []
        decoders: set[str] = set()
        for clip, span in zip(task.chunk.clips, task.spans, strict=True):
            for row in _clip(clip, span, task.settings, building, decoders):
                (rejected if isinstance(row, Rejected) else kept).append(list(row))
        return {"kept": kept, "rejected": rejected, "decoders": sorted(decoders)}

    return commit(task.chunk.final(task.out), task.key, build, spread=True)


def outcome(record: Record) -> tuple[list[Kept], list[Rejected]]:
    """What became of the rows of a chunk, from its record."""
    rejected = [Rejected(part, name, Reason(reason), *rest) for part, name, reason, *rest in record.facts["rejected"]]
    return [Kept(*row) for row in record.facts["kept"]], rejected


def decoders(record: Record) -> list[str]:
    """What read the audio of a chunk, by name and version."""
    return list(record.facts["decoders"])


def _clip(
    clip: Clip, span: Span, settings: Settings, building: Building, decoders: set[str]
) -> Iterator[Kept | Rejected]:
    said: list[tuple[Row, str]] = []
    for part, row in clip.rows:
        try:
            said.append(((part, row), PROFILES[settings.text](row.text)))
        except Unspoken as error:
            yield Rejected(part, row.id, Reason.UNSPOKEN, f"{error}: {row.text[:60]!r}", None)
    if not said:
        return
    cuts = list(dict.fromkeys(_cut(row, settings) for (_, row), _ in said))
    of_cut: dict[Cut, list[tuple[Row, str]]] = {cut: [] for cut in cuts}
    for one in said:
        of_cut[_cut(one[0][1], settings)].append(one)
    try:
        for index, sound in _sounds(span, cuts, decoders):
            yield from _rows(clip, of_cut.pop(cuts[index]), sound, settings, building)
    except Unreadable as error:
        for rows in of_cut.values():
            yield from _rows(clip, rows, error, settings, building)


def _sounds(span: Span, cuts: Sequence[Cut], decoders: set[str]) -> Iterator[tuple[int, Pcm | Unreadable]]:
    """The sound of each cut, from bytes that are the survey's before and after.

    A generator of its own, so that a disk that cannot be read is told apart from one that cannot be written.
    """
    span.check()
    with reading(span.path), span.path.open("rb") as file:
        file.seek(span.offset)
        with open_audio(file, span.size) as audio:
            decoders.add(audio.decoder)
            yield from audio.cuts(cuts)
    span.check()


def _rows(
    clip: Clip, rows: list[tuple[Row, str]], sound: Pcm | Unreadable, settings: Settings, building: Building
) -> Iterator[Kept | Rejected]:
    """The rows of one cut; those of the same id share its file."""
    written: dict[str, int] = {}
    for (part, row), transcript in rows:
        if isinstance(sound, Unreadable):
            yield Rejected(part, row.id, unheard(sound), str(sound), None)
        elif refused := settings.rules.reject(transcript, len(sound)):
            yield Rejected(part, row.id, *refused, len(sound))
        else:
            file = f"{clip.audio.rank // FILES:05d}/{row.id}.{settings.form}"
            if file not in written:
                written[file] = building.add(file, encode(sound, settings.form))
            yield Kept(part, row.id, file, written[file], len(sound), transcript, row.speaker, row.extras)


def _cut(row: Utterance, settings: Settings) -> Cut:
    channel = settings.channel if row.channel is None else row.channel
    return Cut(start=row.start, end=row.end, channel=channel)
