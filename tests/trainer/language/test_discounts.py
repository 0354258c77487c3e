from pathlib import Path

import pytest

from dsprep.manifests import UsageError, silent
from dsprep.trainer.language.adjusting import adjusted
from dsprep.trainer.language.counting import Counter
from dsprep.trainer.language.discounts import FALLBACK, counts_of_counts, discounts_of
from dsprep.trainer.language.spilling import Room
from dsprep.trainer.language.vocabulary import Vocabulary


def told(text: str, order: int, folder: Path) -> list[list[int]]:
    counter = Counter(Room(folder, 10**6), order, Vocabulary())
    counter.add([line.split() for line in text.split("\n")], silent)
    return [counts_of_counts(table) for table in adjusted(counter.counted(), counter.room, order)]


def test_lower_orders_count_the_words_before(tmp_path: Path) -> None:
    # Bigrams as they were said; of words: a after <s> and c, b after a alone, </s> after b and c, c after b and <s>.
    assert told("a b\na b c\nc a b", 2, tmp_path) == [[1, 3, 0, 0], [4, 2, 1, 0]]


def test_the_last_of_an_order_counts_as_it_was_said_as_in_lmplz(tmp_path: Path) -> None:
    assert told("a b\na b\na b", 2, tmp_path) == [[2, 0, 1, 0], [0, 0, 3, 0]]  # b, which came last, has 3 and not 1


@pytest.mark.parametrize("counts", [(0, 1, 1, 1), (1, 0, 1, 1), (1, 1, 0, 1), (10, 1, 30, 1)])
def test_discounts_that_cannot_be_told_are_an_error_or_fixed(counts: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match=r"discounts of 2-grams.*add --discount-fallback"):
        discounts_of(counts, 2, fallback=False)
    assert discounts_of(counts, 2, fallback=True) == FALLBACK


def test_discounts_are_those_of_chen_and_goodman() -> None:
    y = 100 / (100 + 2 * 40)
    expected = (1 - 2 * y * 40 / 100, 2 - 3 * y * 20 / 40, 3 - 4 * y * 10 / 20)
    assert discounts_of((100, 40, 20, 10), 1, fallback=False) == pytest.approx(expected)
