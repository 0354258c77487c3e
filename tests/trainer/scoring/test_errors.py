import functools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsprep.trainer.scoring.errors import Errors, count_characters, count_words

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


@given(words, words)
def test_characters_are_counted_alike(reference: str, hypothesis: str) -> None:
    assert count_characters(reference, hypothesis).total == edits(list(reference), list(hypothesis))


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
