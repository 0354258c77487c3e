"""Sliding: windows over what comes in pieces. What later windows still need is held, so that none is seen twice.

    width 3, stride 2     a b | c d e | f     held: a b; then c is where the next window begins, so c d e; then e f

Axes: x, any axes but the last, of T frames, steps or samples.
"""

import torch.nn.functional as F
from torch import Tensor


def slid(whole_xT: Tensor, width: int, stride: int = 1) -> tuple[Tensor, Tensor]:
    """(what the windows that are whole cover, what is to be held for those to come).

    `whole_xT` is what was held and what has come since. The stride is no longer than a window.
    """
    count = max(0, (whole_xT.shape[-1] - width) // stride + 1)
    covered = (count - 1) * stride + width if count else 0
    return whole_xT[..., :covered], whole_xT[..., count * stride :]


def ended(come_xT: Tensor, zeros: int, last: bool) -> Tensor:
    """What has come, with zeros after it if it is the last, as a whole utterance has."""
    return F.pad(come_xT, (0, zeros)) if last else come_xT
