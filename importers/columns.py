r"""Tables: text files with a header, their cells looked up by name.

    client_id \t path \t sentence \t up_votes ...       tabs, never quoted: a quotation mark is a letter like others
    filename,text,up_votes,...                          commas, quoted where need be, one row a line

Columns move, appear and are renamed from release to release, so nothing is looked up by position. Each line is
read by itself: one that is wrong cannot take its neighbours along.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..manifests import COLUMNS, BadRow, SourceError
from .corpus import TextFile

SHOWN = 300
"""Characters of a header, at the most, in an error."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """A line of a table."""

    place: str
    cells: dict[str, str]

    def extras(self, *used: str) -> tuple[tuple[str, str], ...]:
        """The cells but those `used`, and those whose names a manifest has for its own."""
        return tuple((name, cell) for name, cell in self.cells.items() if name and name not in (*used, *COLUMNS))


def rows(file: TextFile, required: Sequence[str]) -> Iterator[TableRow | BadRow]:
    """The lines of a table below its header.

    Raises:
        SourceError: a column that is `required` is not there, or one is there twice, or its name is no text.
    """
    lines = file.lines()
    place, header = next(lines, (f"{file.name}:1", ""))
    if not header:
        return  # an empty file: a release has tables without rows
    split = _split_commas if file.name.endswith(".csv") else _split_tabs
    columns = [_column(name) for name in split(header) or [""]]
    if missing := [name for name in required if name not in columns]:
        shown = ", ".join(columns)[:SHOWN]
        raise SourceError(f"{place}: there is no column {', '.join(missing)}; the columns are {shown}")
    if wrong := [name for name in columns if name and (columns.count(name) > 1 or not name.isprintable())]:
        raise SourceError(f"{place}: columns need names that are text and differ, {wrong[0][:SHOWN]!r} does not")
    for place, line in lines:
        cells = split(line)
        if cells is None:
            yield BadRow(place=place, detail=f"its quotation marks do not pair: {line[:80]!r}")
        elif len(cells) != len(columns):
            yield BadRow(place=place, detail=f"{len(cells)} fields under {len(columns)} columns: {line[:80]!r}")
        else:
            yield TableRow(place, dict(zip(columns, cells, strict=True)))


def _column(name: str) -> str:
    """Releases call it `accent` or `accents`."""
    return "accent" if name.strip() == "accents" else name.strip()


def _split_tabs(line: str) -> list[str]:
    return line.split("\t")


def _split_commas(line: str) -> list[str] | None:
    try:
        return next(csv.reader([line], strict=True), [])
    except csv.Error:
        return None
