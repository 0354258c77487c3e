"""Searching: makes ready what a beam search needs: the words it may write, the language model, hot words.

    with words       flashlight's LexiconDecoder: each word ends with a space; a language model scores words
    without          its LexiconFreeDecoder: any characters; in a language without spaces a model scores characters

What does not depend on the weights is made once, so that trying other weights costs nothing.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from ...manifests import Alphabet, DataError, UsageError, describe
from ..language.flashlight import (
    CriterionType,
    Dictionary,
    LexiconDecoder,
    LexiconDecoderOptions,
    LexiconFreeDecoder,
    LexiconFreeDecoderOptions,
    SmearingMode,
    Trie,
    ZeroLM,
)
from ..language.kenlm import UNKNOWN, open_kenlm, words_of_model
from .beam import BeamSearch
from .bonus import Boosted, Spotting
from .decoding import Decoding
from .lexicon import Lexicon, read_words, spelt

NATS = math.log(10)
"""In a unit of KenLM's scores, which are log10."""

Tell = Callable[[str], None]


class Search(Protocol):
    """A search that waits for its weights."""

    def weighed(self, weights: tuple[float, float]) -> BeamSearch:
        """With this alpha and beta."""


def search_of(decoding: Decoding, alphabet: Alphabet, on_notice: Tell) -> Search:
    """What is asked for, ready but for the weights.

    Raises:
        DataError, UsageError: as `Decoding.decoder` says.
    """
    for word, _ in decoding.hot_words:
        if word.split() != [word]:
            raise UsageError(f"--hot-word {word!r} is not one word: name each by a --hot-word of its own")
        if missing := alphabet.missing(word):
            lacking = ", ".join(map(describe, sorted(missing)))
            raise UsageError(f"--hot-word {word!r}: the alphabet cannot write it, it lacks {lacking}")
    if " " not in alphabet.characters:
        return CharacterSearch(decoding, alphabet, on_notice)
    if decoding.lm or decoding.words:
        return WordSearch(decoding, alphabet, on_notice)
    return FreeSearch(decoding, alphabet)


class WordSearch:
    """Of the words of a lexicon."""

    def __init__(self, decoding: Decoding, alphabet: Alphabet, on_notice: Tell) -> None:
        self._decoding, self._alphabet = decoding, alphabet
        self._lexicon = _lexicon(decoding, alphabet, on_notice)
        self._dictionary = _dictionary(self._lexicon.words)
        self._lm = open_kenlm(decoding.lm, self._dictionary) if decoding.lm else ZeroLM()
        place = {word: index for index, word in enumerate(self._lexicon.words)}
        self._boosts = {place[word]: boost for word, boost in decoding.hot_words}
        # A model that gives a bonus is asked through Python, so its weight is 1; the trie looks ahead in its scores.
        self._trie = None if self._boosts else self._smeared(self._lm)

    def _smeared(self, lm: Any) -> Any:
        """The words as a tree that knows, at each node, the best score of a word below it."""
        space = self._alphabet.encode(" ")
        trie, start = Trie(self._alphabet.size, space[0]), lm.start(False)
        for index, labels in enumerate(self._lexicon.labels):
            trie.insert(labels + space, index, lm.score(start, index)[1])
        trie.smear(SmearingMode.MAX)
        return trie

    def weighed(self, weights: tuple[float, float]) -> BeamSearch:
        """With this alpha and beta."""
        (alpha, beta), asked = weights, self._decoding
        lm, trie, weight = self._lm, self._trie, alpha * NATS
        if self._boosts:
            lm = Boosted(lm, weight, 0.0, self._boosts)
            trie, weight = self._smeared(lm), 1.0
        options = LexiconDecoderOptions(
            beam_size=asked.width,
            beam_size_token=min(asked.tokens, self._alphabet.size),
            beam_threshold=asked.beam_threshold,
            lm_weight=weight,
            word_score=beta,
            unk_score=-math.inf,
            sil_score=0.0,
            log_add=True,
            criterion_type=CriterionType.CTC,
        )
        space, unknown = self._alphabet.encode(" ")[0], self._dictionary.get_index(UNKNOWN)
        search = LexiconDecoder(options, trie, lm, space, self._alphabet.blank, unknown, [], False)
        return BeamSearch(search, lm, self._alphabet, asked.nbest, closing=True)


