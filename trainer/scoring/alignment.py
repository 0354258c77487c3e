"""Alignment: which word of a hypothesis stands for which word of its reference.

    the cat sat        Edit(EQUAL, "the", "the"), Edit(SUBSTITUTION, "cat", "bat"), Edit(DELETION, "sat", "")
    the bat

The fewest edits, all of the same cost (Levenshtein's distance, by rapidfuzz).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rapidfuzz.distance import Levenshtein


class Kind(StrEnum):
    """What became of a word."""

    EQUAL = "equal"
    SUBSTITUTION = "substitution"
    INSERTION = "insertion"
    DELETION = "deletion"


TAGS = {
    "equal": Kind.EQUAL,
    "replace": Kind.SUBSTITUTION,
    "insert": Kind.INSERTION,
    "delete": Kind.DELETION,
}
"""By rapidfuzz's names."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One place of an alignment."""

    kind: Kind
    reference: str
    """Empty where a word was put in."""
    hypothesis: str
    """Empty where a word was left out."""


def align(reference: Sequence[str], hypothesis: Sequence[str]) -> list[Edit]:
    """The edits that make the hypothesis of the reference, word for word, in their order."""
    edits = []
    for code in Levenshtein.opcodes(reference, hypothesis):
        for place in range(max(code.src_end - code.src_start, code.dest_end - code.dest_start)):
            there = reference[code.src_start + place] if code.src_start + place < code.src_end else ""
            here = hypothesis[code.dest_start + place] if code.dest_start + place < code.dest_end else ""
            edits.append(Edit(TAGS[code.tag], there, here))
    return edits
