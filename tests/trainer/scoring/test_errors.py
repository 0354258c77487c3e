import functools
import random

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from dsprep.trainer.scoring.errors import CELLS, Errors, added, count_characters, count_words

words = st.lists(st.sampled_from("abc"), max_size=6).map(" ".join)


def edits(reference: list[str], hypothesis: list[str]) -> int:
    """Levenshtein's distance, by its definition."""

    @functools.cache
    def distance(i: int, j: int) -> int:
        if not (i and j):
            return i + j
        same = reference[i - 1] == hypothesis[j - 1]
        return min(distance(i - 1, j - 1) + (not same), distance(i - 1, j) + 1, distance(i, j - 1) + 1)

    return distance(len(reference), len(hypothesis))


@given(words, words)
def test_errors_are_the_fewest_edits(reference: str, hypothesis: str) -> None:
    errors = count_words(reference, hypothesis)
    assert errors.total == edits(reference.split(), hypothesis.split())
    assert errors.words == len(reference.split())
    assert errors.words - errors.deletions + errors.insertions == len(hypothesis.split())


def most_right(reference: list[str], hypothesis: list[str]) -> int:
    """Words right in the best of the alignments with the fewest edits, by trying all."""

    @functools.cache
    def best(i: int, j: int) -> tuple[int, int]:
        if not (i and j):
            return i + j, 0
        same = reference[i - 1] == hypothesis[j - 1]
        ways = ((best(i - 1, j - 1), not same, same), (best(i - 1, j), 1, 0), (best(i, j - 1), 1, 0))
        return min((cost + more, -(-wrong + right)) for (cost, wrong), more, right in ways)

    return -best(len(reference), len(hypothesis))[1]


@given(words, words)
def test_of_as_few_edits_those_with_the_most_words_right_count(reference: str, hypothesis: str) -> None:
    errors = count_words(reference, hypothesis)
    assert errors.words - errors.substitutions - errors.deletions == most_right(reference.split(), hypothesis.split())


def test_jiwer_counts_as_many_errors() -> None:
    chance = random.Random(5)
    texts = [" ".join(chance.choices("abcdefgh", k=chance.randint(1, 30))) for _ in range(1000)]
    heard = [" ".join(word for word in text.split() if chance.random() < 0.8) + " x" for text in texts]
    for ours, theirs in (
        (list(map(count_words, texts, heard)), jiwer.process_words(texts, heard)),
        (list(map(count_characters, texts, heard)), jiwer.process_characters(texts, heard)),
    ):
        whole = added(ours)
        assert whole.total == theirs.substitutions + theirs.deletions + theirs.insertions
        assert whole.words == theirs.hits + theirs.substitutions + theirs.deletions
        assert whole.rate == (theirs.wer if hasattr(theirs, "wer") else theirs.cer)


def test_jiwer_agrees_on_nothing_said() -> None:
    done = jiwer.process_words(["", "", "a b"], ["x y z", "", "a"])
    found = added(map(count_words, ["", "", "a b"], ["x y z", "", "a"]))
    assert (found.insertions, found.deletions, found.substitutions) == (3, 1, 0)
    assert (done.insertions, done.deletions, done.substitutions) == (3, 1, 0)


@given(words, words)
def test_characters_are_counted_alike(reference: str, hypothesis: str) -> None:
    assert count_characters(reference, hypothesis).total == edits(list(reference), list(hypothesis))


def test_texts_of_any_length_have_the_fewest_errors() -> None:
    chance = random.Random(7)
    said = "".join(chance.choices("abcdefgh", k=30_000))
    heard = "".join(one if chance.random() < 0.9 else chance.choice(["", "x", "yy"]) for one in said)
    assert len(said) * len(heard) > CELLS
    found = count_characters(said, heard)
    assert found.total == Levenshtein.distance(said, heard)
    assert found.substitutions > 0
    assert found.words - found.deletions + found.insertions == len(heard)


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("the cat sat", "the bat", Errors(substitutions=1, deletions=1, words=3)),
        ("", "a b", Errors(insertions=2)),
        ("a b", "", Errors(deletions=2, words=2)),
        ("", "", Errors()),
        ("a  b\u00a0c", "a b c", Errors(words=3)),
    ],
)
def test_known_cases(reference: str, hypothesis: str, expected: Errors) -> None:
    assert count_words(reference, hypothesis) == expected


def test_a_corpus_is_summed_and_not_averaged() -> None:
    whole = count_words("a", "b") + count_words("a b c d e f g h i", "a b c d e f g h i")
    assert whole.rate == pytest.approx(0.1)


def test_a_rate_without_words_is_zero_or_infinite() -> None:
    assert Errors().rate == 0
    assert Errors(insertions=1).rate == float("inf")
