from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from dsprep.trainer.scoring.alignment import Edit, Kind, align
from dsprep.trainer.scoring.errors import count_words

words = st.lists(st.sampled_from("abcd"), max_size=8)


@given(words, words)
def test_an_alignment_spells_both_texts_and_has_their_errors(reference: list[str], hypothesis: list[str]) -> None:
    edits = align(reference, hypothesis)
    assert [one.reference for one in edits if one.kind is not Kind.INSERTION] == reference
    assert [one.hypothesis for one in edits if one.kind is not Kind.DELETION] == hypothesis
    assert all((one.reference == one.hypothesis) is (one.kind is Kind.EQUAL) for one in edits)
    errors = count_words(" ".join(reference), " ".join(hypothesis))
    kinds = Counter(one.kind for one in edits)
    assert kinds[Kind.SUBSTITUTION] == errors.substitutions
    assert kinds[Kind.INSERTION] == errors.insertions
    assert kinds[Kind.DELETION] == errors.deletions


def test_what_is_put_in_and_left_out_has_no_other_side() -> None:
    assert align(["a"], ["a", "b"]) == [Edit(Kind.EQUAL, "a", "a"), Edit(Kind.INSERTION, "", "b")]
    assert align(["a", "b"], ["b"]) == [Edit(Kind.DELETION, "a", ""), Edit(Kind.EQUAL, "b", "b")]


def test_texts_of_any_length_are_aligned() -> None:
    reference, hypothesis = ["a", "b"] * 3000, ["b", "c", "a"] * 2000
    edits = align(reference, hypothesis)
    assert [one.hypothesis for one in edits if one.hypothesis] == hypothesis
    wrong = sum(one.kind is not Kind.EQUAL for one in edits)
    assert wrong == count_words(" ".join(reference), " ".join(hypothesis)).total
