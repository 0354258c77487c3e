"""Building: a language model of texts, in one file.

    build_model([Path("train.csv")], Path("3gram.arpa"), Recipe(order=3))

Memory holds the vocabulary and, besides it, about what the recipe says; the rest is sorted on disk beside the model.
The same texts give the same bytes, whatever the memory.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...manifests import DataError, OutputError, Progress, UsageError, silent
from ...pipeline.commit import discard, file_size, sweep, temporary_name, write_whole, writing
from ...pipeline.text import Profile
from .adjusting import adjusted, genuine
from .arpa import END, head, section
from .counting import Counter, bits_of
from .discounts import FALLBACK, Discounts, counts_of_counts, discounts_of
from .estimating import Estimation, estimated
from .sentences import Sentences
from .spilling import Room, Spilled
from .vocabulary import SPECIAL, Vocabulary

LEAST, MOST = 2, 6
"""Orders that flashlight's KenLM reads."""
LEAST_MEMORY = 10**6
"""Bytes: with less there are so many runs that merging them takes hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a model is built.

    Raises:
        UsageError: a number is out of bounds.
    """

    order: int = 3
    prune: tuple[int, ...] = (0,)
    """For each order: n-grams that were said no more often are left out; the last is for all that follow."""
    limit: int | None = None
    """Words of the vocabulary, the most frequent; n-grams with others are left out."""
    memory: int = 2 * 10**9
    """Bytes, beside the vocabulary."""
    discount_fallback: bool = False
    """Whether fixed discounts are taken where the text is too small to tell them."""

    def __post_init__(self) -> None:
        if not LEAST <= self.order <= MOST:
            raise UsageError(f"--order {self.order}: the longest n-grams have {LEAST} to {MOST} words")
        shown = ",".join(map(str, self.prune))
        if not 1 <= len(self.prune) <= self.order:
            raise UsageError(f"--prune {shown}: name a number for each order, or for the first few of {self.order}")
        if self.prune[0] != 0 or list(self.prune) != sorted(self.prune):
            raise UsageError(f"--prune {shown}: the first is 0, and none is below the one before it, as 0,0,1")
        if self.memory < LEAST_MEMORY:
            raise UsageError(f"--memory of {self.memory} bytes: give it 1MB at least")
        if self.limit is not None and self.limit < 1:
            raise UsageError(f"--limit {self.limit}: a vocabulary has at least one word")

    @property
    def thresholds(self) -> tuple[int, ...]:
        """One for each order."""
        return self.prune + self.prune[-1:] * (self.order - len(self.prune))


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What came of it."""

    sentences: int
    words: int
    """Of the text."""
    refused: int
    """Lines that the text profile refused."""
    refusal: str
    """The first of them."""
    counts: tuple[int, ...]
    """N-grams of each order."""
    discounts: tuple[Discounts, ...]
    fallback: tuple[int, ...]
    """Orders whose discounts are not of the text."""


def build_model(
    texts: Sequence[Path],
    out: Path,
    recipe: Recipe,
    profile: Profile | None = None,
    characters: bool = False,
    progress: Progress = silent,
) -> Built:
    """Write the model of texts to `out`, ARPA.

    Raises:
        DataError: a text cannot be read, or there are no words in them.
        UsageError: the texts are too small to tell discounts.
        OutputError: it cannot be written, or there is no room for what is sorted.
    """
    _check_place(out)
    sentences, vocabulary = Sentences(texts, profile, characters), Vocabulary()
    with _room(out, recipe.memory) as room:
        counter = Counter(room, recipe.order, vocabulary)
        counter.add(sentences, progress)
        if not counter.words:
            refused = f" but {sentences.refused} lines that the text profile refused, the first {sentences.refusal}"
            raise DataError(f"{', '.join(map(str, texts))}: no words in there" + (refused if sentences.refused else ""))
        tables = adjusted(counter.counted(), room, recipe.order)
        tells = [counts_of_counts(table) for table in tables]
        discounts = tuple(discounts_of(one, n, recipe.discount_fallback) for n, one in enumerate(tells, 1))
        ways = Estimation(
            room=room,
            bits=bits_of(vocabulary),
            thresholds=recipe.thresholds,
            kept=_kept(tables[0], len(vocabulary), recipe.limit),
        )
        counts = _counts(tables, ways)
        write_whole(out, _arpa(tables, discounts, ways, counts, list(vocabulary), progress))
    return Built(
        sentences=counter.sentences,
        words=counter.words,
        refused=sentences.refused,
        refusal=sentences.refusal,
        counts=counts,
        discounts=discounts,
        fallback=tuple(n for n, one in enumerate(discounts, 1) if one == FALLBACK),
    )


def _check_place(out: Path) -> None:
    """A model replaces a model, but never a text that was named last by mistake."""
    if out.is_dir():
        raise OutputError(f"{out} is a folder: name a file for the model, as {out / '3gram.arpa'}")
    if str(out) == "-" or (out.exists() and not out.is_file()):
        raise OutputError(f"{out} is no file: a model is written to one, name it last, as 3gram.arpa")
    if file_size(out):
        with out.open("rb") as file:
            if not file.read(20).lstrip().startswith(b"\\data\\"):
                raise OutputError(f"{out} is there already and is no ARPA file: name the model's own file last")


def _arpa(
    tables: Sequence[Spilled],
    discounts: Sequence[Discounts],
    ways: Estimation,
    counts: Sequence[int],
    words: Sequence[str],
    progress: Progress,
) -> Iterator[bytes]:
    yield head(counts)
    for one in estimated(tables, discounts, ways):
        progress("estimating", one.order, len(tables), "orders")
        yield from section(one, words, ways.bits)
    yield END


def _kept(unigrams: Spilled, size: int, limit: int | None) -> NDArray[np.bool_]:
    """Which words are in the vocabulary: the most frequent, of equals the one that was met first."""
    kept = np.ones(size, bool)
    if limit is not None:
        said = np.zeros(size, np.int64)
        for block in unigrams.blocks():
            said[block["words"][:, 0]] = block["raw"]
        said[: len(SPECIAL)] = np.iinfo(np.int64).max
        kept[np.argsort(-said, kind="stable")[limit + len(SPECIAL) :]] = False
    return kept


def _counts(tables: Sequence[Spilled], ways: Estimation) -> tuple[int, ...]:
    """N-grams of each order that stay."""
    counts = [int(ways.kept.sum())]
    for table in tables[1:]:
        counts.append(sum(int((genuine(one["words"]) & ~ways.pruned(one)).sum()) for one in table.blocks()))
    return tuple(counts)


@contextmanager
def _room(out: Path, memory: int) -> Iterator[Room]:
    """A folder beside `out` that is gone afterwards; a killed run's is swept by the next."""
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        sweep(out.parent)
        folder = temporary_name(out)
        folder.mkdir()
        try:
            yield Room(folder, memory)
        finally:
            discard(folder)
