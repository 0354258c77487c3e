"""Tables: rows and bars as lines of text whose columns meet, whatever the script of their cells.

    speaker  clips  hours
    林         320   0.24
    José       280   0.21

A terminal gives an East Asian wide character two columns and a combining one none (Unicode Standard Annex 11).
"""

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

WIDEST = 48
"""Columns of a cell before others; what is longer is cut, for a speaker's name may be a digest of 128 characters."""
ELLIPSIS = "..."
JUNGSEONG = range(0x1160, 0x1200)
"""Vowels and finals of decomposed Hangul, drawn inside the syllable that their initial began."""


def width(text: str) -> int:
    """Columns that `text` takes on a terminal."""
    return sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me") or ord(character) in JUNGSEONG:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def printable(text: str) -> str:
    """Text from data, safe for a terminal: control characters as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def cut(text: str, columns: int) -> str:
    """`text` in at most `columns` columns, dots in place of what does not fit."""
    if width(text) <= columns:
        return text
    kept, room = "", columns - len(ELLIPSIS)
    for character in text:
        room -= _columns(character)
        if room < 0:
            break
        kept += character
    return kept + ELLIPSIS


def table(header: Sequence[Any], rows: Sequence[Sequence[Any]], left: int = 1) -> Iterator[str]:
    """Lines with columns as wide as their widest cell, the first `left` of them to the left, the rest to the right.

    A cell wider than `WIDEST` is cut, except at the end of a line.
    """
    cells = [[printable(str(cell)) for cell in row] for row in (header, *rows)]
    cells = [[*(cut(cell, WIDEST) for cell in row[:-1]), row[-1]] for row in cells]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = [
            cell + " " * (columns - width(cell)) if place < left else " " * (columns - width(cell)) + cell
            for place, (cell, columns) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(padded).rstrip()


def bars(rows: Sequence[tuple[str, int]], columns: int) -> Iterator[str]:
    """Labels to the right, counts, and a bar each; the longest line takes at most `columns` columns, or 10 of bar."""
    if not rows:
        return
    labels, counts = max(width(label) for label, _ in rows), max(len(str(count)) for _, count in rows)
    room, most = max(10, columns - labels - counts - 4), max(1, *(count for _, count in rows))
    for label, count in rows:
        bar = "#" * -(-count * room // most)
        yield f"{' ' * (labels - width(label))}{label}  {count:>{counts}}  {bar}".rstrip()
