"""Batch normalisation that sees speech alone: no padding has a part in its statistics.

Where several processes share a batch, the statistics are those of all their parts, so that the number of processes
changes nothing but the rounding of sums; a process may have no speech at all.

Axes: B utterances, C channels, T frames or steps.
"""

from typing import Any

import torch
from torch import Tensor, distributed, nn


class Sum(torch.autograd.Function):
    """A tensor's sum over all processes; what each of them does with it flows back to each part."""

    @staticmethod
    def forward(ctx: Any, part: Tensor) -> Tensor:
        """The sum, on every process."""
        whole = part.clone()
        distributed.all_reduce(whole)
        return whole

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        """The sum of the gradients."""
        return Sum.forward(ctx, gradients[0].contiguous())


class MaskedNorm(nn.BatchNorm1d):
    """Batch normalisation of channels at axis 1, with statistics from valid positions alone, in float32."""

    shared = False
    """Whether other processes hold parts of the same batch."""

    def forward(self, x_BCT: Tensor, valid_B1T: Tensor) -> Tensor:  # type: ignore[override]
        """`x` of any number of axes after the second, with a mask that broadcasts to it."""
        if not self.training:
            return self.settled(x_BCT)
        mean_C, variance_C = self._statistics(x_BCT.float(), valid_B1T, _shape(x_BCT))
        return self._scaled(x_BCT, mean_C, variance_C)

    def settled(self, x_BCT: Tensor) -> Tensor:
        """`x` by the statistics of all that was trained on, which need no mask."""
        assert self.running_mean is not None
        assert self.running_var is not None
        return self._scaled(x_BCT, self.running_mean, self.running_var)

    def _scaled(self, x_BCT: Tensor, mean_C: Tensor, variance_C: Tensor) -> Tensor:
        shape = _shape(x_BCT)
        scale_C = self.weight * torch.rsqrt(variance_C + self.eps)
        shift_C = self.bias - mean_C * scale_C
        return x_BCT * scale_C.view(shape).to(x_BCT.dtype) + shift_C.view(shape).to(x_BCT.dtype)

    def _statistics(self, x_BCT: Tensor, valid_B1T: Tensor, shape: list[int]) -> tuple[Tensor, Tensor]:
        axes = [axis for axis in range(x_BCT.dim()) if axis != 1]
        positions = valid_B1T.sum() * (x_BCT[0, 0].numel() // valid_B1T[0, 0].numel())
        found = self._summed(positions.float())
        count = found.clamp(min=1)
        mean_C = self._summed((x_BCT * valid_B1T).sum(axes)) / count
        centred = (x_BCT - mean_C.view(shape)) * valid_B1T
        variance_C = self._summed(centred.square().sum(axes)) / count
        if self.running_mean is not None and self.running_var is not None and self.momentum is not None:
            weight = (found > 0) * self.momentum  # a batch without speech teaches nothing
            self.running_mean.lerp_(mean_C.detach(), weight)
            self.running_var.lerp_(variance_C.detach() * count / (count - 1).clamp(min=1), weight)
        return mean_C, variance_C

    def _summed(self, part: Tensor) -> Tensor:
        """The sum over all processes, through which gradients flow back."""
        return Sum.apply(part) if self.shared else part  # type: ignore[no-untyped-call]


def _shape(x_BCT: Tensor) -> list[int]:
    return [1, -1] + [1] * (x_BCT.dim() - 2)


def share_norms(model: nn.Module) -> None:
    """From here on, other processes hold parts of each batch of this model."""
    for module in model.modules():
        if isinstance(module, MaskedNorm):
            module.shared = True
