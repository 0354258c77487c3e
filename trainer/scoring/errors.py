"""Word and character error rates of a corpus: errors add up over utterances, the rate is computed last.

    count_words("the cat sat", "the bat")  ->  Errors(substitutions=1, insertions=0, deletions=1, words=3)

Counted by jiwer (unit costs). An utterance with an empty reference counts all it heard as insertions.
"""

from dataclasses import asdict, dataclass

import jiwer


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """How a text differs from its reference, in words or characters."""

    substitutions: int = 0
    insertions: int = 0
    deletions: int = 0
    words: int = 0
    """Of the reference (characters, when characters are counted)."""

    def __add__(self, other: "Errors") -> "Errors":
        return Errors(
            substitutions=self.substitutions + other.substitutions,
            insertions=self.insertions + other.insertions,
            deletions=self.deletions + other.deletions,
            words=self.words + other.words,
        )

    @property
    def total(self) -> int:
        """All errors."""
        return self.substitutions + self.insertions + self.deletions

    @property
    def rate(self) -> float:
        """Errors a word of the reference, as a fraction; can exceed 1. Without a single word, 0 or infinity."""
        if self.words == 0:
            return float("inf") if self.total else 0.0
        return self.total / self.words

    def facts(self) -> dict[str, int]:
        """These counts as JSON."""
        return asdict(self)


def count_words(reference: str, hypothesis: str) -> Errors:
    """Errors of a hypothesis in words, which white space divides."""
    return _count(reference.split(), hypothesis.split())


def count_characters(reference: str, hypothesis: str) -> Errors:
    """Errors of a hypothesis in characters, runs of white space counted as one space."""
    return _count(list(" ".join(reference.split())), list(" ".join(hypothesis.split())))


def _count(reference: list[str], hypothesis: list[str]) -> Errors:
    if not reference:
        return Errors(insertions=len(hypothesis))
    # jiwer takes the units as they are when they come as lists of lists.
    done = jiwer.process_words(
        [_joined(reference)],
        [_joined(hypothesis)],
        reference_transform=_SPLIT,
        hypothesis_transform=_SPLIT,
    )
    return Errors(
        substitutions=done.substitutions,
        insertions=done.insertions,
        deletions=done.deletions,
        words=len(reference),
    )


def _joined(units: list[str]) -> str:
    return "\0".join(units)


_SPLIT = jiwer.Compose([jiwer.ReduceToListOfListOfWords(word_delimiter="\0")])
