from dataclasses import dataclass

import pytest

from dsprep.manifests import DataError
from dsprep.trainer.scoring.difference import difference_of
from dsprep.trainer.scoring.errors import Errors, count_characters, count_words
from dsprep.trainer.scoring.summary import summary_of


@dataclass(frozen=True)
class Pair:
    """What was said and heard, by whom."""

    reference: str
    hypothesis: str
    speaker: str = ""

    @property
    def words(self) -> Errors:
        return count_words(self.reference, self.hypothesis)

    @property
    def characters(self) -> Errors:
        return count_characters(self.reference, self.hypothesis)


PAIRS = [Pair("a b", "a b", "x"), Pair("a b c", "a", "y"), Pair("", "", "y"), Pair("", "u v", "x"), Pair("a", "b", "z")]


def test_rates_are_of_sums_and_sentences_are_counted_as_sclite_does() -> None:
    found = summary_of(PAIRS)
    assert found.words == Errors(substitutions=1, insertions=2, deletions=2, words=6)
    assert (found.wrong, found.utterances, found.sentence_rate) == (3, 5, 0.6)
    assert (found.how.unit, found.how.units) == ("speakers", 3)
    assert found.wer.low <= found.words.rate <= found.wer.high
    assert found == summary_of(PAIRS)


def test_no_utterance_has_no_error() -> None:
    found = summary_of([])
    assert (found.words.rate, found.sentence_rate, found.wer.high) == (0, 0, 0)


def test_facts_hold_no_infinity() -> None:
    facts = summary_of([Pair("", "a")]).facts()
    assert facts["wer"] is None
    assert facts["intervals"]["wer"] == [None, None]
    assert facts["ser"] == 1


def many(wrong: int, of: int = 400) -> list[Pair]:
    """Utterances of five words, of which the first so many have one wrong."""
    return [Pair("a b c d e", "a b c d x" if number < wrong else "a b c d e") for number in range(of)]


def test_a_large_difference_is_significant_and_a_small_one_is_not() -> None:
    better, same = difference_of(many(80), many(30)), difference_of(many(80), many(78)[::-1])
    assert better.significant
    assert better.wer == pytest.approx((30 - 80) / 2000)
    assert better.interval.high < 0
    assert better.better > 0.999
    assert not same.significant
    assert same.interval.low < 0 < same.interval.high
    worse = difference_of(many(30), many(80))
    assert worse.wer == -better.wer
    assert worse.better == pytest.approx(1 - better.better)


def test_a_model_does_not_differ_from_itself() -> None:
    found = difference_of(many(80), many(80))
    assert (found.wer, found.interval.low, found.interval.high, found.better) == (0, 0, 0, 0.5)
    assert not found.significant


def test_what_is_hard_for_both_makes_no_difference_less_certain() -> None:
    """Both err on every second speaker, and the second a little less everywhere: pairs tell, intervals do not."""
    hard = [Pair("a b c d e f g h", "x y z d e f g h", f"s{n}") for n in range(40)]
    easy = [Pair("a b c d e f g h", "x b c d e f g h", f"t{n}") for n in range(40)]
    less = [Pair(one.reference, one.hypothesis.replace("x", "a"), one.speaker) for one in (*hard, *easy)]
    found = difference_of([*hard, *easy], less)
    first, second = summary_of([*hard, *easy]), summary_of(less)
    assert found.significant
    assert found.interval.low == pytest.approx(-1 / 8)
    assert found.interval.high == pytest.approx(-1 / 8)
    assert second.wer.high > first.wer.low - 1 / 8


def test_two_models_are_not_compared_without_words() -> None:
    with pytest.raises(DataError, match="too few words"):
        difference_of([Pair("", "a")], [Pair("", "")])
