"""The beam search beside a search over all paths, which tiny inputs allow."""

import itertools
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsprep.manifests import Alphabet
from dsprep.trainer.decoding.decoding import Decoding
from dsprep.trainer.decoding.greedy import Greedy

pytest.importorskip("flashlight.lib.text", reason="flashlight-text is not installed: there is none for this Python")

WIDE = 100_000
"""A beam that loses nothing."""
ARPA = """\\data\\
ngram 1=6
ngram 2=4

\\1-grams:
-1.2\t<unk>
-99\t<s>\t-0.3
-0.9\t</s>
-0.7\ta\t-0.2
-0.4\tab\t-0.1
-1.1\tb\t0

\\2-grams:
-0.2\t<s> ab
-0.9\ta b
-0.3\tab </s>
-0.1\tb a

\\end\\
"""
LOG10 = {"<unk>": -1.2, "</s>": -0.9, "a": -0.7, "ab": -0.4, "b": -1.1}
BACKOFF = {"<s>": -0.3, "a": -0.2, "ab": -0.1, "b": 0.0}
PAIRS = {("<s>", "ab"): -0.2, ("a", "b"): -0.9, ("ab", "</s>"): -0.3, ("b", "a"): -0.1}


def language_score(words: tuple[str, ...]) -> float:
    """Natural logarithm of what the model above gives to a sentence."""
    total = 0.0
    for before, word in itertools.pairwise(("<s>", *words, "</s>")):
        known = word if word in LOG10 else "<unk>"
        total += PAIRS.get((before, word), BACKOFF.get(before, 0.0) + LOG10[known])
    return total * math.log(10)


@pytest.fixture
def arpa(tmp_path: Path) -> Path:
    path = tmp_path / "zwei Wörter.arpa"
    path.write_text(ARPA)
    return path


def chance(seed: int, steps: int, labels: int) -> np.ndarray:
    """Log-probabilities by chance."""
    x = np.random.default_rng(seed).normal(0, 2, (steps, labels))
    return np.asarray(x - np.log(np.exp(x).sum(1, keepdims=True)), np.float32)


def paths(log_probs_TV: np.ndarray) -> Iterator[tuple[list[int], float]]:
    for path in itertools.product(range(log_probs_TV.shape[1]), repeat=len(log_probs_TV)):
        yield list(path), float(log_probs_TV[np.arange(len(path)), path].astype(float).sum())


def all_texts(log_probs_TV: np.ndarray, alphabet: Alphabet) -> dict[str, float]:
    """The logarithm of the sum over all paths of each text."""
    found: dict[str, float] = {}
    for path, score in paths(log_probs_TV):
        text = alphabet.decode(label for label, _ in itertools.groupby(path) if label != alphabet.blank)
        found[text] = float(np.logaddexp(found.get(text, -math.inf), score))
    return found


def all_words(
    log_probs_TV: np.ndarray, alphabet: Alphabet, known: set[str], score: Callable[[tuple[str, ...]], float]
) -> dict[str, float]:
    """The same of each sequence of known words, however many spaces between, with what the words add."""
    found: dict[str, float] = {}
    for text, value in all_texts(log_probs_TV, alphabet).items():
        if set(text.split()) <= known:
            words = " ".join(text.split())
            found[words] = float(np.logaddexp(found.get(words, -math.inf), value))
    return {words: value + score(tuple(words.split())) for words, value in found.items()}


def agree(decoding: Decoding, alphabet: Alphabet, log_probs_TV: np.ndarray, expected: dict[str, float]) -> None:
    found = {one.text: one.score for one in decoding.decoder(alphabet).decode(log_probs_TV)}
    assert found == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("blank", [0, 1, 2])
@pytest.mark.parametrize("seed", range(3))
def test_without_words_each_text_has_the_sum_of_its_paths(blank: int, seed: int) -> None:
    alphabet, log_probs_TV = Alphabet(("a", "b"), blank), chance(seed, 5, 3)
    every = Decoding(beam=WIDE, beam_threshold=1e9, nbest=WIDE)
    agree(every, alphabet, log_probs_TV, all_texts(log_probs_TV, alphabet))


@pytest.mark.parametrize("blank", [0, 1, 2, 3])
def test_with_a_word_list_each_text_has_the_sum_of_its_paths(tmp_path: Path, blank: int) -> None:
    alphabet, log_probs_TV = Alphabet(("a", " ", "b"), blank), chance(blank, 5, 4)
    listed = tmp_path / "words.txt"
    listed.write_text("a\nab\n\naa b")
    every = Decoding(beam=WIDE, beam_threshold=1e15, nbest=WIDE, words=listed, beta=0.7)
    expected = all_words(log_probs_TV, alphabet, {"a", "ab", "aa", "b"}, lambda words: 0.7 * len(words))
    agree(every, alphabet, log_probs_TV, expected)


@pytest.mark.parametrize("blank", [0, 1, 2, 3])
def test_with_a_model_its_weighted_score_is_added(arpa: Path, blank: int) -> None:
    alphabet, log_probs_TV = Alphabet(("a", " ", "b"), blank), chance(blank, 5, 4)
    every = Decoding(beam=WIDE, beam_threshold=1e15, nbest=WIDE, lm=arpa, alpha=0.8, beta=0.7)
    expected = all_words(
        log_probs_TV, alphabet, {"a", "ab", "b"}, lambda words: 0.8 * language_score(words) + 0.7 * len(words)
    )
    agree(every, alphabet, log_probs_TV, expected)


