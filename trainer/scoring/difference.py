"""Difference: whether one model is better than another on the same utterances, or chance has it so.

    Difference(wer=-0.0042, interval=Interval(low=-0.0075, high=-0.001), better=0.994, how=...)

Both are resampled alike, so that what is hard for both counts for neither: the paired bootstrap, and its probability
of improvement (Bisani and Ney 2004, Bootstrap estimates for confidence intervals in ASR performance evaluation).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ...manifests import DataError
from .bootstrap import CONFIDENCE, Interval, Resampling, interval, resampled, resampling_of
from .errors import added
from .summary import METHOD, Scored, counts, finite


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What the second of two models has for a word error rate, less what the first has, as fractions."""

    wer: float
    interval: Interval
    """Of the difference."""
    better: float
    """Share of the resamples in which the second had fewer errors, those in which both had as many by half."""
    how: Resampling

    @property
    def significant(self) -> bool:
        """Whether the interval is on one side of zero."""
        return self.interval.low > 0 or self.interval.high < 0

    def facts(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "wer": finite(self.wer),
            "interval": [finite(self.interval.low), finite(self.interval.high)],
            "significant": self.significant,
            "probability_of_improvement": self.better,
            "confidence": CONFIDENCE,
            "method": f"paired {METHOD}",
            **asdict(self.how),
        }


def difference_of(first: Sequence[Scored], second: Sequence[Scored]) -> Difference:
    """How the second differs from the first on the same utterances, in the same order.

    Raises:
        DataError: there is no word to make errors in.
    """
    speakers = [one.speaker for one in first]
    how = resampling_of(speakers)
    both_NK = np.concatenate([counts(first)[:, :2], counts(second)[:, :2]], axis=1)
    rates_R2 = resampled(both_NK, speakers, how)
    if not both_NK[:, 1].any() or not np.isfinite(rates_R2).all():
        raise DataError("the references have too few words to compare two models by: name more data")
    less_R = rates_R2[:, 1] - rates_R2[:, 0]
    wers = [added(one.words for one in scored).rate for scored in (first, second)]
    return Difference(
        wer=wers[1] - wers[0],
        interval=interval(less_R),
        better=float((less_R < 0).mean() + (less_R == 0).mean() / 2),
        how=how,
    )
