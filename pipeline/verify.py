"""Verify: whether a folder that dsprep wrote is complete, incomplete, or damaged, and where.

It follows the digests from the mark that was written last: import.json, shards.json or convert.json, the
records it names, the files they name. Sizes are always compared; `deep` reads every byte. Of shards, which tell
of themselves more than once, more can be said: `verify_shards.py`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..manifests import DataError, Progress, silent
from .commit import FileDigest, read_record, record_path, unseal
from .outdir import BEGUN, CONVERTED, IMPORTED, SHARDED
from .shards.accounts import holds_shards
from .shards.verify_shards import verify_shards
from .verdict import IN_PROCESS, Finding, Verdict, file_fault, in_order, unknown_files
from .workers import run

BATCH = 256
"""Files that a worker hashes at a time."""


def verify(root: Path, *, deep: bool, workers: int = 0, progress: Progress = silent) -> Verdict:
    """What has become of the import, shards or conversion in the folder `root`; 0 workers: in this process.

    Raises:
        DataError: it is none of them, or is one that has not been finished.
        OutputError: a worker process was killed.
    """
    if holds_shards(root):
        return verify_shards(root, deep=deep, workers=workers, progress=progress)
    for kind, mark in (("import", IMPORTED), ("convert", CONVERTED)):
        if (root / mark).is_file():
            return _verdict(kind, root, mark, deep, workers, progress)
    if (root / BEGUN).exists():
        raise DataError(f"{root} is incomplete: type the command that makes it once more, it goes on from here")
    raise DataError(f"{root} holds neither {IMPORTED}, {SHARDED} nor {CONVERTED}: name a folder that dsprep wrote")


@dataclass(frozen=True, slots=True)
class Expected:
    """A file, and what must be in it."""

    path: Path
    file: FileDigest


def _verdict(kind: str, root: Path, mark: str, deep: bool, workers: int, progress: Progress) -> Verdict:
    try:
        content = unseal((root / mark).read_bytes(), root / mark)
    except (OSError, DataError) as error:
        return Verdict(kind, 1, (Finding(root / mark, str(error)),), ())
    files, records, damaged = _expected(root, content)
    known = {root / mark, *records, *(one.path for one in files)}
    findings = [*damaged, *_checked(files, deep, workers, progress)]
    # Which files a damaged record names, nobody knows.
    return Verdict(kind, len(known), in_order(findings), () if damaged else unknown_files(root, known))


def _expected(root: Path, content: dict[str, Any]) -> tuple[list[Expected], list[Path], list[Finding]]:
    """Every file that the mark vouches for, directly or through a record; the records; those that do not hold."""
    files = [Expected(root / one["name"], FileDigest(**one)) for one in content["files"]]
    records, findings = list[Path](), list[Finding]()
    for path, seal in _recorded(root, content):
        records.append(record_path(path))
        record = read_record(path)
        if record is None or record.seal != seal:
            findings.append(Finding(record_path(path), "missing or damaged"))
        else:
            files += (Expected(path.parent / file.name, file) for file in record.files)
    return files, records, findings


def _recorded(root: Path, content: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    for home in (content, *content.get("sections", {}).values()):
        for chunk in home.get("chunks", []):
            yield root / chunk["path"], chunk["seal"]


def _checked(files: Sequence[Expected], deep: bool, workers: int, progress: Progress) -> Iterator[Finding]:
    """What is wrong with files, looked at by several processes if they are to be read and that is much."""
    total, done = sum(one.file.size for one in files), 0
    if not deep or total < IN_PROCESS:
        workers = 0
    batches = [tuple(files[at : at + BATCH]) for at in range(0, len(files), BATCH)]
    for batch, findings in run(_read if deep else _look, batches, workers):
        yield from findings
        done += sum(one.file.size for one in batch)
        progress("verifying", done, total, "B")


def _look(files: Iterable[Expected]) -> list[Finding]:
    """What is wrong with the sizes of files."""
    return [Finding(one.path, what) for one in files if (what := file_fault(one.path, one.file, deep=False))]


def _read(files: Iterable[Expected]) -> list[Finding]:
    """What is wrong with the bytes of files."""
    return [Finding(one.path, what) for one in files if (what := file_fault(one.path, one.file, deep=True))]