def test_hot_words_add_what_was_asked_for(arpa: Path) -> None:
    alphabet, log_probs_TV = Alphabet(("a", " ", "b"), 3), chance(5, 5, 4)
    hot = (("b", 1.5), ("ba", 4.0))  # the model does not know the second
    every = Decoding(beam=WIDE, beam_threshold=1e15, nbest=WIDE, lm=arpa, alpha=0.8, beta=0.7, hot_words=hot)

    def score(words: tuple[str, ...]) -> float:
        return 0.8 * language_score(words) + 0.7 * len(words) + sum(dict(hot).get(word, 0) for word in words)

    agree(every, alphabet, log_probs_TV, all_words(log_probs_TV, alphabet, {"a", "ab", "b", "ba"}, score))


def test_hot_words_add_what_was_asked_for_where_any_word_may_be_heard() -> None:
    alphabet, log_probs_TV = Alphabet(("a", " ", "b"), 0), chance(6, 5, 4)
    hot = {"ab": 1.5, "abb": 3.0, "b": -2.0}
    every = Decoding(beam=WIDE, beam_threshold=1e15, nbest=WIDE, hot_words=tuple(hot.items()))
    found = {one.text: one.score for one in every.decoder(alphabet).decode(log_probs_TV)}
    best: dict[str, float] = {}
    for text, value in all_texts(log_probs_TV, alphabet).items():
        words = text.split()
        score = value + sum(hot.get(word, 0) for word in words)
        best[" ".join(words)] = max(best.get(" ".join(words), -math.inf), score)
    assert found == pytest.approx(best, abs=1e-4)


@pytest.mark.parametrize("beta", [0.0, 0.5])
def test_a_language_without_spaces_has_characters_for_words(arpa: Path, beta: float) -> None:
    alphabet, log_probs_TV = Alphabet(("a", "b"), 1), chance(7, 5, 3)
    every = Decoding(beam=WIDE, beam_threshold=1e9, nbest=WIDE, lm=arpa, alpha=0.8, beta=beta)
    expected = {
        text: value + 0.8 * language_score(tuple(text)) + beta * len(text)
        for text, value in all_texts(log_probs_TV, alphabet).items()
    }
    agree(every, alphabet, log_probs_TV, expected)
    assert all(len(word.text) == 1 for one in every.decoder(alphabet).decode(log_probs_TV) for word in one.words)


@given(st.integers(0, 1000), st.integers(1, 12), st.integers(0, 3), st.integers(1, 20))
def test_no_beam_finds_less_than_the_best_path(seed: int, steps: int, blank: int, beam: int) -> None:
    alphabet, log_probs_TV = Alphabet(("a", " ", "b"), blank), chance(seed, steps, 4)
    (best,) = Greedy(alphabet).decode(log_probs_TV)
    assert Decoding(beam=beam).decoder(alphabet).decode(log_probs_TV)[0].score >= best.score - 1e-4


@given(st.integers(0, 1000), st.integers(0, 30), st.booleans())
def test_hypotheses_are_sorted_and_distinct_and_their_words_in_the_clip(seed: int, steps: int, listed: bool) -> None:
    alphabet, log_probs_TV = Alphabet(("a", " ", "b"), 3), chance(seed, steps, 4)
    hot = (("ab", 1.0),) if listed else ()
    found = Decoding(nbest=10, hot_words=hot).decoder(alphabet).decode(log_probs_TV)
    assert 1 <= len(found) <= 10
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert len({one.text for one in found}) == len(found)
    for one in found:
        assert one.text.split() == [word.text for word in one.words]
        times = [time for word in one.words for time in (word.start, word.end)]
        assert times == sorted(times)
        assert all(0 <= time <= round(steps * 0.02, 3) for time in times)
        assert all(word.start < word.end and 0 < word.confidence <= 1 for word in one.words)


@pytest.mark.parametrize("steps", [0, 1, 2])
@pytest.mark.parametrize("closed", [False, True])
def test_a_clip_may_have_hardly_a_step(tmp_path: Path, steps: int, closed: bool) -> None:
    (tmp_path / "words").write_text("a ab")
    words = tmp_path / "words" if closed else None
    decoder = Decoding(beam=5, words=words).decoder(Alphabet(("a", " ", "b"), 3))
    first, *_ = decoder.decode(chance(1, steps, 4))
    assert len(first.words) <= steps


def test_a_search_that_ends_amid_a_word_leaves_it_out_and_keeps_its_score(tmp_path: Path) -> None:
    (tmp_path / "words").write_text("abab")
    likely = np.full((3, 4), -9.0, np.float32)
    likely[[0, 1, 2], [0, 2, 0]] = -0.01
    decoder = Decoding(beam=1, words=tmp_path / "words").decoder(Alphabet(("a", " ", "b"), 3))
    (found,) = decoder.decode(likely)
    assert (found.text, found.words) == ("", ())
    assert -100 < found.score < 0


def test_a_word_of_the_list_is_spelt_in_nfc_as_the_alphabet_is(tmp_path: Path) -> None:
    (tmp_path / "words").write_text("e\u0301", encoding="utf-8")
    likely = np.log(np.array([[0.9, 0.05, 0.05]], np.float32))
    decoder = Decoding(words=tmp_path / "words").decoder(Alphabet(("\u00e9", " "), 2))
    assert decoder.decode(likely)[0].text == "\u00e9"
