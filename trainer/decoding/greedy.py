"""Greedy decoding: the likeliest label of each step, repeats collapsed, blanks taken out. No search, no language model.

    steps   _ c c a _ t t     ->     cat

Axes: T steps of 20 ms, V labels.
"""

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
        found_T = log_probs_TV[np.arange(len(best_T)), best_T]
        starts = np.flatnonzero(np.diff(best_T, prepend=-1))
        ends = np.append(starts[1:], len(best_T))
        spoken = best_T[starts] != self.alphabet.blank
        labels, starts, ends = best_T[starts][spoken], starts[spoken], ends[spoken]
        text = self.alphabet.decode(labels.tolist())
        best = [float(found_T[start:end].max()) for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
        return (Hypothesis(text=text, score=float(found_T.sum()), words=words_of(text, starts, ends, best)),)


def words_of(text: str, starts: NDArray[np.int64], ends: NDArray[np.int64], best: list[float]) -> tuple[Word, ...]:
    """The words of a text, by each character's first step, the one after its last, and its best log-probability."""
    words, begin = [], 0
    for place, character in enumerate(text + " "):
        if character == " ":
            if place > begin:
                words.append(
                    Word(
                        text=text[begin:place],
                        start=round(float(starts[begin]) * STEP, 3),
                        end=round(float(ends[place - 1]) * STEP, 3),
                        confidence=float(np.exp(np.mean(best[begin:place]))),
                    )
                )
            begin = place + 1
    return tuple(words)
