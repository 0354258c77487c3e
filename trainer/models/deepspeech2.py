"""DeepSpeech 2: Amodei et al. 2015, "Deep Speech 2: End-to-End Speech Recognition", section 3.

As SeanNaren/deepspeech.pytorch V3 has it (model.py): two convolutions over a log spectrogram, recurrent
layers with batch normalisation before each but the first, both directions summed, a dense layer; a
unidirectional model looks ahead by a convolution over future steps.

Deviations: lengths are whole numbers, so no utterance loses its last frame to rounding; batch normalisation
takes its statistics from frames inside the utterances alone, so training does not depend on padding either; the
loss is the mean over a batch, there the sum, so the same bound on gradients cuts less.

Axes: B utterances, C channels, F features, T frames or steps, H units, V labels.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...manifests.ctc import halved
from ..config import DeepSpeech2Config
from .norm import MaskedNorm
from .recurrent import Recurrent

RELU_CLIP = 20.0


class DeepSpeech2(nn.Module):
    """The network; `forward` gives logits."""

    def __init__(self, config: DeepSpeech2Config, features: int, labels: int) -> None:
        super().__init__()
        c = config.channels
        self.conv1 = nn.Conv2d(1, c, (41, 11), stride=(2, 2), padding=(20, 5))
        self.norm1 = MaskedNorm(c)
        self.conv2 = nn.Conv2d(c, c, (21, 11), stride=(2, 1), padding=(10, 5))
        self.norm2 = MaskedNorm(c)
        bins = halved(halved(features))
        sizes = [bins * c] + [config.hidden] * (config.layers - 1)
        self.layers = nn.ModuleList(Layer(size, config, norm=index > 0) for index, size in enumerate(sizes))
        self.lookahead = None if config.bidirectional else Lookahead(config.hidden, config.lookahead)
        self.norm = MaskedNorm(config.hidden)
        self.dense = nn.Linear(config.hidden, labels, bias=False)

    @staticmethod
    def steps(frames: int) -> int:
        """Labels that can be written on `frames` frames of features: the first convolution takes every second."""
        return halved(frames)

    def forward(self, features_BTF: Tensor, frames: list[int]) -> tuple[Tensor, list[int]]:
        """(logits_BTV, steps of each utterance)."""
        steps = [self.steps(count) for count in frames]
        lengths_B = torch.tensor(steps, device=features_BTF.device)
        width = self.steps(features_BTF.shape[1])
        valid_BT = torch.arange(width, device=lengths_B.device) < lengths_B[:, None]
        valid_B11T = valid_BT[:, None, None, :]
        x = features_BTF.transpose(1, 2)[:, None]
        for conv, norm in ((self.conv1, self.norm1), (self.conv2, self.norm2)):
            # With channels last the second convolution is faster on a CPU; the first, which has one, is not.
            x = conv(x).contiguous(memory_format=torch.channels_last)
            # In place, for fresh memory of this size takes time too.
            x = F.hardtanh_(norm(x, valid_B11T).mul_(valid_B11T), 0.0, RELU_CLIP)
        x = x.flatten(1, 2).transpose(1, 2)
        for layer in self.layers:
            x = layer(x, lengths_B, valid_BT)
        if self.lookahead is not None:
            x = self.lookahead(x * valid_BT[:, :, None])
        x = self.norm(x.transpose(1, 2), valid_BT[:, None]).transpose(1, 2)
        return self.dense(x), steps


class Layer(nn.Module):
    """Batch normalisation, a recurrent layer, the sum of its directions."""

    def __init__(self, inputs: int, config: DeepSpeech2Config, norm: bool) -> None:
        super().__init__()
        self.norm = MaskedNorm(inputs) if norm else None
        self.recurrent = Recurrent(inputs, config.hidden, config.cell, config.bidirectional)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x_BTF: Tensor, lengths_B: Tensor, valid_BT: Tensor) -> Tensor:
        """Steps of features to steps of units, BTH."""
        if self.norm is not None:
            x_BTF = self.norm(x_BTF.transpose(1, 2), valid_BT[:, None]).transpose(1, 2)
        first, *second = self.recurrent(x_BTF, lengths_B)
        dropped: Tensor = self.dropout(sum(second, first))
        return dropped


class Lookahead(nn.Module):
    """Section 3.6: each unit's weighted sum over itself and the steps to come, then the clipped rectifier."""

    def __init__(self, hidden: int, context: int) -> None:
        super().__init__()
        self.context = context
        self.conv = nn.Conv1d(hidden, hidden, context, groups=hidden, bias=False)

    def forward(self, x_BTH: Tensor) -> Tensor:
        """The same shape."""
        x_BHT = F.pad(x_BTH.transpose(1, 2), (0, self.context - 1))
        return F.hardtanh(self.conv(x_BHT), 0.0, RELU_CLIP).transpose(1, 2)
