"""Judging: an export on real clips, beside PyTorch, and what 8 bits cost in words.

judge(truth, plain, small, data)  ->  Judged(check=Check(clips=200, difference=1.4e-05), words=Errors(...), ...)
"""

from contextlib import closing
from dataclasses import dataclass, field

import numpy as np

from ...manifests import Progress
from ...manifests.ctc import RATE
from ...pipeline.sound.audio import Pcm
from ..acoustic.onnx_file import NAME, OnnxModel
from ..config import BatchConfig
from ..decoding.decoder import LogProbs
from ..decoding.greedy import Greedy
from ..loading.batches import loaded
from ..loading.data import Data
from ..order.plan import plan_reading
from ..scoring.errors import Errors, count_words
from .checking import Check, check, check_stream, streamed
from .drafting import STREAM_NAME, Drafts
from .precise import Precise

STREAMED = 20
"""Clips that are heard as streams too, to hold these against the whole."""
PIECE = RATE // 10
"""Samples at a time of streams whose words are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What was found on some clips."""

    check: Check
    words: Errors
    """Of the float32 file."""
    int8: Errors
    """Of the int8 files: of the whole, or of the stream if that has more."""
    int8_difference: float
    """Largest of a log-probability of the int8 file."""


@dataclass(slots=True, eq=False)
class Judge:
    """Holds what was found so far."""

    truth: Precise
    plain: OnnxModel
    small: OnnxModel | None
    streams: bool
    check: Check = field(default_factory=Check)
    words: Errors = field(default_factory=Errors)
    whole_int8: Errors = field(default_factory=Errors)
    stream_int8: Errors = field(default_factory=Errors)
    difference: float = 0.0

    def hear(self, clips: list[Pcm], references: list[str]) -> None:
        """Hold a batch against PyTorch.

        Raises:
            TrainingError: float32 differs.
        """
        truth, found = self.truth.log_probs(clips), self.plain.log_probs(clips)
        heard_before = self.check.clips
        self.check += check(truth, found, NAME)
        if self.streams and heard_before < STREAMED:
            check_stream(zip(clips, found, strict=True), self.plain, STREAM_NAME)
        for reference, log_probs_TV in zip(references, found, strict=True):
            self.words += self._count(reference, log_probs_TV)
        if self.small:
            self._hear_small(self.small, clips, references, truth)

    def _hear_small(self, small: OnnxModel, clips: list[Pcm], references: list[str], truth: list[LogProbs]) -> None:
        for pcm, reference, truth_TV in zip(clips, references, truth, strict=True):
            (found_TV,) = small.log_probs([pcm])
            self.difference = max(self.difference, float(np.abs(found_TV - truth_TV).max()))
            self.whole_int8 += self._count(reference, found_TV)
            if self.streams:
                self.stream_int8 += self._count(reference, streamed(small, pcm, PIECE))

    def _count(self, reference: str, log_probs_TV: LogProbs) -> Errors:
        return count_words(reference, Greedy(self.truth.alphabet).decode(log_probs_TV)[0].text)


def judge(
    truth: Precise, plain: Drafts, small: Drafts | None, data: Data, batch: BatchConfig, progress: Progress
) -> Judged:
    """What an export makes of data, in batches as they are trained on.

    Raises:
        TrainingError: float32 differs from PyTorch.
        DataError: a clip cannot be read.
    """
    judging = Judge(truth, plain.opened(), small.opened() if small else None, plain.stream is not None)
    with closing(loaded(data, plan_reading(data.clips, batch))) as coming:
        for one in coming:
            clips = [pcm_N[:length] for pcm_N, length in zip(one.pcm_BN, one.lengths, strict=True)]
            judging.hear(clips, [sample.transcript for sample in one.samples])
            progress("checking", judging.check.clips, len(data.samples), "utterances")
    int8 = max(judging.whole_int8, judging.stream_int8, key=lambda errors: errors.total)
    return Judged(check=judging.check, words=judging.words, int8=int8, int8_difference=judging.difference)
