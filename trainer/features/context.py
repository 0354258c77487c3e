"""Context: what DeepSpeech 1 sees at a step, 9 frames each side of its own, with zeros past both ends.

    frame 0 of 26 coefficients    ->    9 x 26 zeros, frames 0 to 9 in a row: 494 numbers

Axes: B utterances, T frames, P frames with those around them, C coefficients, F numbers a frame.
"""

import torch.nn.functional as F
from torch import Tensor

from .framing import mask, standardise, valid

CONTEXT = 9
"""Frames each side."""
WIDTH = 2 * CONTEXT + 1


def in_context(mfcc_BTC: Tensor, frames: list[int], whiten: bool) -> Tensor:
    """Frames with their neighbours side by side, BTF; frames past an utterance's end are 0, and count as such.

    `whiten` makes mean 0 and standard deviation 1 (n) over the whole result, one number each, so that a frame at an
    edge counts fewer times, and the zeros around an utterance count too.
    """
    valid_BT1 = valid(frames, mfcc_BTC)
    near_BPC = F.pad(mfcc_BTC * valid_BT1, (0, 0, CONTEXT, CONTEXT))
    if whiten:
        near_BPC = standardise(near_BPC, _windows_of_each(frames, near_BPC), correction=0)
    # Until they are multiplied, windows share the memory of the frames.
    return near_BPC.unfold(1, WIDTH, 1).transpose(2, 3).flatten(2) * valid_BT1


def _windows_of_each(frames: list[int], near_BPC: Tensor) -> Tensor:
    """In how many windows each of the frames is."""
    inside_BT = mask(frames, near_BPC.shape[1] - 2 * CONTEXT, near_BPC.device)
    return F.pad(inside_BT.to(near_BPC.dtype), (WIDTH - 1, WIDTH - 1)).unfold(1, WIDTH, 1).sum(2)
