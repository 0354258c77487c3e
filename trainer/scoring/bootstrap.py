"""Bootstrap: how far a rate could be another one, had other speakers been asked.

    Resampling(unit="speakers", units=33, resamples=1000, seed=0)
    Interval(low=0.0321, high=0.0425)

Speakers are drawn with replacement, as many as there are, each with all that it said; the rate of what was drawn is
computed anew, 1,000 times; the interval holds the middle 95 % of them (Bisani and Ney 2004, Bootstrap estimates for
confidence intervals in ASR performance evaluation). Utterances are drawn instead where a speaker is not known, or
there is but one: utterances of a speaker are alike, so that this interval is too narrow.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
SEED = 0
CONFIDENCE = 0.95
SPEAKERS, UTTERANCES = "speakers", "utterances"
DRAWS = 1 << 20
"""Units drawn at a time, so that a million utterances fit in memory."""

Counts = NDArray[np.float64]
"""Whole numbers of utterances or of units, [N, K]: in pairs of columns errors, and what they are divided by."""
Rates = NDArray[np.float64]
"""Of each resample and each pair of columns, [R, K / 2]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Where a rate is with 95 % confidence, as fractions."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Resampling:
    """What is drawn, and how often."""

    unit: str
    """`speakers` or `utterances`."""
    units: int
    resamples: int = RESAMPLES
    seed: int = SEED


def resampling_of(speakers: Sequence[str], resamples: int = RESAMPLES, seed: int = SEED) -> Resampling:
    """What to draw, by the speaker of each utterance; empty names are not known."""
    names = set(speakers)
    by_speaker = len(names) > 1 and "" not in names
    unit, units = (SPEAKERS, len(names)) if by_speaker else (UTTERANCES, len(speakers))
    return Resampling(unit=unit, units=units, resamples=resamples, seed=seed)


def resampled(counts_NK: Counts, speakers: Sequence[str], how: Resampling) -> Rates:
    """The rates of each resample: the same for the same seed, and the same draws for all columns."""
    counts_UK = _by_speaker(counts_NK, speakers) if how.unit == SPEAKERS else counts_NK
    if not how.units:
        return np.zeros((how.resamples, counts_NK.shape[1] // 2))
    sums_RK = np.concatenate([times_RU @ counts_UK for times_RU in _draws(how)])
    errors_RK, of_RK = sums_RK[:, ::2], sums_RK[:, 1::2]
    without = np.where(errors_RK > 0, np.inf, 0.0)
    rates_RK: Rates = np.divide(errors_RK, of_RK, out=without, where=of_RK > 0)
    return rates_RK


def interval(rates_R: NDArray[np.float64]) -> Interval:
    """The middle of the rates; its ends are rates that were drawn, for between a number and infinity there is none."""
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(rates_R, [tail, 1 - tail], method="closest_observation").tolist()
    return Interval(low=low, high=high)


def _by_speaker(counts_NK: Counts, speakers: Sequence[str]) -> Counts:
    names, speaker_N = np.unique(np.array(speakers), return_inverse=True)
    counts_UK = np.zeros((len(names), counts_NK.shape[1]))
    np.add.at(counts_UK, speaker_N, counts_NK)
    return counts_UK


def _draws(how: Resampling) -> Iterator[NDArray[np.float64]]:
    """How often each unit is drawn, [R, U], some resamples at a time."""
    chance, left = np.random.default_rng(how.seed), how.resamples
    while left:
        rows = min(left, max(1, DRAWS // how.units))
        drawn_RU = chance.integers(how.units, size=(rows, how.units), dtype=np.int32)
        yield np.stack([np.bincount(drawn_U, minlength=how.units) for drawn_U in drawn_RU]).astype(np.float64)
        left -= rows
