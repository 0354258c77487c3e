"""Windows: sound of any length as stretches that a model hears whole, for models that must hear both ways.

    sound       0 ........................ 21.3 ........................ 44.0 ......... 61.5 s
    windows     0 ........................ 21.3, 22.8
                              19.8, 21.3 .......................... 44.0, 45.5
                                                             42.5, 44.0 ......... 61.5

What a window has before its first step and after its last is context: heard, and left out. So the steps that are kept
are those of the whole sound, each once. Cuts are made where it is quietest.

Axes: N samples of 16 kHz, T steps of 20 ms.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from ...manifests.ctc import HOP, RATE
from ...pipeline.sound.audio import Pcm
from ..decoding.decoder import LogProbs

SAMPLES = 2 * HOP
"""Of a step."""
WHOLE = 30 * RATE
"""Samples that are heard in one window if no more come: more than most clips that models are trained on."""
LATEST = 24 * RATE // SAMPLES
"""Steps after which a longer sound is cut at the latest ..."""
EARLIEST = 18 * RATE // SAMPLES
"""... and at the earliest."""
CONTEXT = 3 * RATE // 2 // SAMPLES
"""Steps that are heard on each side besides."""
QUIET = 15
"""Steps, an odd number, that are quiet together where a pause is: 0.3 s."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Window:
    """A stretch of sound."""

    pcm_N: Pcm
    before: int = 0
    """Steps of context before the first that is kept."""
    steps: int | None = None
    """That are kept; None for all that come."""

    @property
    def seconds(self) -> float:
        """Its length, context and all."""
        return len(self.pcm_N) / RATE

    def kept(self, heard_TV: LogProbs) -> LogProbs:
        """Of what a model made of the window the steps that are kept."""
        return heard_TV[self.before : None if self.steps is None else self.before + self.steps]


def windows_of(blocks: Iterable[Pcm]) -> Iterator[Window]:
    """The windows of a sound that comes in blocks; none for no sound."""
    held_N, before = np.zeros(0, np.int16), 0
    for block_N in blocks:
        held_N = np.concatenate([held_N, block_N])
        while len(held_N) - before * SAMPLES > WHOLE:
            steps = quietest(held_N[before * SAMPLES :], EARLIEST, LATEST)
            end = before + steps
            yield Window(pcm_N=held_N[: (end + CONTEXT) * SAMPLES], before=before, steps=steps)
            begin = max(0, end - CONTEXT)
            held_N, before = held_N[begin * SAMPLES :], end - begin
    if len(held_N):
        yield Window(pcm_N=held_N, before=before)


def quietest(pcm_N: Pcm, first: int, last: int) -> int:
    """Of the steps from `first` to before `last` the one in the middle of the quietest 0.3 s."""
    around_N = pcm_N[(first - QUIET // 2) * SAMPLES : (last + QUIET // 2) * SAMPLES]
    loudness_T = np.abs(around_N.astype(np.float32)).reshape(-1, SAMPLES).mean(1)
    return first + int(np.convolve(loudness_T, np.ones(QUIET), "valid").argmin())
