"""Import: a corpus as its publisher ships it, to manifests and 16 kHz audio.

    OUT/dev-clean.csv             one manifest a part
    OUT/rejected.csv              every row that is in none, with the reason
    OUT/audio/dev-clean/00000/    the audio, by chunks, each with its record 00000.json
    OUT/import.json               written last: what went in, what came out, a digest of each file

The same sources and settings give the same bytes, however many workers and however often it was killed.
Rows in the source = rows in manifests + rows in rejected.csv.
"""

from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from ..importers import Archive
from ..manifests import DsprepError, OutputError, Progress, SourceError, UsageError, silent
from . import filters
from .fetching.access import ACCESS, Access, is_remote
from .filters import Filter
from .job import Job
from .ledger import ledger
from .outdir import IMPORTED, MADE_BY, alone, begin, claim, end, unclaim
from .report import ImportReport
from .results import finished, write_results
from .room import check_room, needed
from .rows import read_rows
from .sound import ffmpeg
from .source import Place, Section, find, sections
from .survey import Texts, survey
from .work import Work, convert_all, unfinished

BEGUN_BY = "dsprep import"


def import_corpus(
    job: Job, out: Path, workers: int, progress: Progress = silent, access: Access = ACCESS
) -> ImportReport:
    """Import a corpus into the folder `out`.

    Raises:
        UsageError: a filter means nothing here, or a part is not in the sources.
        SourceError: a source is missing, cut off, damaged, or holds nothing of the corpus.
        FetchError: a download failed.
        OutputError: `out` is not ours, cannot be written, or its disk will not hold the result.
    """
    conditions = [filters.parse(text) for text in job.only]
    corpus = job.corpus
    if not job.sources and not all(part.archives for part in corpus.parts):
        raise UsageError(f"{corpus.title} is not fetched by dsprep. It needs {corpus.needs}")
    earlier = _Earlier(out, job)
    begin(out, IMPORTED, earlier.facts, earlier.check)
    with ExitStack() as stack:
        stack.enter_context(alone(out, [corpus.name, sorted(job.parts), list(job.sources), job.facts()]))
        try:
            places = _places(job, out, progress, access)
            if report := finished(out, job, places, progress):
                end(out)
                return report
            works = _prepared(job, places, conditions, out, stack, progress)
        except DsprepError:
            stack.close()
            unclaim(out)
            raise
        earlier.claim([part for work in works for part in work.parts])
        for work in works:
            convert_all(work, job, out, workers, progress)
        report = write_results(out, job, works, earlier.files)
    end(out)
    return report


class _Earlier:
    """What an earlier run has left in the folder: its parts, and files such as manifests."""

    def __init__(self, out: Path, job: Job) -> None:
        self._out, self._job = out, job
        self.facts: dict[str, Any] = {MADE_BY: BEGUN_BY, "corpus": job.corpus.name, "parts": {}, "files": []}
        """What stands in the folder while we work."""

    def check(self, before: dict[str, Any]) -> None:
        """Refuse to write one corpus over another, or to forget parts."""
        corpus = self._job.corpus.name
        if before.get("corpus", corpus) != corpus:
            raise OutputError(f"{self._out} holds {before['corpus']}: name another folder for {corpus}")
        self.facts["parts"] |= dict.fromkeys(part for part in before.get("parts", ()) if part)
        self.facts["files"] += before.get("files", ())
        if self._job.parts:
            self.check_parts(self._job.parts)

    def check_parts(self, parts: Sequence[str]) -> None:
        """Refuse to forget parts."""
        if lost := sorted(set(self.facts["parts"]) - set(parts)):
            raise OutputError(f"{self._out} also holds {', '.join(lost)}: name these parts too, or name another folder")

    def claim(self, parts: Sequence[str]) -> None:
        """Say that these parts are being made, from now on: what is typed wrongly leaves no trace.

        Raises:
            OutputError: an earlier run made others too.
        """
        self.check_parts(parts)
        claim(self._out, {**self.facts, "parts": dict.fromkeys(parts)})

    @property
    def files(self) -> set[str]:
        """Names of the manifests and the like that it wrote."""
        return {file["name"] for file in self.facts["files"]}


