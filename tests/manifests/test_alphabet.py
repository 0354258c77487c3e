import json
import tempfile
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsprep.manifests import Alphabet, DataError, alphabet_bytes, english, read_alphabet


@given(st.text("abc' "), st.integers(0, 5))
def test_decode_is_the_inverse_of_encode(text: str, blank: int) -> None:
    alphabet = Alphabet(("a", "b", "c", "'", " "), blank)
    labels = alphabet.encode(text)
    assert alphabet.decode(labels) == text
    assert blank not in labels
    assert all(0 <= label < alphabet.size for label in labels)


def test_english_is_deepspeech_s_with_the_blank_last() -> None:
    alphabet = english()
    assert (alphabet.size, alphabet.blank) == (29, 28)
    assert alphabet.encode(" az'") == [0, 1, 26, 27]


def test_deepspeech_files_keep_their_order_and_comments_are_none(tmp_path: Path) -> None:
    (tmp_path / "alphabet.txt").write_bytes("# comment\r\n \r\nb\r\na\r\n\\#\r\n\\\r\né\n# end\n".encode())
    alphabet = read_alphabet(tmp_path / "alphabet.txt")
    assert alphabet == Alphabet((" ", "b", "a", "#", "\\", "é"), 6)


CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\n\r").filter(
    lambda c: unicodedata.normalize("NFC", c) == c
)


@given(st.lists(st.one_of(CHARACTERS, st.sampled_from("#\\ \ufeff")), min_size=1, unique=True))
def test_a_written_alphabet_is_read_as_it_was(characters: list[str]) -> None:
    alphabet = Alphabet(tuple(characters), len(characters))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "alphabet.txt"
        path.write_bytes(alphabet_bytes(alphabet))
        assert read_alphabet(path) == alphabet


def test_a_written_alphabet_is_escaped_as_deepspeech_does_it() -> None:
    assert alphabet_bytes(Alphabet((" ", "#", "\\", "é"), 4)).decode().split("\n")[1:] == [" ", "\\#", "\\", "é", ""]


@pytest.mark.parametrize(
    ("alphabet", "told"),
    [
        (Alphabet(("a", "b"), 0), "blank is label 0"),
        (Alphabet(("a", "\n"), 2), r"U\+000A"),
        (Alphabet(("\r",), 1), "000D"),
    ],
)
def test_what_an_alphabet_txt_cannot_say_is_told(alphabet: Alphabet, told: str) -> None:
    with pytest.raises(DataError, match=told):
        alphabet_bytes(alphabet)


def test_labels_json_has_its_blank_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "labels.json").write_text(json.dumps(["_", "'", "A", "B", " "]))
    alphabet = read_alphabet(tmp_path / "labels.json")
    assert alphabet.blank == 0
    assert alphabet.encode("'AB ") == [1, 2, 3, 4]


def test_a_letter_and_its_accent_are_one_character_however_typed() -> None:
    alphabet = Alphabet(("e", "é"), 2)
    assert alphabet.encode("e\u0301") == alphabet.encode("\u00e9") == [1]


def test_a_character_that_is_not_there_is_named() -> None:
    with pytest.raises(DataError, match=r"'é' \(U\+00E9\)"):
        english().encode("café")


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("alphabet.txt", "a\na\n", r"more than once: 'a' \(U\+0061\)"),
        ("alphabet.txt", "ab\n", "is not one NFC character"),
        ("alphabet.txt", "# nothing\n", "at least one character"),
        ("labels.json", '["A"]', "no blank"),
        ("labels.json", '{"A": 1}', "not a list"),
        ("labels.json", "[", "is not an alphabet"),
    ],
)
def test_what_is_no_alphabet_is_told(tmp_path: Path, name: str, text: str, told: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=told):
        read_alphabet(tmp_path / name)


def test_a_missing_alphabet_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no alphabet"):
        read_alphabet(tmp_path / "alphabet.txt")
