"""The network of our DeepSpeech 2 as deepspeech.pytorch V3 writes it (model.py), to be timed beside ours.

    Ancestor(ours)(features_BTF, frames) -> (logits_BTV, steps)    the same numbers, from the same weights

What costs time is as there: each of the six convolutional pieces masks utterance by utterance in a Python loop, both
directions of a recurrent layer run in one call on packed sequences, batch normalisation sees padding too. Lengths are
whole numbers here; there some lose a frame to rounding.
"""

from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from dsprep.manifests.ctc import halved
from dsprep.trainer.models.deepspeech2 import DeepSpeech2, Layer


class Ancestor(nn.Module):
    """A bidirectional model with the weights of `ours`, copied."""

    def __init__(self, ours: DeepSpeech2) -> None:
        super().__init__()
        layers = [layer for layer in ours.layers if isinstance(layer, Layer)]
        self.conv = nn.ModuleList(
            [
                *(deepcopy(ours.conv1), _plain(ours.norm1, nn.BatchNorm2d), nn.Hardtanh(0, 20)),
                *(deepcopy(ours.conv2), _plain(ours.norm2, nn.BatchNorm2d), nn.Hardtanh(0, 20)),
            ]
        )
        self.norms = nn.ModuleList(_plain(layer.norm, nn.BatchNorm1d) for layer in layers[1:] if layer.norm)
        self.recurrent = nn.ModuleList(_both_ways(layer) for layer in layers)
        self.norm = _plain(ours.norm, nn.BatchNorm1d)
        self.dense = deepcopy(ours.dense)

    def forward(self, features_BTF: Tensor, frames: list[int]) -> tuple[Tensor, list[int]]:
        """Frames from the longest to the shortest."""
        steps = [halved(count) for count in frames]
        x = features_BTF.transpose(1, 2)[:, None]
        for piece in self.conv:
            x = _masked(piece(x), steps)
        x = x.flatten(1, 2).permute(2, 0, 1).contiguous()
        for index, recurrent in enumerate(self.recurrent):
            if index:
                x = _stepwise(self.norms[index - 1], x)
            packed, _ = recurrent(pack_padded_sequence(x, torch.tensor(steps)))
            x, _ = pad_packed_sequence(packed)
            x = x.view(*x.shape[:2], 2, -1).sum(2)
        return self.dense(_stepwise(self.norm, x)).transpose(0, 1), steps


def _masked(x_BCFT: Tensor, steps: list[int]) -> Tensor:
    mask = torch.zeros(x_BCFT.shape, dtype=torch.bool, device=x_BCFT.device)
    for row, length in zip(mask, steps, strict=True):
        if row.shape[2] > length:
            row.narrow(2, length, row.shape[2] - length).fill_(True)
    return x_BCFT.masked_fill(mask, 0)


def _stepwise(norm: nn.Module, x_TBH: Tensor) -> Tensor:
    done: Tensor = norm(x_TBH.flatten(0, 1))
    return done.view(x_TBH.shape)


def _plain(ours: nn.BatchNorm1d, kind: type[nn.Module]) -> nn.Module:
    norm = kind(ours.num_features)
    norm.load_state_dict(ours.state_dict())
    return norm


def _both_ways(layer: Layer) -> nn.Module:
    one, other = layer.recurrent.forwards, layer.recurrent.backwards
    assert isinstance(one, nn.RNNBase)
    assert isinstance(other, nn.RNNBase)
    state = dict(one.state_dict()) | {f"{name}_reverse": value for name, value in other.state_dict().items()}
    both = type(one)(one.input_size, one.hidden_size, bidirectional=True)  # type: ignore[call-arg, arg-type]
    both.load_state_dict(state)
    return both
