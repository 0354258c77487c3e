"""Verdict: what `dsprep verify` found in a folder, and how it is told.

000003.tar       byte 9216  1272-128104-0000  audio to byte 196459 (still decodes)
000005.tar.json                               missing
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .commit import TEMPORARY, FileDigest
from .hashing import sha256_of
from .outdir import BEGUN
from .reading import length_of
from .tables import printable, width

IN_PROCESS = 64 << 20
"""Bytes that are read sooner than worker processes have begun."""
DIGEST_DIFFERS = "other bytes than were written (sha256 differs)"
SHOWN = 100
"""Findings that are told; the others are counted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was written."""

    path: Path
    what: str
    byte: int | None = None
    """Where in the file it begins, if that is known."""
    key: str = ""
    """Id of the sample that it concerns, if it concerns one."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a folder is."""

    kind: str
    """What wrote it: `import`, `shard` or `convert`."""
    files: int
    """Files that were looked at."""
    findings: tuple[Finding, ...]
    """Sorted by path and byte. Empty: it is complete."""
    unknown: tuple[Path, ...]
    """Files there that dsprep did not write; they harm nothing."""


def file_fault(path: Path, file: FileDigest | None, *, deep: bool) -> str:
    """What is wrong with a file, by its size, and with `deep` by its sha256; empty if nothing is known to be."""
    size = length_of(path)
    if size is None:
        return "missing" if not path.exists() else "not a file"
    if file is None or not (size != file.size or deep):
        return ""
    if size != file.size:
        return f"{size} bytes, {file.size} were written"
    try:
        return "" if sha256_of(path) == file.sha256 else DIGEST_DIFFERS
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The same however many workers found them."""
    return tuple(sorted(findings, key=lambda one: (one.path, -1 if one.byte is None else one.byte, one.key, one.what)))


def unknown_files(root: Path, known: Iterable[Path]) -> tuple[Path, ...]:
    """Files below `root` that are none of `known`, nor of a run that is at work or was killed.

    What `import` fetched is the publisher's: it has a record of its own, and may be thrown away.
    """
    found = {path for path in root.rglob("*") if not path.is_dir()} - set(known)
    archives = root / "archives"
    ours = (path for path in found if TEMPORARY.fullmatch(path.name) or path.name == BEGUN or archives in path.parents)
    return tuple(sorted(found - set(ours)))


def finding_lines(findings: Sequence[Finding], root: Path) -> Iterator[str]:
    """Findings in the folder `root`, one a line, in columns."""
    rows = [_cells(one, root) for one in findings[:SHOWN]]
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        padded = (cell + " " * (columns - width(cell)) for cell, columns in zip(row, widths, strict=True) if columns)
        yield "  ".join(padded).rstrip()
    if len(findings) > SHOWN:
        yield f"... and {len(findings) - SHOWN} more"


def _cells(one: Finding, root: Path) -> tuple[str, str, str, str]:
    place = one.path.relative_to(root) if one.path.is_relative_to(root) else one.path
    return printable(str(place)), "" if one.byte is None else f"byte {one.byte}", one.key, printable(one.what)