class FreeSearch:
    """Of any characters, without a language model."""

    def __init__(self, decoding: Decoding, alphabet: Alphabet) -> None:
        self._decoding, self._alphabet = decoding, alphabet

    def weighed(self, weights: tuple[float, float]) -> BeamSearch:
        """The weights weigh nothing here."""
        lm = ZeroLM()
        if self._decoding.hot_words:
            boosts = {tuple(self._alphabet.encode(word)): boost for word, boost in self._decoding.hot_words}
            lm = Spotting(boosts, self._alphabet.encode(" ")[0])
        return _free(self._decoding, self._alphabet, lm, 1.0)


class CharacterSearch:
    """Of characters that are words themselves, as in Chinese."""

    def __init__(self, decoding: Decoding, alphabet: Alphabet, on_notice: Tell) -> None:
        if decoding.words:
            raise UsageError(f"--words {decoding.words}: this alphabet has no space, its words are its characters")
        self._decoding, self._alphabet, self._lm = decoding, alphabet, ZeroLM()
        self._boosts = {}
        for word, boost in decoding.hot_words:
            if len(labels := alphabet.encode(word)) > 1 and decoding.lm:
                raise UsageError(f"--hot-word {word}: with a language model of characters, name one character")
            self._boosts[tuple(labels)] = boost
        if decoding.lm:
            self._lm = self._opened(decoding, alphabet, on_notice)

    @staticmethod
    def _opened(decoding: Decoding, alphabet: Alphabet, on_notice: Tell) -> Any:
        assert decoding.lm
        known = set(words_of_model(decoding.lm))
        absent = [character for character in alphabet.characters if character not in known]
        if len(absent) == len(alphabet.characters):
            raise DataError(
                f"{decoding.lm} knows none of the alphabet's characters: this alphabet has no space, so its words "
                "are characters; build the model with --characters"
            )
        if absent:
            on_notice(f"{decoding.lm} does not know {len(absent)} of the alphabet's characters, as {absent[0]!r}")
        units = list(alphabet.characters)
        units.insert(alphabet.blank, UNKNOWN)  # the blank has a label and is never asked for
        return open_kenlm(decoding.lm, _dictionary(units))

    def weighed(self, weights: tuple[float, float]) -> BeamSearch:
        """With this alpha and beta."""
        alpha, beta = weights
        lm, weight = self._lm, alpha * NATS
        if not self._decoding.lm and self._boosts:
            lm, weight = Spotting(self._boosts, None), 1.0
        elif beta or self._boosts:
            lm = Boosted(lm, weight, beta, {labels[0]: boost for labels, boost in self._boosts.items()})
            weight = 1.0
        return _free(self._decoding, self._alphabet, lm, weight)


def _free(asked: Decoding, alphabet: Alphabet, lm: Any, weight: float) -> BeamSearch:
    options = LexiconFreeDecoderOptions(
        beam_size=asked.width,
        beam_size_token=min(asked.tokens, alphabet.size),
        beam_threshold=asked.beam_threshold,
        lm_weight=weight,
        sil_score=0.0,
        log_add=True,
        criterion_type=CriterionType.CTC,
    )
    # The "silence" is where a text begins: were it the space, a space at the beginning would be lost in it.
    search = LexiconFreeDecoder(options, lm, alphabet.blank, alphabet.blank, [])
    return BeamSearch(search, lm, alphabet, asked.nbest, closing=False)


def _lexicon(decoding: Decoding, alphabet: Alphabet, on_notice: Tell) -> Lexicon:
    source = decoding.words or decoding.lm
    assert source
    words = read_words(source) if decoding.words else words_of_model(source)
    if not words:
        raise DataError(f"{source} knows no words: name some with --words FILE")
    return spelt(words, [hot for hot, _ in decoding.hot_words], alphabet, source, on_notice)


def _dictionary(units: Sequence[str]) -> Any:
    """Words by number; flashlight wants the unknown one among them."""
    dictionary = Dictionary()
    for unit in units:
        dictionary.add_entry(unit)
    if UNKNOWN not in units:
        dictionary.add_entry(UNKNOWN)
    return dictionary
