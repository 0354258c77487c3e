"""Import: a corpus as its publisher ships it, to manifests and 16 kHz audio.

    OUT/dev-clean.csv             one manifest a part
    OUT/rejected.csv              every row that is in none, with the reason
    OUT/audio/dev-clean/00000/    the audio, by chunks, each with its record 00000.json
    OUT/import.json               written last: what went in, what came out, a digest of each file

The same sources and settings give the same bytes, however many workers and however often it was killed.
Rows in the source = rows in manifests + rows in rejected.csv.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..importers import Corpus, Part
from ..manifests import (
    OutputError,
    Progress,
    Sample,
    SourceError,
    csv_bytes,
    manifest_bytes,
    seconds_text,
    silent,
)
from . import fetch
from .chunk import Chunk, Settings, Task, convert, outcome, plan_chunks
from .commit import Record, accepted, digest_of, discard, read_record, seal, write_whole
from .outdir import MADE_BY, begin, end, file_facts, reopen
from .rows import ReadRows, read_rows
from .screen import Reason, Rejection
from .source import Place, Span, Survey, changed, find, spans, survey
from .spool import Spool
from .workers import run

MARK = "import.json"


@dataclass(frozen=True, slots=True)
class PartReport:
    """What an import made of one part."""

    name: str
    rows: int
    """Rows of the source, audio files without a row among them."""
    samples: tuple[Sample, ...]
    rejections: tuple[Rejection, ...]
    survey: Survey
    chunks: tuple[tuple[Path, Record], ...]

    @property
    def seconds(self) -> float:
        """Seconds of audio in the manifest."""
        return sum(sample.duration or 0 for sample in self.samples)

    @property
    def seconds_rejected(self) -> float:
        """Seconds of audio left out, as far as it could be read."""
        return sum(rejection.seconds or 0 for rejection in self.rejections)

    @property
    def reasons(self) -> dict[Reason, int]:
        """Rejected rows by reason, most frequent first."""
        return dict(Counter(rejection.reason for rejection in self.rejections).most_common())


def import_corpus(
    corpus: Corpus,
    parts: Sequence[str],
    sources: Sequence[str],
    out: Path,
    settings: Settings,
    workers: int,
    progress: Progress = silent,
) -> list[PartReport]:
    """Import `parts` of `corpus` into the folder `out`; without sources the published archives are fetched.

    Raises:
        SourceError: a source is missing, cut off, damaged, or holds nothing of a part.
        FetchError: a download failed.
        OutputError: `out` is not ours or cannot be written.
    """
    facts = {MADE_BY: "dsprep import", "corpus": corpus.name, "parts": dict.fromkeys(parts)}
    begin(out, MARK, facts, lambda before: _check_same(out, before, corpus.name, parts))
    prepared = [_prepare(corpus, corpus.part(name), sources, out, progress) for name in parts]
    reports = [_import_part(one, out, settings, workers, progress) for one in prepared]
    _finish(corpus, reports, out, settings)
    return reports


def _check_same(out: Path, before: dict[str, Any], corpus: str, parts: Sequence[str]) -> None:
    if before.get("corpus", corpus) != corpus:
        raise OutputError(f"{out} holds {before['corpus']}: name another folder for {corpus}")
    if lost := sorted(set(before.get("parts", ())) - set(parts)):
        raise OutputError(
            f"{out} also holds {', '.join(lost)}: name these parts too (what is done is not done again), "
            "or name another folder"
        )


@dataclass(frozen=True, slots=True)
class Prepared:
    """A part whose sources were found whole, before any of its audio is read."""

    part: Part
    places: list[Place]
    survey: Survey
    rows: ReadRows


def _prepare(corpus: Corpus, part: Part, sources: Sequence[str], out: Path, progress: Progress) -> Prepared:
    places = find(corpus, part, fetch.local(part, sources, out / "archives", progress))
    for place in places:
        if place.path.is_dir() and out.resolve().is_relative_to(place.path.resolve()):
            raise SourceError(f"{out} lies in {place.path}, which is to be read: name an output folder outside of it")
    found = survey(corpus, part, places, progress)
    rows = read_rows(corpus, part, found)
    if not rows.count:
        raise SourceError(f"nothing of {corpus.name} {part.name} in {places[0].path}: looked for {corpus.layout}")
    return Prepared(part, places, found, rows)


def _import_part(prepared: Prepared, out: Path, settings: Settings, workers: int, progress: Progress) -> PartReport:
    part, found, rows = prepared.part, prepared.survey, prepared.rows
    chunks = plan_chunks(part.name, found.audio, rows.by_audio)
    records = _convert_all(chunks, prepared, settings, out, workers, progress)
    outcomes = [outcome(record, chunk, out) for chunk, record in zip(chunks, records, strict=True)]
    samples = [sample for kept, _ in outcomes for sample in kept]
    rejections = [*rows.rejections, *(rejection for _, left in outcomes for rejection in left)]
    if len(samples) + len(rejections) != rows.count:
        raise AssertionError(f"{rows.count} rows went in, {len(samples)} + {len(rejections)} came out")
    paths = [chunk.folder(out) for chunk in chunks]
    return PartReport(
        part.name,
        rows.count,
        tuple(samples),
        tuple(rejections),
        found,
        tuple(zip(paths, records, strict=True)),
    )


def _convert_all(
    chunks: Sequence[Chunk],
    prepared: Prepared,
    settings: Settings,
    out: Path,
    workers: int,
    progress: Progress,
) -> list[Record]:
    source = digest_of([asdict(file) for file in prepared.survey.files])
    keys = [chunk.key(source, settings) for chunk in chunks]
    records = {chunk.index: accepted(chunk.folder(out), key) for chunk, key in zip(chunks, keys, strict=True)}
    todo = [chunk for chunk in chunks if records[chunk.index] is None]
    total = sum(len(chunk.clips) for chunk in chunks)
    done = total - sum(len(chunk.clips) for chunk in todo)
    stage = f"converting {chunks[0].part}" if chunks else ""
    if todo:
        reopen(out, MARK)
    with Spool(out / "audio") as spool:
        tasks = (
            Task(chunk, loaded, settings, out, keys[chunk.index]) for chunk, loaded in _loaded(todo, prepared, spool)
        )
        for task, record in run(convert, tasks, workers):
            spool.release(task.spans)
            records[task.chunk.index] = record
            done += len(task.chunk.clips)
            progress(stage, done, total, "clips")
    return [record for record in records.values() if record is not None]


def _loaded(todo: Sequence[Chunk], prepared: Prepared, spool: Spool) -> Iterator[tuple[Chunk, tuple[Span, ...]]]:
    """Each chunk with the bytes of its clips, as the places bring them."""
    wanted = {clip.name: prepared.survey.audio[clip.name] for chunk in todo for clip in chunk.clips}
    waiting = iter(todo)
    chunk, ready = next(waiting, None), list[Span]()
    for place in prepared.places if todo else ():
        for name, span in spans(place, wanted, spool.keep):
            if chunk is None or name != chunk.clips[len(ready)].name:
                raise changed(place.path)
            ready.append(span)
            if len(ready) == len(chunk.clips):
                spool.cut()
                yield chunk, tuple(ready)
                chunk, ready = next(waiting, None), []
    if chunk is not None:
        raise changed(prepared.places[0].path)


def _finish(corpus: Corpus, reports: Sequence[PartReport], out: Path, settings: Settings) -> None:
    """Write the manifests, rejected.csv, and import.json last; remove chunks that nothing names any more.

    Raises:
        OutputError: a run with other settings has written over ours in the meantime.
    """
    for report in reports:
        write_whole(out / f"{report.name}.csv", manifest_bytes(report.samples, out))
    write_whole(out / "rejected.csv", _rejected_bytes(reports))
    files = ["rejected.csv", *(f"{report.name}.csv" for report in reports)]
    content = {
        MADE_BY: "dsprep import",
        "corpus": corpus.name,
        "settings": settings.facts(),
        "parts": {report.name: _part_facts(report, out) for report in reports},
        "files": [file_facts(out, name) for name in files],
    }
    for report in reports:
        known = {path.name for path, _ in report.chunks}
        for path in (out / "audio" / report.name).glob("[0-9]*"):
            if path.name.removesuffix(".json") not in known:
                discard(path)
    for report in reports:
        for path, record in report.chunks:
            now = read_record(path)
            if now is None or now.seal != record.seal:
                raise OutputError(f"another import wrote other things into {out} meanwhile; type the command again")
    write_whole(out / MARK, seal(content, indent=1))
    end(out)


def _part_facts(report: PartReport, out: Path) -> dict[str, Any]:
    return {
        "rows": report.rows,
        "kept": len(report.samples),
        "rejected": len(report.rejections),
        "reasons": report.reasons,
        "seconds": round(report.seconds, 7),
        "seconds rejected": round(report.seconds_rejected, 7),
        "sources": [asdict(file) for file in report.survey.files],
        "chunks": [{"path": path.relative_to(out).as_posix(), "seal": record.seal} for path, record in report.chunks],
    }


def _rejected_bytes(reports: Iterable[PartReport]) -> bytes:
    rows = sorted(
        (
            rejection.part,
            rejection.id,
            rejection.reason,
            rejection.detail,
            _seconds(rejection.seconds),
        )
        for report in reports
        for rejection in report.rejections
    )
    return csv_bytes(("part", "id", "reason", "detail", "seconds"), rows)


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else seconds_text(seconds)
