"""Confusions: which words were taken for which, left out and put in, most often first.

Confusion(reference="five", hypothesis="nine", count=12, said=40)     12 of the 40 that were said
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..scoring.alignment import Kind
from .lines import Line

MOST = 15
"""Of each kind that are listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """One way to go wrong."""

    reference: str
    """Empty where a word was put in."""
    hypothesis: str
    """Empty where a word was left out."""
    count: int
    said: int
    """How often the reference has the word; the word that was heard, where nothing was said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusions:
    """The most frequent of one kind."""

    kind: Kind
    listed: tuple[Confusion, ...]
    kinds: int
    """Different ones, those that are not listed among them."""
    count: int
    """All of them."""


def confusions(lines: Sequence[Line], kind: Kind) -> Confusions:
    """The most frequent edits of a kind, those of the same count in the order of the alphabet."""
    said = Counter(edit.reference for line in lines for edit in line.edits if edit.kind is not Kind.INSERTION)
    found = Counter((edit.reference, edit.hypothesis) for line in lines for edit in line.edits if edit.kind is kind)
    most = sorted(found.items(), key=lambda item: (-item[1], item[0]))[:MOST]
    listed = tuple(
        Confusion(reference=there, hypothesis=here, count=count, said=said[there or here])
        for (there, here), count in most
    )
    return Confusions(kind=kind, listed=listed, kinds=len(found), count=found.total())
