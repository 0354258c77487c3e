"""Batch normalisation that sees speech alone: no padding has a part in its statistics.

Axes: B utterances, C channels, T frames or steps.
"""

import torch
from torch import Tensor, nn


class MaskedNorm(nn.BatchNorm1d):
    """Batch normalisation of channels at axis 1, with statistics from valid positions alone."""

    def forward(self, x_BCT: Tensor, valid_B1T: Tensor) -> Tensor:  # type: ignore[override]
        """`x` of any number of axes after the second, with a mask that broadcasts to it."""
        shape = [1, -1] + [1] * (x_BCT.dim() - 2)
        axes = [axis for axis in range(x_BCT.dim()) if axis != 1]
        if self.training:
            count = valid_B1T.sum() * (x_BCT[0, 0].numel() // valid_B1T[0, 0].numel())
            mean_C = (x_BCT * valid_B1T).sum(axes) / count
            centred = (x_BCT - mean_C.view(shape)) * valid_B1T
            variance_C = centred.square().sum(axes) / count
            self._remember(mean_C.detach(), variance_C.detach() * count / (count - 1).clamp(min=1))
        else:
            assert self.running_mean is not None
            assert self.running_var is not None
            mean_C, variance_C = self.running_mean, self.running_var
        scale_C = self.weight * torch.rsqrt(variance_C + self.eps)
        return x_BCT * scale_C.view(shape) + (self.bias - mean_C * scale_C).view(shape)

    def _remember(self, mean_C: Tensor, variance_C: Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.momentum is not None
        self.running_mean.lerp_(mean_C, self.momentum)
        self.running_var.lerp_(variance_C, self.momentum)
