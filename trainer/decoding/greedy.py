"""Greedy decoding: the likeliest label of each step, repeats collapsed, blanks taken out. No search, no language model.

    steps   _ c c a _ t t     ->     cat

Axes: T steps of 20 ms, V labels.
"""

import math

import numpy as np
from numpy.typing import NDArray

from ...manifests import Alphabet
from .decoder import STEP, LogProbs
from .hypothesis import Hypothesis, Word


class Greedy:
    """The best path, as Graves et al. 2006, section 3.2, call it."""

    def __init__(self, alphabet: Alphabet) -> None:
        self.alphabet = alphabet

    def decode(self, log_probs_TV: LogProbs) -> tuple[Hypothesis, ...]:
        """The one text of the best path, whose score is that path's log-probability."""
        best_T = log_probs_TV.argmax(1)
        text, words = read_path(best_T, log_probs_TV, self.alphabet)
        score = float(log_probs_TV[np.arange(len(best_T)), best_T].sum())
        return (Hypothesis(text=text, score=score, words=words),)


def read_path(path_T: NDArray[np.integer], log_probs_TV: LogProbs, alphabet: Alphabet) -> tuple[str, tuple[Word, ...]]:
    """The text that a path of labels, one a step, spells, and its words."""
    found_T = log_probs_TV[np.arange(len(path_T)), path_T]
    runs = np.flatnonzero(np.diff(path_T, prepend=-1))
    spoken = path_T[runs] != alphabet.blank
    labels, starts, ends = path_T[runs][spoken], runs[spoken], np.append(runs[1:], len(path_T))[spoken]
    text = alphabet.decode(labels.tolist())
    best = np.maximum.reduceat(found_T, runs)[spoken].tolist() if len(path_T) else []
    return text, words_of(text, starts, ends, best, spaced=" " in alphabet.characters)


def words_of(
    text: str, starts: NDArray[np.int64], ends: NDArray[np.int64], best: list[float], spaced: bool = True
) -> tuple[Word, ...]:
    """The words of a text, by each character's first step, the one after its last, and its best log-probability.

    A language that is not `spaced`, as Chinese, has a word a character.
    """
    first, behind, words, begin = starts.tolist(), ends.tolist(), [], 0
    for place, character in enumerate(text + " "):
        if character == " " or not spaced:
            if place > begin:
                words.append(
                    Word(
                        text=text[begin:place],
                        start=round(first[begin] * STEP, 3),
                        end=round(behind[place - 1] * STEP, 3),
                        confidence=math.exp(math.fsum(best[begin:place]) / (place - begin)),
                    )
                )
            begin = place + 1 if spaced else place
    return tuple(words)
