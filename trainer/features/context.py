"""Context: what DeepSpeech 1 sees at a step, 9 frames each side of its own, with zeros past both ends.

    frame 0 of 26 coefficients    ->    9 x 26 zeros, frames 0 to 9 in a row: 494 numbers

Axes: B utterances, T frames, P frames with those around them, C coefficients, F numbers a frame.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..sliding import ended, slid
from .framing import Features, Held, cut, mask, standardise, valid

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
    return _side_by_side(near_BPC) * valid_BT1


def _side_by_side(near_BPC: Tensor) -> Tensor:
    # Until they are written, windows share the memory of the frames.
    return near_BPC.unfold(1, WIDTH, 1).transpose(2, 3).flatten(2)


def _windows_of_each(frames: list[int], near_BPC: Tensor) -> Tensor:
    """In how many windows each of the frames is."""
    inside_BT = mask(frames, near_BPC.shape[1] - 2 * CONTEXT, near_BPC.device)
    return F.pad(inside_BT.to(near_BPC.dtype), (WIDTH - 1, WIDTH - 1)).unfold(1, WIDTH, 1).sum(2)


class InContext(Features):
    """Features each of whose frames is made of a window of samples alone, and seen with its neighbours."""

    WINDOW: int
    HOP: int
    COEFFICIENTS: int
    WHITEN = False

    def made(self, samples_BN: Tensor, lengths: list[int], frames: list[int]) -> Tensor:
        frames_BTN = cut(self.whole(samples_BN, lengths), self.WINDOW, self.HOP, max(frames))
        return in_context(self.coefficients(frames_BTN), frames, self.WHITEN)

    def whole(self, samples_BN: Tensor, lengths: list[int]) -> Tensor:
        """What windows are cut from, of whole utterances; zeros past their lengths."""
        return samples_BN

    def ready(self, samples_BN: Tensor) -> Tensor:
        """The same of a piece of a stream; it begins at the second sample, that the first may have a part in it."""
        return samples_BN[:, 1:]

    def coefficients(self, frames_BTN: Tensor) -> Tensor:
        """BTC, each of its own frame."""
        raise NotImplementedError

    def begin(self, utterances: int = 1) -> Held:
        """A sample of silence, which the first one follows, and 9 frames of zeros."""
        if self.WHITEN:
            return super().begin(utterances)
        like = next(self.buffers())
        return Held(
            samples_BN=like.new_zeros(utterances, 1),
            near_BCT=like.new_zeros(utterances, self.COEFFICIENTS, CONTEXT),
        )

    def carry(self, samples_BN: Tensor, state: Held, last: bool) -> tuple[Tensor, Held]:
        """The frames after which 9 more have come; at the end windows are filled up with zeros, and 9 frames follow."""
        held_BN, come = torch.cat([state.samples_BN, samples_BN], 1), state.come + samples_BN.shape[1]
        whole = max(0, (held_BN.shape[1] - 1 - self.WINDOW) // self.HOP + 1)
        count = self.frames(come) - state.made if last and come else whole
        near_BCT = state.near_BCT
        if count:
            frames_BTN = cut(self.ready(held_BN), self.WINDOW, self.HOP, count)
            near_BCT = torch.cat([near_BCT, self.coefficients(frames_BTN).transpose(1, 2)], 2)
        covered_BCT, near_BCT = slid(ended(near_BCT, CONTEXT, last and come > 0), WIDTH)
        made_BTF = held_BN.new_zeros(len(held_BN), 0, self.size)
        if covered_BCT.shape[2]:
            made_BTF = _side_by_side(covered_BCT.transpose(1, 2))
        after = Held(samples_BN=held_BN[:, count * self.HOP :], come=come, made=state.made + count, near_BCT=near_BCT)
        return made_BTF, after