def _places(job: Job, out: Path, progress: Progress, access: Access) -> list[tuple[Section, list[Place]]]:
    """Where each section lies. If no parts are named, those that the sources hold are meant."""
    wanted = job.parts or tuple(part.name for part in job.corpus.parts)
    folder = out / "archives"
    known = [archive for part in job.corpus.parts for archive in part.archives]
    sources = list(map(Path, job.sources))
    if any(map(is_remote, job.sources)):
        sources = _local(known, job.sources, folder, progress, access)
    places = []
    for section in sections(job.corpus, wanted):
        part = job.corpus.part(section.parts[0])
        found = find(section, sources or _local(part.archives, (), folder, progress, access))
        places += [(section, found)] if found else []
        if not found and job.parts:
            names = ", ".join(archive.name for archive in part.archives)
            where = ", ".join(job.sources)
            raise SourceError(f"{job.corpus.name} {section.name}: {names} is not among {where}")
    if not places:
        names = ", ".join(archive.name for part in job.corpus.parts for archive in part.archives)
        raise SourceError(f"there is none of {names} in {', '.join(job.sources)}")
    for place in (place for _, found in places for place in found):
        if place.path.is_dir() and out.resolve().is_relative_to(place.path.resolve()):
            raise SourceError(f"{out} lies in {place.path}, which is to be read: name an output folder outside of it")
    return places


def _local(
    archives: Sequence[Archive], sources: Sequence[str], folder: Path, progress: Progress, access: Access
) -> list[Path]:
    from .fetching.fetch import local  # speaks HTTP, which takes a while to import, and most imports do not need

    return local(archives, sources, folder, progress, access)


def _prepared(
    job: Job,
    places: Sequence[tuple[Section, list[Place]]],
    conditions: list[Filter],
    out: Path,
    stack: ExitStack,
    progress: Progress,
) -> list[Work]:
    """All sections, read, and everything asked that can be asked before audio is written."""
    works = [_prepare(section, found, conditions, out, stack, progress) for section, found in places]
    works = _with_rows(job, works)
    _check_rows(job, works, conditions)
    _check_room(job, works, out)
    return works


def _prepare(
    section: Section, places: list[Place], conditions: list[Filter], out: Path, stack: ExitStack, progress: Progress
) -> Work:
    book = stack.enter_context(ledger(out))
    with closing(Texts(out)) as texts:
        files = survey(section, places, book, texts, progress)
        reading = read_rows(section, texts.files, book, conditions)
    return Work(section, places, files, book, reading)


def _with_rows(job: Job, works: Sequence[Work]) -> list[Work]:
    """The sections that have rows. One that was not named may have none."""
    there = [work for work in works if work.reading.rows.total()]
    if there and (not job.parts or len(there) == len(works)):
        return there
    empty = next(work for work in works if work not in there)
    where = ", ".join(str(place.path) for place in empty.places)
    archives = [archive.name for archive in job.corpus.part(empty.section.parts[0]).archives]
    looked = ", or ".join([*archives, job.corpus.layout])
    name = " ".join(dict.fromkeys((job.corpus.name, empty.section.name)))
    raise SourceError(f"nothing of {name} in {where}: looked for {looked}")


def _check_rows(job: Job, works: Sequence[Work], conditions: list[Filter]) -> None:
    there = [part for work in works for part in work.parts]
    if missing := [part for part in job.parts if part not in there]:
        raise SourceError(f"{job.corpus.name} {', '.join(missing)} is not in the sources; there is {', '.join(there)}")
    names = [f"{part}-{split}" for part in there for split, _ in (job.split.ratios if job.split else ())]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"--split: two manifests would be called {twice}.csv; name the splits otherwise")
    filters.check(conditions, dict.fromkeys(column for work in works for column in work.reading.columns))
    if job.without_ffmpeg or ffmpeg.installed():
        return
    for work in works:
        if needing := work.book.needing_ffmpeg():
            count, example = needing
            raise UsageError(
                f"{count} audio files, as {example}, need ffmpeg: {ffmpeg.INSTALL} and type the same command again, "
                "or leave them out with --without-ffmpeg"
            )


def _check_room(job: Job, works: Sequence[Work], out: Path) -> None:
    form = job.settings.form
    todo = (chunk for work in works for chunk in unfinished(work, job, out))
    check_room(out, sum(needed(clip, form) for chunk in todo for clip in chunk.clips))
