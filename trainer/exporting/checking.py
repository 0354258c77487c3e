"""Checking: an exported model must say what PyTorch's does, or there is none.

    Check(clips=203, difference=1.4e-05)

Made sounds of three lengths go through alone and together, for a length that was frozen in, or a padding that is heard,
does not show with one; then real clips, if there are some. A stream must say what the whole utterance does, however it
is cut, and a greedy reader must read the same.

Axes: B clips, T steps, V labels.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ...manifests import TrainingError
from ...manifests.ctc import RATE
from ...pipeline.sound.audio import Pcm
from ..acoustic.acoustic import AcousticModel
from ..decoding.decoder import LogProbs
from .precise import Precise

BOUND = 1e-3
"""Largest difference of a log-probability of any label from PyTorch's."""
STREAM_BOUND = 1e-4
"""Likewise, of a stream's from those of the whole."""
TIE = 1e-4
"""Labels are as likely as each other if their log-probabilities differ by less: either may be chosen."""
LENGTHS = (round(0.43 * RATE), 2 * RATE, round(3.07 * RATE))
"""Samples of the made sounds."""
TOGETHER = ((0,), (1,), (2,), (2, 0), (1, 0, 2))
"""Which of them make a batch."""
PIECES = (160, 1111, 7000)
"""Samples that a stream is fed at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What was found."""

    clips: int = 0
    difference: float = 0.0
    """Largest of a log-probability."""

    def __add__(self, other: "Check") -> "Check":
        return Check(clips=self.clips + other.clips, difference=max(self.difference, other.difference))


def made_clips() -> list[Pcm]:
    """Noise that rises and falls as speech does, over a hum: always the same."""
    chance = np.random.default_rng(4567)
    return [_made(chance, length) for length in LENGTHS]


def check_made(truth: Precise, exported: AcousticModel, name: str) -> Check:
    """Hold an exported model against PyTorch's on made sounds.

    Raises:
        TrainingError: they differ.
    """
    clips = made_clips()
    batches = [[clips[one] for one in those] for those in TOGETHER]
    return sum((check(truth.log_probs(one), exported.log_probs(one), name) for one in batches), Check())


def check(truth: Sequence[LogProbs], found: Sequence[LogProbs], name: str) -> Check:
    """Hold what an exported model has made of clips against what PyTorch has.

    Raises:
        TrainingError: they differ.
    """
    return sum((_same(one, other, BOUND, name) for one, other in zip(truth, found, strict=True)), Check())


def check_stream(whole: Iterable[tuple[Pcm, LogProbs]], exported: AcousticModel, name: str) -> Check:
    """Hold streams, cut in several ways, against what the same model has made of whole clips.

    Raises:
        TrainingError: they differ.
    """
    done = Check()
    for number, (pcm, log_probs_TV) in enumerate(whole):
        heard_TV = streamed(exported, pcm, PIECES[number % len(PIECES)])
        done += _same(log_probs_TV, heard_TV, STREAM_BOUND, name)
    return done


def streamed(exported: AcousticModel, pcm: Pcm, piece: int) -> LogProbs:
    """What a stream makes of a clip that comes so many samples at a time."""
    stream = exported.stream()
    heard = [stream.feed(pcm[start : start + piece]) for start in range(0, len(pcm), piece)]
    return np.concatenate([*heard, stream.end()])


def _same(truth_TV: LogProbs, found_TV: LogProbs, bound: float, name: str) -> Check:
    refused = f"{name} does not say what PyTorch's model does, nothing is exported: "
    if truth_TV.shape != found_TV.shape:
        raise TrainingError(f"{refused}of a clip it makes {len(found_TV)} steps, not {len(truth_TV)}")
    difference = float(np.abs(truth_TV - found_TV).max(initial=0.0))
    if not difference <= bound:
        raise TrainingError(f"{refused}a log-probability differs by {difference:.2g}, more than {bound:g}")
    if _reads_otherwise(truth_TV, found_TV):
        raise TrainingError(f"{refused}it would choose another label where one is the likelier")
    return Check(clips=1, difference=difference)


def _reads_otherwise(truth_TV: LogProbs, found_TV: LogProbs) -> bool:
    """Whether a greedy reader would choose another label at some step, where it is not as likely."""
    step_T = np.arange(len(truth_TV))
    lead_T = truth_TV.max(1) - truth_TV[step_T, found_TV.argmax(1)]
    return bool((lead_T > TIE).any())


def _made(chance: np.random.Generator, length: int) -> Pcm:
    envelope_N = np.interp(np.arange(length), np.linspace(0, length, 40), chance.random(40) ** 2)
    hum_N = np.sin(2 * np.pi * 170 / RATE * np.arange(length))
    sound_N: Pcm = (envelope_N * (chance.normal(0, 1500, length) + 4000 * hum_N)).astype(np.int16)
    return sound_N
