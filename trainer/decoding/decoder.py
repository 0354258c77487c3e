"""Decoder: log-probabilities in, hypotheses out. What every way of decoding has in common.

Axes: T steps of 20 ms, V labels. Numbers are numpy's, so that decoding needs no torch.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...manifests.ctc import HOP, RATE
from .hypothesis import Hypothesis

LogProbs = NDArray[np.float32]
"""Natural logarithms of the probabilities of labels, [T, V]."""
STEP = 2 * HOP / RATE
"""Seconds from a step to the next, in both models."""


class Decoder(Protocol):
    """A way of reading text from log-probabilities."""

    def decode(self, log_probs_TV: LogProbs) -> tuple[Hypothesis, ...]:
        """What may have been said, the likeliest first; at least one."""
