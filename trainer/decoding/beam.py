"""Beam search: many readings are followed side by side, the likeliest at each step; flashlight-text does the work.

    log-probabilities [T, V]  ->  "one two" -3.2, "one to" -5.9, ...

The score of a text is the natural logarithm of the sum over all paths that spell it (as far as the beam followed them),
with what language model, words and hot words add. A word's place is that of the likeliest such path.

Axes: T steps of 20 ms, V labels.
"""

from typing import Any

import numpy as np

from ...manifests import Alphabet
from .decoder import LogProbs
from .greedy import read_path
from .hypothesis import Hypothesis

LEAST = np.float32(-1e4)
"""Stands for the logarithm of nothing, with which no sums can be made."""
UNFINISHED = np.float32(-1e9)
"""What it costs to be amid a word at the end."""


class BeamSearch:
    """A search that is ready. Not for several threads at a time.

    With `closing`, a space behind the last step, which ends the last word: flashlight's words end with one.
    """

    def __init__(self, search: Any, lm: Any, alphabet: Alphabet, nbest: int, closing: bool) -> None:
        self._lm = lm  # held here, for flashlight does not hold the Python half of a model
        self._search, self._alphabet, self._nbest, self._closing = search, alphabet, nbest, closing
        if closing:
            self._end_1V = np.full((1, alphabet.size), UNFINISHED, np.float32)
            self._end_1V[0, alphabet.encode(" ")] = 0

    def decode(self, log_probs_TV: LogProbs) -> tuple[Hypothesis, ...]:
        """Readings by score, no two of the same words."""
        given = np.maximum(log_probs_TV, LEAST, dtype=np.float32)
        given = np.ascontiguousarray(np.concatenate((given, self._end_1V)) if self._closing else given)
        found: dict[str, Hypothesis] = {}
        if len(given):  # flashlight reads the numbers where they lie
            for one in self._search.decode(given.ctypes.data, *given.shape):
                hypothesis = self._hypothesis(one, log_probs_TV)
                found.setdefault(hypothesis.text, hypothesis)
                if len(found) == self._nbest:
                    break
        return tuple(sorted(found.values(), key=lambda one: -one.score)) or (Hypothesis(text=""),)

    def _hypothesis(self, found: Any, log_probs_TV: LogProbs) -> Hypothesis:
        path_T, score = np.array(found.tokens[1 : len(log_probs_TV) + 1], np.int64), found.score
        if self._closing and score < UNFINISHED / 2:
            # All readings of this beam are amid a word: what is begun is left out.
            score -= float(UNFINISHED)
            done = max((step for step, word in enumerate(found.words) if word >= 0), default=0)
            path_T[done:] = self._alphabet.blank
        _, words = read_path(path_T, log_probs_TV, self._alphabet)
        between = " " if " " in self._alphabet.characters else ""
        return Hypothesis(text=between.join(word.text for word in words), score=score, words=words)
