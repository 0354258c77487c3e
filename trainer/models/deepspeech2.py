"""DeepSpeech 2: Amodei et al. 2015, "Deep Speech 2: End-to-End Speech Recognition", section 3.

As SeanNaren/deepspeech.pytorch V3 has it (model.py): two convolutions over a log spectrogram, recurrent
layers with batch normalisation before each but the first, both directions summed, a dense layer; a
unidirectional model looks ahead by a convolution over future steps.

Deviations: lengths are whole numbers, so no utterance loses its last frame to rounding; batch normalisation
takes its statistics from frames inside the utterances alone, so training does not depend on padding either; the
loss is the mean over a batch, there the sum, so the same bound on gradients cuts less.

Axes: B utterances, C channels, F features, T frames or steps, H units, V labels.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...manifests import UsageError
from ...manifests.ctc import halved
from ..config import DeepSpeech2Config
from ..sliding import ended, slid
from .norm import MaskedNorm
from .recurrent import Recurrent, State

RELU_CLIP = 20.0
AROUND = 5
"""Zeros before the first frame and after the last, for both convolutions."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Carried:
    """What the network hands from one piece of a stream to the next."""

    conv1_BCFT: Tensor
    """Frames that the first convolution still needs."""
    conv2_BCFT: Tensor
    """Steps that the second still needs."""
    recurrent: tuple[State, ...]
    """Of each layer."""
    lookahead_BHT: Tensor
    """Steps that wait for those that they look at."""


class DeepSpeech2(nn.Module):
    """The network; `forward` gives logits."""

    def __init__(self, config: DeepSpeech2Config, features: int, labels: int) -> None:
        super().__init__()
        c = config.channels
        self.features = features
        self.conv1 = nn.Conv2d(1, c, (41, 11), stride=(2, 2), padding=(20, AROUND))
        self.norm1 = MaskedNorm(c)
        self.conv2 = nn.Conv2d(c, c, (21, 11), stride=(2, 1), padding=(10, AROUND))
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

    def begin(self, utterances: int = 1) -> Carried:
        """What streams begin with.

        Raises:
            UsageError: the network hears both ways, so that it cannot begin before the end has come.
        """
        if self.lookahead is None:
            raise UsageError(
                "a model that hears both ways needs the whole utterance: to hear a stream, train one with "
                "model.bidirectional = false and features without whitening, as the preset ds2-uni"
            )
        like, features = self.dense.weight, self.features
        return Carried(
            conv1_BCFT=like.new_zeros(utterances, 1, features, AROUND),
            conv2_BCFT=like.new_zeros(utterances, self.conv2.in_channels, halved(features), AROUND),
            recurrent=tuple(layer.recurrent.begin(utterances) for layer in self._layers()),
            lookahead_BHT=like.new_zeros(utterances, self.dense.in_features, 0),
        )

    def carry(self, features_BTF: Tensor, state: Carried | None = None, last: bool = False) -> tuple[Tensor, Carried]:
        """(logits_BTV that are certain after this piece of a stream, the state for the next piece).

        No state begins a stream, and what a stream still owes comes with its `last` piece, which may be empty. All of
        `features_BTF` must be sound: nothing after padding could be right.

        Raises:
            UsageError: the network hears both ways.
        """
        state = self.begin(len(features_BTF)) if state is None else state
        x, conv1 = _convolved(self.conv1, self.norm1, state.conv1_BCFT, features_BTF.transpose(1, 2)[:, None], last)
        x, conv2 = _convolved(self.conv2, self.norm2, state.conv2_BCFT, x, last)
        x, after = x.flatten(1, 2).transpose(1, 2), []
        for layer, before in zip(self._layers(), state.recurrent, strict=True):
            x, carried = layer.carry(x, before)
            after.append(carried)
        assert self.lookahead is not None
        x, waiting = self.lookahead.carry(x, state.lookahead_BHT, last)
        x = self.norm.settled(x.transpose(1, 2)).transpose(1, 2)
        return self.dense(x), Carried(conv1_BCFT=conv1, conv2_BCFT=conv2, recurrent=tuple(after), lookahead_BHT=waiting)

    def _layers(self) -> "list[Layer]":
        return [layer for layer in self.layers if isinstance(layer, Layer)]


def _convolved(
    conv: nn.Conv2d, norm: MaskedNorm, held_BCFT: Tensor, come_BCFT: Tensor, last: bool
) -> tuple[Tensor, Tensor]:
    """(the steps that are certain now, what is to be held) of one of the convolutions."""
    width, stride = conv.kernel_size[1], conv.stride[1]
    x_BCFT, held_BCFT = slid(torch.cat([held_BCFT, ended(come_BCFT, AROUND, last)], 3), width, stride)
    if not x_BCFT.shape[3]:
        return x_BCFT.new_zeros(len(x_BCFT), conv.out_channels, halved(x_BCFT.shape[2]), 0), held_BCFT
    # Time has its zeros already; those above and below the bins are the layer's own.
    x_BCFT = F.conv2d(x_BCFT, conv.weight, conv.bias, conv.stride, (conv.padding[0], 0))  # type: ignore[arg-type]
    return F.hardtanh_(norm.settled(x_BCFT), 0.0, RELU_CLIP), held_BCFT


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

    def carry(self, x_BTF: Tensor, state: State) -> tuple[Tensor, State]:
        """(the next steps, the state after them) of a layer that hears forwards alone."""
        if self.norm is not None:
            x_BTF = self.norm.settled(x_BTF.transpose(1, 2)).transpose(1, 2)
        return self.recurrent.carry(x_BTF, state)


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

    def carry(self, x_BTH: Tensor, held_BHT: Tensor, last: bool) -> tuple[Tensor, Tensor]:
        """(the steps whose future has come, those that wait for it)."""
        come_BHT = ended(x_BTH.transpose(1, 2), self.context - 1, last)
        x_BHT, held_BHT = slid(torch.cat([held_BHT, come_BHT], 2), self.context)
        if not x_BHT.shape[2]:
            return x_BTH[:, :0], held_BHT
        return F.hardtanh(self.conv(x_BHT), 0.0, RELU_CLIP).transpose(1, 2), held_BHT
