"""Rows: the text of a section joined with its audio, and what goes no further."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from ..importers import Found, TextFile
from ..manifests import BadRow, Utterance
from .filters import Filter, refused
from .ledger import Ledger
from .screen import Reason
from .source import Section, shown

DETAIL = 300
"""Characters of a reason, at the most."""


@dataclass(slots=True)
class Reading:
    """What was read of a section."""

    section: Section
    book: Ledger
    filters: Sequence[Filter]
    rows: Counter[str] = field(default_factory=Counter)
    """By part; those of no part have an empty name."""
    columns: dict[str, None] = field(default_factory=dict)
    """Of the corpus, in its order, if there are filters to be told of them."""

    def reject(self, part: str, name: str, reason: Reason, detail: str) -> None:
        """Count a row that goes no further."""
        self.book.reject(part, shown(name), reason, shown(detail[:DETAIL]))

    def bad(self, part: str, row: BadRow) -> None:
        """A row that is no utterance."""
        self.reject(part, row.place, Reason(row.reason), row.detail)

    def utterance(self, part: str, row: Utterance, there: bool) -> None:
        """A row that may become a sample, if its audio is there."""
        cut = json.dumps([row.audio, row.start, row.end, row.channel])
        if self.filters:
            self.columns.update(dict.fromkeys(("speaker", *(name for name, _ in row.extras))))
        if not self.book.take_id(part, row.id, cut):
            self.reject(part, row.id, Reason.DUPLICATE_ID, f"again for {row.audio}")
        elif why := refused(self.filters, row):
            self.reject(part, row.id, Reason.EXCLUDED, why)
        elif not there:
            self.reject(part, row.id, Reason.NO_AUDIO, f"there is no {row.audio}")
        else:
            self.book.want(part, row)


def read_rows(section: Section, texts: Sequence[TextFile], book: Ledger, filters: Sequence[Filter]) -> Reading:
    """All rows of a section: each either goes into the ledger with its audio, or is rejected with a reason."""
    reading = Reading(section, book, filters)
    known = {part.name for part in section.corpus.parts}
    for part, row in section.corpus.read(Found(parts=section.parts, texts=texts, audio=book)):
        there = book.name_audio(row.audio)
        if part in known and part not in section.parts:
            continue  # not asked for, but its audio is not forgotten
        reading.rows[part if part in known else ""] += 1
        if part and part not in known:
            place = row.place if isinstance(row, BadRow) else row.id
            reading.reject("", place, Reason.BAD_ROW, f"there is no part {part!r}")
        elif isinstance(row, BadRow):
            reading.bad(part, row)
        else:
            reading.utterance(part, row, there)
    _orphans(reading)
    return reading


def _orphans(reading: Reading) -> None:
    """Audio that no row speaks of is of the only part, or of none."""
    part = reading.section.parts[0] if reading.section.name in reading.section.parts else ""
    for name in reading.book.forgotten():
        reading.rows[part] += 1
        reading.reject(part, PurePosixPath(name).stem, Reason.NO_TEXT, f"no row names {name}")
