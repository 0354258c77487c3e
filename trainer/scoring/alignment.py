"""Alignment: which word of a hypothesis stands for which word of its reference.

    the cat sat        Edit(EQUAL, "the", "the"), Edit(SUBSTITUTION, "cat", "bat"), Edit(DELETION, "sat", "")
    the bat

The fewest edits, and of as few those with the most words right: what `errors.py` counts, edit for edit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rapidfuzz.distance import Levenshtein

from .errors import EDIT, count

CELLS = 4_000_000
"""Reference times hypothesis up to which the best of the alignments with the fewest edits is looked for: a second."""


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
    """The edits that make the hypothesis of the reference, word for word, in their order.

    Texts whose lengths multiply to more than `CELLS` get any of the alignments with the fewest edits.
    """
    edits = list(_any(reference, hypothesis))
    replaced = sum(edit.kind is Kind.SUBSTITUTION for edit in edits)
    # rapidfuzz looks for the fewest edits alone: often enough it has the most words right as well.
    if len(reference) * len(hypothesis) > CELLS or replaced == count(reference, hypothesis).substitutions:
        return edits
    return _best(reference, hypothesis)


def _any(reference: Sequence[str], hypothesis: Sequence[str]) -> Iterator[Edit]:
    for code in Levenshtein.opcodes(reference, hypothesis):
        for place in range(max(code.src_end - code.src_start, code.dest_end - code.dest_start)):
            there = reference[code.src_start + place] if code.src_start + place < code.src_end else ""
            here = hypothesis[code.dest_start + place] if code.dest_start + place < code.dest_end else ""
            yield Edit(TAGS[code.tag], there, here)


def _best(reference: Sequence[str], hypothesis: Sequence[str]) -> list[Edit]:
    """By the table of all costs, backwards from its end; of equal ways that which leaves no word alone."""
    table = _costs(reference, hypothesis)
    edits, i, j = list[Edit](), len(reference), len(hypothesis)
    while i or j:
        here = table[i][j]
        if i and j and here == table[i - 1][j - 1] + _cost(reference[i - 1], hypothesis[j - 1]):
            i, j = i - 1, j - 1
            kind = Kind.EQUAL if reference[i] == hypothesis[j] else Kind.SUBSTITUTION
            edits.append(Edit(kind, reference[i], hypothesis[j]))
        elif j and here == table[i][j - 1] + EDIT:
            j -= 1
            edits.append(Edit(Kind.INSERTION, "", hypothesis[j]))
        else:
            i -= 1
            edits.append(Edit(Kind.DELETION, reference[i], ""))
    return edits[::-1]


def _costs(reference: Sequence[str], hypothesis: Sequence[str]) -> list[list[int]]:
    """The least cost of making each beginning of the hypothesis of each beginning of the reference."""
    table = [[EDIT * j for j in range(len(hypothesis) + 1)]]
    for i, word in enumerate(reference, 1):
        above, row = table[-1], [EDIT * i]
        for j, heard in enumerate(hypothesis):
            row.append(min(above[j] + _cost(word, heard), above[j + 1] + EDIT, row[j] + EDIT))
        table.append(row)
    return table


def _cost(word: str, heard: str) -> int:
    return 0 if word == heard else EDIT + 1
