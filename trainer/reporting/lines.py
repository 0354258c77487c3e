"""Lines: each utterance of an evaluation with its words aligned, as the page shows it.

Line(heard=Heard(...), edits=(Edit(EQUAL, "the", "the"), Edit(SUBSTITUTION, "cat", "bat"), ...))
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..scoring.alignment import Edit, Kind, align
from ..scoring.heard import Heard
from .visible import visible

LETTERS = {Kind.EQUAL: "=", Kind.SUBSTITUTION: "s", Kind.INSERTION: "i", Kind.DELETION: "d"}
"""Of an alignment as the page's script reads it, one letter a place."""
Row = tuple[Any, ...]
"""id, speaker, seconds, substitutions, insertions, deletions, words, loss, said, heard, letters, clip."""


@dataclass(frozen=True, slots=True)
class Line:
    """One utterance and what became of its words."""

    heard: Heard
    edits: tuple[Edit, ...]

    @property
    def id(self) -> str:
        """Of the sample."""
        return self.heard.sample.id


def lines_of(heard: Sequence[Heard]) -> list[Line]:
    """Each utterance aligned, in the order given."""
    return [Line(one, tuple(align(_words(one.sample.transcript), _words(one.hypothesis.text)))) for one in heard]


def row_of(line: Line, clip: str) -> Row:
    """A line for the table of all utterances, with its sound in base64 if the table has it; JSON has no infinity."""
    sample, words, loss = line.heard.sample, line.heard.words, line.heard.loss
    return (
        sample.id,
        visible(sample.speaker),
        sample.duration,
        *(words.substitutions, words.insertions, words.deletions, words.words),
        round(loss, 4) if math.isfinite(loss) else None,
        " ".join(edit.reference for edit in line.edits if edit.kind is not Kind.INSERTION),
        " ".join(edit.hypothesis for edit in line.edits if edit.kind is not Kind.DELETION),
        "".join(LETTERS[edit.kind] for edit in line.edits),
        clip,
    )


def _words(text: str) -> list[str]:
    return [visible(word) for word in text.split()]
