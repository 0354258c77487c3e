import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsprep.manifests import Alphabet, DataError, english
from dsprep.pipeline.coverage import HEADER, Coverage, Occurrences

PAIRS = st.lists(st.tuples(st.sampled_from("abcdef"), st.text("ab é#'1")))
PANGRAM = "the quick brown fox jumps over the lazy dog's back"


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_every_character_is_counted_in_nfc(texts: list[str]) -> None:
    import unicodedata

    coverage = Coverage.of(("id", text) for text in texts)
    normal = [unicodedata.normalize("NFC", text) for text in texts]
    assert coverage.texts == len(texts)
    assert coverage.characters == sum(map(len, normal))
    for character, one in coverage.found.items():
        assert one.count == sum(text.count(character) for text in normal)
        assert one.texts == sum(character in text for text in normal)


@given(PAIRS, PAIRS)
def test_coverages_add_up_in_any_order(first: list[tuple[str, str]], second: list[tuple[str, str]]) -> None:
    whole = Coverage.of(first + second)
    assert Coverage.of(first) + Coverage.of(second) == whole == Coverage.of(second) + Coverage.of(first)


def test_adding_up_leaves_the_parts_as_they_were() -> None:
    first, second = Coverage.of([("a", "x")]), Coverage.of([("b", "xy")])
    assert (first + second).characters == 3
    assert (first.characters, second.characters) == (1, 2)


def test_the_example_is_the_least_id() -> None:
    coverage = Coverage.of([("c", "x"), ("a", "xx"), ("b", "xy")])
    assert coverage.found["x"] == Occurrences(character="x", count=4, texts=3, example="a")


@given(PAIRS)
def test_the_alphabet_encodes_the_texts_and_holds_nothing_else(pairs: list[tuple[str, str]]) -> None:
    coverage = Coverage.of(pairs)
    if not coverage.characters:
        return
    alphabet = coverage.alphabet()
    assert alphabet.blank == len(alphabet.characters)
    assert {alphabet.decode(alphabet.encode(text)) for _, text in pairs} == {text for _, text in pairs}
    assert set(alphabet.characters) == set("".join(text for _, text in pairs))
    assert not coverage.outside(alphabet)


def test_english_text_gets_deepspeech_s_alphabet() -> None:
    words = PANGRAM.split()
    random.Random(0).shuffle(words)
    assert Coverage.of([("a", " ".join(words))]).alphabet() == english()


def test_the_order_is_space_letters_and_marks_the_rest() -> None:
    coverage = Coverage.of([("a", "z'é 1\u094dнa-")])
    assert coverage.alphabet() == Alphabet((" ", "a", "z", "é", "н", "\u094d", "'", "-", "1"), 9)


@pytest.mark.parametrize("texts", [[], ["", ""]])
def test_of_nothing_there_is_no_alphabet(texts: list[str]) -> None:
    with pytest.raises(DataError, match=f"made of {len(texts)} texts"):
        Coverage.of(("a", text) for text in texts).alphabet()


def test_what_an_alphabet_lacks_is_named_with_an_example() -> None:
    coverage = Coverage.of([("one", "cafe\u0301"), ("two", "cafe 7")])
    assert [(one.character, one.example) for one in coverage.outside(english())] == [("é", "one"), ("7", "two")]


def test_the_table_has_a_row_a_character_the_most_frequent_first() -> None:
    coverage = Coverage.of([("one", "a a\u0301"), ("two", "a\u094d\x1b")])
    rows = [dict(zip(HEADER, row, strict=True)) for row in coverage.table()]
    assert [row["code"] for row in rows] == ["U+0061", "U+001B", "U+0020", "U+00E1", "U+094D"]
    assert list(rows[0].values()) == ["a", "U+0061", "LATIN SMALL LETTER A", "2", "33.33%", "2", "one"]
    assert [row["character"] for row in rows] == ["a", "", "(space)", "á", ""]
    assert rows[1]["name"] == "(no name, category Cc)"


def test_memory_grows_with_characters_and_not_with_texts() -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        Coverage.of((f"id-{index:06d}", PANGRAM) for index in range(count))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(1)
    assert peak(2000) < peak(20) + 10_000
