"""Results: what an import leaves behind besides audio: manifests, rejected.csv, alphabet.txt, and import.json last."""

import heapq
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path, PurePath
from typing import Any

from ..manifests import (
    LEFT_OUT,
    OutputError,
    Progress,
    Sample,
    alphabet_bytes,
    csv_lines,
    manifest_lines,
    seconds_text,
)
from ..manifests.ctc import RATE
from .commit import FileDigest, accepted_as_sealed, discard, file_size, read_record, seal, write_whole
from .coverage import Coverage
from .job import Job
from .ledger import Left
from .outdir import IMPORTED, MADE_BY, REJECTED, read_mark
from .report import ImportReport, PartReport, Tally
from .screen import Reason
from .sound import ffmpeg
from .source import Place, Section, SourceFile
from .survey import identify
from .work import Work

ALPHABET = "alphabet.txt"


def finished(
    out: Path, job: Job, found: Sequence[tuple[Section, list[Place]]], progress: Progress
) -> ImportReport | None:
    """What an earlier run made of the same sources and settings, if all of it is still there."""
    if not (before := read_mark(out / IMPORTED)):
        return None
    if before["settings"] != job.facts() or before["asked"] != sorted(job.parts):
        return None
    if set(before["sections"]) != {section.name for section, _ in found}:
        return None
    sources: list[SourceFile] = []
    for section, places in found:
        files = identify(section, places, progress)
        if before["sections"][section.name]["sources"] != [asdict(file) for file in files]:
            return None
        sources += files
    if not _all_there(out, before):
        return None
    parts = tuple(PartReport.of(name, facts) for name, facts in before["parts"].items())
    return ImportReport(parts, tuple(sources), tuple(before["decoders"]))


def _all_there(out: Path, before: dict[str, Any]) -> bool:
    """Whether every file is there in its size, and nothing waits for ffmpeg."""
    waiting = any(Reason.NO_DECODER in part["rejected"] for part in before["parts"].values())
    if waiting and ffmpeg.installed():
        return False
    files = [FileDigest(**file) for file in before["files"]]
    chunks = [chunk for section in before["sections"].values() for chunk in section["chunks"]]
    return all(file_size(out / file.name) == file.size for file in files) and all(
        accepted_as_sealed(out / chunk["path"], chunk["seal"]) for chunk in chunks
    )


def write_results(out: Path, job: Job, works: Sequence[Work], earlier: set[str]) -> ImportReport:
    """Write the manifests, rejected.csv, and import.json last; remove what nothing names any more.

    Raises:
        OutputError: a run with other settings has written over ours in the meantime.
    """
    files = [write_whole(out / REJECTED, _rejected_lines(works))]
    for work in works:
        for part in work.parts:
            files += _write_manifests(out, job, work, work.reports[part])
    coverage = _coverage(out, works) if job.collect_alphabet else None
    if coverage:
        files.append(write_whole(out / ALPHABET, alphabet_bytes(coverage.alphabet())))
    reports = _merged(works)
    for report in reports:
        report.check()
    _sweep_audio(out, works)
    for name in earlier - {file.name for file in files} - {ALPHABET}:
        if name == PurePath(name).name and (out / name).is_file():
            (out / name).unlink(missing_ok=True)
    _check_records(out, works)
    decoders = sorted({decoder for work in works for decoder in work.decoders})
    content = {
        MADE_BY: "dsprep import",
        "corpus": job.corpus.name,
        "asked": sorted(job.parts),
        "settings": job.facts(),
        "decoders": decoders,
        "parts": {report.name: report.facts() for report in reports},
        "sections": {work.section.name: _section_facts(work) for work in works},
        "files": [asdict(file) for file in files],
    }
    write_whole(out / IMPORTED, seal(content, indent=1))
    sources = tuple(file for work in works for file in work.files)
    return ImportReport(reports, sources, tuple(decoders), coverage)


