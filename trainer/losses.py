"""Losses: CTC (Graves et al. 2006). Axes: B utterances, T steps, V labels."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def ctc_losses(logits_BTV: Tensor, steps: Sequence[int], labels: Sequence[Sequence[int]], blank: int) -> Tensor:
    """The CTC loss of each utterance in nats [B], float32, infinite where the labels do not fit.

    Where deterministic algorithms are asked for, it is computed on the CPU: the CUDA kernel adds its gradient up by
    atomic operations, in no fixed order.
    """
    log_probs_TBV = logits_BTV.float().log_softmax(2).transpose(0, 1)
    if torch.are_deterministic_algorithms_enabled():
        log_probs_TBV = log_probs_TBV.cpu()
    flat = torch.tensor([label for one in labels for label in one], dtype=torch.long)
    losses_B = F.ctc_loss(
        log_probs_TBV,
        flat.to(log_probs_TBV.device),
        torch.tensor(steps),
        torch.tensor([len(one) for one in labels]),
        blank=blank,
        reduction="none",
    )
    return losses_B.to(logits_BTV.device)
