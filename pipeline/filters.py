"""Filters: which rows of a corpus are wanted, by its own columns.

    gender=female_feminine,female     one of these values
    age!=teens                        not this one, or these
    up_votes>=3                       a number; a row without one is left out
    reported=                         nothing in this column

A row that is left out is counted and reported like every other.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ..manifests import UsageError, Utterance, number

PATTERN = re.compile(r"(?P<column>[^=!<>]+)(?P<sign>!=|>=|<=|=|<|>)(?P<value>.*)", re.DOTALL)
NUMBERS: dict[str, Callable[[float, float], bool]] = {
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
}
SHOWN = 8
"""Values to name in an error."""


@dataclass(slots=True)
class Filter:
    """One condition on a column, and what it has met."""

    text: str
    column: str
    sign: str
    value: str
    met: Counter[str] = field(default_factory=Counter)
    """Values of the column so far, of rows that have it."""
    passed: int = 0

    def takes(self, row: Utterance) -> bool:
        """Whether a row may go on."""
        cells = {**dict(row.extras), "speaker": row.speaker}
        if self.column in cells:
            self.met[cells[self.column]] += 1 if cells[self.column] in self.met or len(self.met) < 1000 else 0
        taken = self._holds(cells.get(self.column, ""))
        self.passed += taken
        return taken

    def _holds(self, cell: str) -> bool:
        if self.sign in NUMBERS:
            found = number(cell)
            return found is not None and NUMBERS[self.sign](found, float(self.value))
        return (cell in self.value.split(",")) == (self.sign == "=")


def parse(text: str) -> Filter:
    """The filter that a user typed.

    Raises:
        UsageError: it is none.
    """
    match = PATTERN.fullmatch(text)
    if not match or (match["sign"] in NUMBERS and number(match["value"]) is None):
        raise UsageError(f"--only {text}: a filter is a column, a sign and a value, as gender=female or up_votes>=3")
    return Filter(text, match["column"].strip(), match["sign"], match["value"])


def refused(filters: Iterable[Filter], row: Utterance) -> str | None:
    """Why a row is left out, or None if all filters take it."""
    failed = [one.text for one in filters if not one.takes(row)]
    return f"--only {failed[0]}" if failed else None


def check(filters: Iterable[Filter], columns: Iterable[str]) -> None:
    """Make sure, once all rows have been met, that each filter meant something.

    Raises:
        UsageError: no row has the column, or none has a value that is asked for.
    """
    for one in filters:
        if not one.met:
            raise UsageError(f"--only {one.text}: there is no column {one.column}; there are {', '.join(columns)}")
        if not one.passed:
            values = ", ".join(repr(value) for value, _ in one.met.most_common(SHOWN))
            raise UsageError(f"--only {one.text}: no row is like that; {one.column} is {values} and so on")
