"""Models of which a word list is taken, and files that are none. The binaries are build_binary's of one small ARPA."""

import os
from pathlib import Path

import pytest

from dsprep.manifests import Alphabet, DataError, UsageError, english
from dsprep.trainer.decoding.decoding import Decoding
from dsprep.trainer.language.kenlm import words_of_model

pytest.importorskip("flashlight.lib.text", reason="flashlight-text is not installed: there is none for this Python")

DATA = Path(__file__).parents[2] / "data" / "language"
ALPHABET = Alphabet(("a", "b", " "), 3)


@pytest.mark.parametrize("name", ["small-probing.bin", "small-trie.bin"])
def test_a_binary_tells_its_words(name: str) -> None:
    assert sorted(words_of_model(DATA / name)) == ["a", "ab", "b"]
    assert Decoding(lm=DATA / name).decoder(ALPHABET)


def test_a_binary_without_words_needs_a_list(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="built without its words: name them with --words FILE"):
        Decoding(lm=DATA / "small-wordless.bin").decoder(ALPHABET)
    (tmp_path / "words").write_text("ab")
    assert Decoding(lm=DATA / "small-wordless.bin", words=tmp_path / "words").decoder(ALPHABET)


def test_a_file_that_is_no_whole_model_is_told(tmp_path: Path) -> None:
    path = tmp_path / "lm ü"
    arpa = (DATA / "lmplz.arpa").read_bytes()
    for name in ("small-probing.bin", "small-trie.bin"):
        whole = (DATA / name).read_bytes()
        for cut in (34, 60, 100, 110, 150, len(whole) - 3):
            path.write_bytes(whole[:cut])
            with pytest.raises(DataError, match="lm ü"):
                Decoding(lm=path).decoder(ALPHABET)
    for data in (b"", b"\0" * 1000, b"one two\n", b"\\data\\\n\\1-grams:\n", arpa[:3000], arpa[: len(arpa) // 2]):
        path.write_bytes(data)
        with pytest.raises(DataError, match="lm ü"):
            Decoding(lm=path).decoder(ALPHABET)
    path.write_bytes(arpa.replace(b"ngram 3=", b"ngram 3=9\nngram 4=9\nngram 5=9\nngram 6=9\nngram 7="))
    with pytest.raises(
        DataError, match=r"\(This model has order 7 but KenLM was compiled to support up to 6\): make one"
    ):
        Decoding(lm=path).decoder(english())
    for gone in (tmp_path / "gone", tmp_path):
        with pytest.raises(DataError, match="cannot be read as a language model"):
            Decoding(lm=gone).decoder(ALPHABET)


def test_words_that_cannot_be_spelt_are_told(tmp_path: Path) -> None:
    listed, notices = tmp_path / "words.txt", list[str]()
    listed.write_text("ab\ncab\nnaïve\n")
    Decoding(words=listed).decoder(ALPHABET, notices.append)
    assert len(notices) == 1
    assert "2 of 3 words can never be heard: the alphabet lacks 'c' (U+0063)" in notices[0]
    listed.write_text("xyz")
    with pytest.raises(DataError, match="none of its 1 words can be written"):
        Decoding(words=listed).decoder(ALPHABET)
    listed.write_text(" \n")
    with pytest.raises(DataError, match="holds no words"):
        Decoding(words=listed).decoder(ALPHABET)
    listed.write_bytes(b"\xff")
    with pytest.raises(DataError, match="no list of words in UTF-8"):
        Decoding(words=listed).decoder(ALPHABET)


@pytest.mark.parametrize("word", ["", "a b", "c", "a\n"])
def test_a_hot_word_is_one_word_of_the_alphabet(word: str) -> None:
    with pytest.raises(UsageError, match="--hot-word"):
        Decoding(hot_words=((word, 1.0),)).decoder(ALPHABET)


def test_a_language_without_spaces_has_its_own_rules(tmp_path: Path) -> None:
    alphabet = Alphabet(("x", "y"), 0)
    with pytest.raises(DataError, match="build the model with --characters"):
        Decoding(lm=DATA / "small-trie.bin").decoder(alphabet)
    (tmp_path / "words").write_text("x")
    with pytest.raises(UsageError, match="has no space, its words are its characters"):
        Decoding(words=tmp_path / "words").decoder(alphabet)


def test_kenlm_is_not_heard(capfd: pytest.CaptureFixture[str]) -> None:
    Decoding(lm=DATA / "lmplz.arpa").decoder(english())
    assert capfd.readouterr() == ("", "")
    os.write(2, b"heard again")
    assert capfd.readouterr().err == "heard again"
