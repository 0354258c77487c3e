"""Word and character error rates of a corpus: errors add up over utterances, the rate is computed last.

    count_words("the cat sat", "the bat")  ->  Errors(substitutions=1, insertions=0, deletions=1, words=3)

The fewest edits (Levenshtein 1966), as jiwer counts them. Of alignments with as few, that with the most words right:
it is the one that sclite's costs (4 for a substitution, 3 for an insertion or a deletion) prefer too, so that the three
kinds are sclite's. An utterance with an empty reference counts all it heard as insertions, as sclite does.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import asdict, dataclass

from rapidfuzz.distance import Levenshtein

EDIT = 1 << 24
"""What an edit costs; a substitution one more, so that of as few edits the fewest substitutions are the cheapest. More
than there are units in any text."""
WEIGHTS = (EDIT, EDIT, EDIT + 1)
"""Of an insertion, a deletion and a substitution, as rapidfuzz takes them."""
CELLS = 10**8
"""Units of both texts, multiplied, up to which kinds are those of the alignment with most words right: 10,000
characters, a quarter of a second. Weighted distances take quadratic time; the fewest edits alone a fiftieth of it."""


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


def added(many: Iterable[Errors]) -> Errors:
    """The errors of a corpus."""
    kept = list(many)
    return Errors(
        substitutions=sum(one.substitutions for one in kept),
        insertions=sum(one.insertions for one in kept),
        deletions=sum(one.deletions for one in kept),
        words=sum(one.words for one in kept),
    )


def count_words(reference: str, hypothesis: str) -> Errors:
    """Errors of a hypothesis in words, which white space divides."""
    return count(reference.split(), hypothesis.split())


def count_characters(reference: str, hypothesis: str) -> Errors:
    """Errors of a hypothesis in characters, runs of white space counted as one space."""
    return count(" ".join(reference.split()), " ".join(hypothesis.split()))


def count(reference: Sequence[Hashable], hypothesis: Sequence[Hashable]) -> Errors:
    """Errors of a hypothesis in units that are equal or not.

    The cost of the cheapest alignment tells edits and substitutions apart, and the lengths tell the rest: what was put
    in less what was left out is what the hypothesis is longer by. Of texts beyond `CELLS` the errors are the fewest as
    well, and the kinds those of any alignment that has no more.
    """
    if len(reference) * len(hypothesis) > CELLS:
        found = Levenshtein.editops(reference, hypothesis)
        edits, substitutions = len(found), sum(one.tag == "replace" for one in found)
    else:
        edits, substitutions = divmod(Levenshtein.distance(reference, hypothesis, weights=WEIGHTS), EDIT)
    insertions = (edits - substitutions + len(hypothesis) - len(reference)) // 2
    return Errors(
        substitutions=substitutions,
        insertions=insertions,
        deletions=edits - substitutions - insertions,
        words=len(reference),
    )