def _merged(works: Sequence[Work]) -> tuple[PartReport, ...]:
    """The reports of all parts; what is of no part is put together."""
    reports: dict[str, PartReport] = {}
    for work in works:
        for name, report in work.reports.items():
            if name in reports:
                reports[name].rows += report.rows
                for reason, tally in report.rejected.items():
                    total = reports[name].rejected.setdefault(reason, Tally())
                    total.rows, total.frames = total.rows + tally.rows, total.frames + tally.frames
            else:
                reports[name] = report
    return tuple(reports.values())


def _section_facts(work: Work) -> dict[str, Any]:
    return {
        "sources": [asdict(file) for file in work.files],
        "chunks": [{"path": path, "seal": record} for path, record in sorted(work.records.items())],
    }


def _write_manifests(out: Path, job: Job, work: Work, report: PartReport) -> Iterator[FileDigest]:
    if job.split is None:
        yield write_whole(
            out / f"{report.name}.csv", manifest_lines(samples(out, work, report.name), out, work.columns)
        )
        return
    seconds: dict[str, float] = {}
    for sample in samples(out, work, report.name):
        seconds[_voice(sample)] = seconds.get(_voice(sample), 0.0) + (sample.duration or 0)
    of_voice = job.split.assign(seconds)
    for split, _ in job.split.ratios:
        tally = report.splits[split] = Tally()
        chosen = (one for one in samples(out, work, report.name) if of_voice[_voice(one)] == split)
        name = f"{report.name}-{split}.csv"
        yield write_whole(out / name, manifest_lines(_counted(chosen, tally), out, work.columns))


def _voice(sample: Sample) -> str:
    return f"speaker {sample.speaker}" if sample.speaker else f"id {sample.id}"


def _counted(chosen: Iterator[Sample], tally: Tally) -> Iterator[Sample]:
    for sample in chosen:
        tally.add(round((sample.duration or 0) * RATE))
        yield sample


def samples(out: Path, work: Work, part: str) -> Iterator[Sample]:
    """What is in the manifest of a part, sorted by id."""
    for file, size, frames, transcript, speaker, extras in work.book.kept(part):
        yield Sample(
            id=PurePath(file).stem,
            path=out / file,
            size=size,
            transcript=transcript,
            duration=frames / RATE,
            speaker=speaker,
            extras=tuple((name, value) for name, value in extras),
        )


def _rejected_lines(works: Sequence[Work]) -> Iterator[bytes]:
    """All rejected rows, sorted; counts them on the way."""

    def rows() -> Iterator[tuple[str, str, str, str, str]]:
        for (part, name, reason, detail, frames), work in heapq.merge(*map(_rejected, works), key=_order):
            work.reports[part].rejected.setdefault(reason, Tally()).add(frames)
            yield part, name, reason, detail, "" if frames is None else seconds_text(frames / RATE)

    return csv_lines(LEFT_OUT, rows())


def _rejected(work: Work) -> Iterator[tuple[Left, Work]]:
    return ((row, work) for row in work.book.rejected())


def _order(pair: tuple[Left, Work]) -> tuple[str, str, str, str, int]:
    part, name, reason, detail, frames = pair[0]
    return part, name, reason, detail, -1 if frames is None else frames


def _coverage(out: Path, works: Sequence[Work]) -> Coverage:
    """The characters of all transcripts."""
    found = Coverage()
    for work in works:
        for part in work.parts:
            found += Coverage.of((sample.id, sample.transcript) for sample in samples(out, work, part))
    return found


def _sweep_audio(out: Path, works: Sequence[Work]) -> None:
    """Remove records and audio that nothing names any more."""
    for work in works:
        home = out / "audio" / work.section.name
        for path in home.glob("chunk-*.json"):
            if path.with_suffix("").relative_to(out).as_posix() not in work.records:
                path.unlink(missing_ok=True)
        for folder in home.glob("[0-9]*/"):
            with suppress(OSError):  # a run beside ours was faster; and most folders are not empty
                for file in folder.iterdir():
                    if not work.book.holds(f"{folder.name}/{file.name}"):
                        discard(file)
                folder.rmdir()


def _check_records(out: Path, works: Sequence[Work]) -> None:
    for work in works:
        for path, expected in work.records.items():
            now = read_record(out / path)
            if now is None or now.seal != expected:
                raise OutputError(f"another import wrote other things into {out} meanwhile; type the command again")
