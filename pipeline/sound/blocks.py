"""Blocks: the sound of a file in one pass forward, 16 kHz mono PCM16, a piece at a time, however long it is.

    with open_stream(file, size) as stream:
        for pcm in pcm_blocks(stream):          int16, a few seconds each

Together they are, sample for sample, what `decode` makes of the whole. Memory holds a block; what ffmpeg reads is held
whole (`stream`).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from ...manifests.ctc import RATE
from .audio import BLOCK, Pcm, broken_promise, rounded
from .stream import Stream
from .unreadable import Unreadable


class Flow:
    """Sound of some rate and number of channels, piece by piece, to 16 kHz mono PCM16."""

    def __init__(self, rate: int) -> None:
        self._resampler = None if rate == RATE else soxr.ResampleStream(rate, RATE, 1, dtype="float32", quality="HQ")

    def take(self, block_NC: NDArray[Any], last: bool = False) -> Pcm:
        """What is certain after this piece, from -1 to 1; the rest comes with the `last`.

        Raises:
            Unreadable: samples are no numbers.
        """
        samples_N = (block_NC[:, 0] if block_NC.shape[1] == 1 else block_NC.mean(axis=1)).astype(np.float32)
        if self._resampler and np.isfinite(samples_N).all():
            samples_N = self._resampler.resample_chunk(samples_N, last)
        pcm = rounded(samples_N)
        if isinstance(pcm, Unreadable):
            raise pcm
        return pcm


def pcm_blocks(stream: Stream) -> Iterator[Pcm]:
    """The sound of a file.

    Raises:
        Unreadable: it is damaged; told at the end of what is sound.
        Truncated: it ends before it says.
    """
    flow, done, step = Flow(stream.rate), 0, max(1, BLOCK // stream.channels)
    while len(block := stream.read(step)):
        done += len(block)
        yield block[:, 0] if stream.ready else flow.take(block)
    if broken := broken_promise(stream, done):
        raise broken
    if not stream.ready:
        yield flow.take(np.zeros((0, stream.channels), np.float32), last=True)
