"""Tuning: the alpha and beta with which a language model makes the fewest errors on dev data.

    alpha 0 to 2.5, beta -1 to 3, in large steps; then, three times, around the best in steps of half the size

Fewest errors in words, then in characters, then nearest to DeepSpeech's weights: the same logits give the same weights.
The network is not asked; the log-probabilities are those of `logits.py`.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...manifests import Progress, silent
from ...pipeline.workers import run
from ..decoding.decoder import Decoder
from ..decoding.decoding import ALPHA, BETA, Decoding
from ..decoding.greedy import Greedy
from ..decoding.searching import search_of
from ..scoring.errors import Errors, count_characters, count_words
from .logits import Logits, Utterance, shares

Weights = tuple[float, float]
"""Alpha and beta."""
STEPS: Weights = (0.5, 1.0)
"""Of the first grid."""
GRID: tuple[Weights, ...] = tuple((0.5 * a, float(b)) for a in range(6) for b in range(-1, 4))
ROUNDS = 3
AT_A_TIME = 100
"""Utterances that a worker takes: it opens the language model for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What came of some weights."""

    weights: Weights
    words: Errors
    characters: Errors

    @property
    def merit(self) -> tuple[float, ...]:
        """The lower the better."""
        alpha, beta = self.weights
        distance = (alpha - ALPHA) ** 2 + (beta - BETA) ** 2
        return (self.words.total, self.characters.total, distance, alpha, beta)

    def facts(self) -> dict[str, Any]:
        """As JSON."""
        return {"alpha": self.weights[0], "beta": self.weights[1], **self.rates(), "words": self.words.facts()}

    def rates(self) -> dict[str, float | None]:
        """As JSON, which has no infinity: that of data without words."""
        rates = {"wer": self.words.rate, "cer": self.characters.rate}
        return {name: rate if math.isfinite(rate) else None for name, rate in rates.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    """What was tried."""

    trials: tuple[Trial, ...]
    """The best first."""
    greedy: Trial
    """Without a search; its weights mean nothing."""

    def facts(self) -> dict[str, Any]:
        """As JSON: the best, the greedy decoder's, and all trials."""
        return {
            "best": self.trials[0].facts(),
            "greedy": self.greedy.rates(),
            "trials": [one.facts() for one in self.trials],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Utterances that a worker decodes with each of some weights."""

    logits: Logits
    utterances: tuple[Utterance, ...]
    decoding: Decoding
    weights: tuple[Weights, ...]


def tune(logits: Logits, decoding: Decoding, workers: int = 1, progress: Progress = silent) -> Tuned:
    """The best weights for `decoding`, whatever its own are.

    Raises:
        DataError: the language model or word list cannot be read.
        OutputError: a worker was killed.
    """
    decoding = replace(decoding, alpha=None, beta=None, nbest=1)
    found: dict[Weights, Trial] = {}
    coming: Sequence[Weights] = (*GRID, (ALPHA, BETA))
    for number in range(ROUNDS + 1):
        stage = "trying weights" if number == 0 else f"trying weights near the best, {number} of {ROUNDS}"
        found |= _tried(logits, decoding, coming, workers, progress, stage)
        best = min(found.values(), key=lambda one: one.merit)
        coming = [one for one in around(best.weights, 0.5 ** (number + 1)) if one not in found]
    greedy = _sum((0.0, 0.0), (_errors(logits, one, Greedy(logits.alphabet)) for one in logits.utterances))
    return Tuned(trials=tuple(sorted(found.values(), key=lambda one: one.merit)), greedy=greedy)


def around(weights: Weights, share: float) -> list[Weights]:
    """The eight neighbours at a share of the grid's steps, those below alpha 0 left out."""
    alpha, beta = weights
    steps = [(a * share * STEPS[0], b * share * STEPS[1]) for a in (-1, 0, 1) for b in (-1, 0, 1) if (a, b) != (0, 0)]
    return [(round(alpha + a, 6), round(beta + b, 6)) for a, b in steps if alpha + a >= 0]


def _tried(
    logits: Logits,
    decoding: Decoding,
    weights: Sequence[Weights],
    workers: int,
    progress: Progress,
    stage: str,
) -> dict[Weights, Trial]:
    count = len(logits.utterances)
    hands = max(min(workers, count), -(-count // AT_A_TIME))
    tasks = (
        Task(logits=logits, utterances=share, decoding=decoding, weights=tuple(weights))
        for share in shares(logits.utterances, hands)
    )
    found: dict[Weights, Trial] = {}
    done = 0
    # A process takes a second to start, which one worker need not wait for.
    for task, trials in run(_decoded, tasks, workers if min(workers, hands) > 1 else 0):
        for one in trials:
            before = found.get(one.weights)
            found[one.weights] = _sum(one.weights, filter(None, (before, one)))
        done += len(task.utterances)
        progress(stage, done, count, "utterances")
    return found


def _decoded(task: Task) -> list[Trial]:
    """In a worker: the words that an alphabet lacks are told by the command, once."""
    search, trials = search_of(task.decoding, task.logits.alphabet, lambda notice: None), list[Trial]()
    for weights in task.weights:
        decoder = search.weighed(weights)
        trials.append(_sum(weights, (_errors(task.logits, one, decoder) for one in task.utterances)))
    return trials


def _errors(logits: Logits, one: Utterance, decoder: Decoder) -> Trial:
    text = decoder.decode(logits.of(one))[0].text
    words, characters = count_words(one.transcript, text), count_characters(one.transcript, text)
    return Trial(weights=(0.0, 0.0), words=words, characters=characters)


def _sum(weights: Weights, trials: Iterable[Trial]) -> Trial:
    words, characters = Errors(), Errors()
    for one in trials:
        words, characters = words + one.words, characters + one.characters
    return Trial(weights=weights, words=words, characters=characters)
