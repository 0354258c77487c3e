"""Work: a section of a corpus on its way from sources to committed chunks."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ..manifests import Progress
from .chunk import Chunk, Task, convert, decoders, outcome, plan_chunks
from .commit import Record, accepted, digest_of, discard, read_record, record_path
from .job import Job
from .ledger import Ledger
from .outdir import IMPORTED, reopen
from .report import PartReport
from .rows import Reading
from .screen import Reason
from .sound import ffmpeg
from .source import Place, Section, SourceFile
from .supply import Supply
from .workers import run


@dataclass(slots=True)
class Work:
    """A section on its way: where it lies, its rows in the ledger, and what was made of it so far."""

    section: Section
    places: list[Place]
    files: tuple[SourceFile, ...]
    book: Ledger
    reading: Reading
    reports: dict[str, PartReport] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    """Of the chunks, by name."""
    records: dict[str, str] = field(default_factory=dict)
    """Seals of the chunks' records, by what they are records of, below `out`."""
    decoders: set[str] = field(default_factory=set)
    columns: set[str] = field(default_factory=set)
    """Of the manifests, besides dsprep's own."""

    @property
    def parts(self) -> tuple[str, ...]:
        """Those that have rows."""
        return tuple(part for part in self.section.parts if self.reading.rows[part])

    def chunks(self) -> Iterator[Chunk]:
        """What is to be converted, in order."""
        return plan_chunks(self.section.name, self.book.wanted())


def unfinished(work: Work, job: Job, out: Path) -> Iterator[Chunk]:
    """The chunks that are to be converted; takes note of the keys of all."""
    source = digest_of([asdict(file) for file in work.files])
    for chunk in work.chunks():
        final, key = chunk.final(out), chunk.key(source, job.settings)
        work.keys[final.name] = key
        record = accepted(final, key)
        if record is None or _waits(record):
            yield chunk


def convert_all(work: Work, job: Job, out: Path, workers: int, progress: Progress) -> None:
    """Convert what is `unfinished`, and take note of what became of every row.

    Raises:
        SourceError: a source changed since it was surveyed.
        OutputError: `out` cannot be written, or a worker was killed.
    """
    work.reports = {part: PartReport(part, rows) for part, rows in work.reading.rows.items() if rows}
    total, done = work.book.count_wanted(), 0

    def take(chunk: Chunk, record: Record) -> None:
        nonlocal done
        _take(work, chunk, record, out)
        done += len(chunk.clips)
        progress(f"converting {work.section.name}", done, total, "files")

    def tasks(supply: Supply) -> Iterator[Task]:
        for chunk in work.chunks():
            final = chunk.final(out)
            record = accepted(final, work.keys[final.name])
            if record and not _waits(record):
                take(chunk, record)
                continue
            reopen(out, IMPORTED)
            if record:
                discard(record_path(final))
            spans = tuple(supply.bring(clip.audio) for clip in chunk.clips)
            supply.cut()
            yield Task(chunk, spans, job.settings, out, work.keys[final.name])

    _forget_others(work, out)
    with Supply(work.places, out) as supply:
        for task, record in run(convert, tasks(supply), workers):
            supply.release(task.spans)
            take(task.chunk, record)


def _waits(record: Record) -> bool:
    """Whether rows of a chunk wait for ffmpeg, which is there now."""
    return ffmpeg.installed() and any(row.reason == Reason.NO_DECODER for row in outcome(record)[1])


def _forget_others(work: Work, out: Path) -> None:
    """Remove records of other settings or rows before their files are written over: they would vouch for others."""
    home = out / "audio" / work.section.name
    for path in home.glob("chunk-*.json"):
        final = path.with_suffix("")
        record = read_record(final)
        if record is None or record.key != work.keys.get(final.name):
            reopen(out, IMPORTED)
            path.unlink(missing_ok=True)


def _take(work: Work, chunk: Chunk, record: Record, out: Path) -> None:
    """Take note of what became of the rows of a chunk."""
    final = chunk.final(out)
    work.records[final.relative_to(out).as_posix()] = record.seal
    home = final.parent.relative_to(out).as_posix()
    work.decoders.update(decoders(record))
    kept, rejected = outcome(record)
    for row in kept:
        work.book.keep(row.part, row.id, row.file, [f"{home}/{row.file}", *row[3:]])
        work.reports[row.part].kept.add(row.frames)
        work.columns.update(name for name, _ in row.extras)
    for left in rejected:
        work.book.reject(left.part, left.id, left.reason, left.detail, left.frames)
