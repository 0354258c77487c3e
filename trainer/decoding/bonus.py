"""Bonus: language models of flashlight's with something added, for hot words.

Each is asked by the search through Python, which takes some microseconds a question; those without a bonus are not.
"""

from collections.abc import Mapping
from typing import Any

from ..language.flashlight import LM, LMState


class Boosted(LM):  # type: ignore[misc]
    """Weight times a model's score, and what each unit adds: a word, or a character where these are words."""

    def __init__(self, model: Any, weight: float, each: float, boosts: Mapping[int, float]) -> None:
        LM.__init__(self)
        self._model, self._weight, self._each, self._boosts = model, weight, each, dict(boosts)

    def start(self, start_with_nothing: bool) -> LMState:
        """Of an utterance."""
        return self._model.start(start_with_nothing)

    def score(self, state: LMState, unit: int) -> tuple[LMState, float]:
        """After one more unit."""
        after, score = self._model.score(state, unit)
        return after, self._weight * score + self._each + self._boosts.get(unit, 0.0)

    def finish(self, state: LMState) -> tuple[LMState, float]:
        """At the end of the utterance."""
        after, score = self._model.finish(state)
        return after, self._weight * score


class Spotting(LM):  # type: ignore[misc]
    """No model but hot words, where any characters may be written: a share of the boost with each of its characters.

    What was given to a word that turns out to be another is taken back, so that the sum of a text is that of its words.
    """

    def __init__(self, boosts: Mapping[tuple[int, ...], float], space: int | None) -> None:
        LM.__init__(self)
        self._boosts, self._space = dict(boosts), space
        self._ahead = {
            word[: length + 1]: 0.0 for word in boosts for length in range(len(word))
        }  # what the beginning of a word has been given
        for beginning in self._ahead:
            ways = [
                boost * len(beginning) / len(word)
                for word, boost in boosts.items()
                if word[: len(beginning)] == beginning
            ]
            self._ahead[beginning] = max(*ways, 0.0)
        self._begun: dict[LMState, tuple[int, ...] | None] = {}

    def start(self, start_with_nothing: bool) -> LMState:
        """Of an utterance."""
        self._begun.clear()
        state = LMState()
        self._begun[state] = ()
        return state

    def score(self, state: LMState, label: int) -> tuple[LMState, float]:
        """After one more character."""
        before = self._begun[state]
        after = state.child(label)
        if label == self._space:
            self._begun[after] = ()
            return after, self._boosts.get(before, 0.0) - self._given(before) if before else 0.0
        now = None if before is None else (*before, label)
        if now not in self._ahead:
            now = None
        self._begun[after] = now
        return after, self._given(now) - self._given(before)

    def finish(self, state: LMState) -> tuple[LMState, float]:
        """At the end of the utterance."""
        before = self._begun[state]
        return state, self._boosts.get(before, 0.0) - self._given(before) if before else 0.0

    def _given(self, beginning: tuple[int, ...] | None) -> float:
        return self._ahead.get(beginning, 0.0) if beginning else 0.0
