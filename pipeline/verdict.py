"""Verdict: what `dsprep verify` found in a folder, and how it is told.

    000003.tar       byte 9216  1272-128104-0000  audio, to byte 196459; it still decodes
    000005.tar.json                               missing
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .tables import printable, width

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
