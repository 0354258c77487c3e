"""A step of training, as the benchmarks of training time it: features that are there already, no data, no disk.

batch = Made.noise(count=8, seconds=9.0, bins=161, device="cpu")
loss = step(model, adamw(model), batch, bfloat16=False)      forward, CTC, backward, clipping, AdamW
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LABELS = 29
LETTERS_A_SECOND = 12
"""Of English that is read aloud, about."""
FRAMES_A_SECOND = {161: 100, 494: 50}


@dataclass(frozen=True, slots=True)
class Made:
    """A batch of noise, its longest utterance first, the shortest at four fifths of it."""

    features_BTF: Tensor
    frames: list[int]
    labels: list[list[int]]
    seconds: float
    """Of all utterances, padding left out."""

    @classmethod
    def noise(cls, count: int, seconds: float, bins: int, device: str) -> "Made":
        """`count` utterances of up to `seconds`, of features with `bins` numbers a frame."""
        lengths = [seconds * (1 - 0.2 * index / count) for index in range(count)]
        frames = [int(length * FRAMES_A_SECOND[bins]) for length in lengths]
        features_BTF = torch.randn(count, frames[0], bins, generator=torch.Generator().manual_seed(1))
        for row, length in zip(features_BTF, frames, strict=True):
            row[length:] = 0
        labels = [
            [1 + (7 * row + 3 * place) % 28 for place in range(int(LETTERS_A_SECOND * length))]
            for row, length in enumerate(lengths)
        ]
        return cls(features_BTF.to(device), frames, labels, sum(lengths))


def losses(logits_BTV: Tensor, steps: list[int], labels: list[list[int]]) -> Tensor:
    """The CTC loss of each utterance, in float32 on the logits' device; the blank is label 0."""
    flat = torch.tensor([label for one in labels for label in one], device=logits_BTV.device)
    log_probs_TBV = logits_BTV.float().log_softmax(2).transpose(0, 1)
    counts = torch.tensor([len(one) for one in labels])
    return F.ctc_loss(log_probs_TBV, flat, torch.tensor(steps), counts, reduction="none")


def adamw(model: nn.Module, fused: bool = True) -> torch.optim.Optimizer:
    return torch.optim.AdamW((one for one in model.parameters() if one.requires_grad), lr=1e-4, fused=fused)


def step(model: nn.Module, optimizer: torch.optim.Optimizer, batch: Made, bfloat16: bool) -> float:
    """One step; its loss, which waits for the device."""
    model.train()
    with torch.autocast(batch.features_BTF.device.type, torch.bfloat16, enabled=bfloat16):
        logits_BTV, steps = model(batch.features_BTF, batch.frames)
    loss = losses(logits_BTV, steps, batch.labels).mean()
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(model.parameters(), 400)
    optimizer.step()
    return float(loss.detach())
