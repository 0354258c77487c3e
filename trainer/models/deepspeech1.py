"""DeepSpeech 1: Hannun et al. 2014, "Deep Speech: Scaling up end-to-end speech recognition", section 2.

As mozilla/DeepSpeech has it: three dense layers on 19 frames of MFCCs, an LSTM, two dense layers; the rectifier is
clipped at 20. Release 0.1 (DeepSpeech.py, BiRNN) hears both ways, with layers of n, n, 2 n, 2 x n, n units. From
0.2 on it hears forwards only, with n units in each (training/deepspeech_training/train.py, create_model), so that a
stream can be heard while it comes: `carry` hands the LSTM's state from one piece to the next.

Deviations: gradients are clipped, there they are not. PyTorch's LSTM has a second bias, kept at zero and not
trained; the forget gate's bias of 1 is part of its first bias instead of being added to it at each step.

Axes: B utterances, T steps of 20 ms, F features, H units, V labels.
"""

import math

import torch
from torch import Tensor, nn

from ...manifests import UsageError
from ..config import DeepSpeech1Config
from .recurrent import Recurrent, State

STDDEV = 0.046875
"""Of the normal distribution that layers 2, 3 and 5 and all biases begin with where the network hears both ways."""


class DeepSpeech1(nn.Module):
    """The network; `forward` gives logits."""

    def __init__(self, config: DeepSpeech1Config, features: int, labels: int) -> None:
        super().__init__()
        n, ways = config.hidden, 2 if config.bidirectional else 1
        self.h1 = nn.Linear(features, n)
        self.h2 = nn.Linear(n, n)
        self.h3 = nn.Linear(n, ways * n)
        self.lstm = Recurrent(ways * n, n, "lstm", config.bidirectional)
        self.h5 = nn.Linear(ways * n, n)
        self.h6 = nn.Linear(n, labels)
        self.dropout = nn.Dropout(config.dropout)
        self.rectifier = nn.Hardtanh(0.0, config.relu_clip)
        self._begin(config)

    @staticmethod
    def steps(frames: int) -> int:
        """Labels that can be written on `frames` frames of features."""
        return frames

    def forward(self, features_BTF: Tensor, frames: list[int]) -> tuple[Tensor, list[int]]:
        """(logits_BTV, steps of each utterance)."""
        lengths_B = torch.tensor(frames, device=features_BTF.device)
        return self._after(torch.cat(self.lstm(self._before(features_BTF), lengths_B), 2)), frames

    def begin(self, utterances: int = 1) -> State:
        """What streams begin with.

        Raises:
            UsageError: the network hears both ways, so that it cannot begin before the end has come.
        """
        if self.lstm.backwards is not None:
            raise UsageError(
                "a model that hears both ways needs the whole utterance: to hear a stream, train one with "
                "model.bidirectional = false, as the preset ds1-uni"
            )
        return self.lstm.begin(utterances)

    def carry(self, features_BTF: Tensor, state: State | None = None, last: bool = False) -> tuple[Tensor, State]:
        """(logits_BTV of this piece of a stream, the state for the next piece). No state begins a stream.

        All of `features_BTF` must be sound: nothing after padding could be right. That a piece is the `last` changes
        nothing here.

        Raises:
            UsageError: the network hears both ways.
        """
        state = self.begin(len(features_BTF)) if state is None else state
        heard_BTH, state = self.lstm.carry(self._before(features_BTF), state)
        return self._after(heard_BTH), state

    def _before(self, features_BTF: Tensor) -> Tensor:
        x = features_BTF
        for layer in (self.h1, self.h2, self.h3):
            x = self.dropout(self.rectifier(layer(x)))
        return x

    def _after(self, heard_BTH: Tensor) -> Tensor:
        logits_BTV: Tensor = self.h6(self.dropout(self.rectifier(self.h5(heard_BTH))))
        return logits_BTV

    def _begin(self, config: DeepSpeech1Config) -> None:
        layers = (self.h1, self.h2, self.h3, self.h5, self.h6)
        (_begin_both_ways if config.bidirectional else _begin_forwards)(*layers)
        for way in (self.lstm.forwards, self.lstm.backwards):
            if way is not None:
                assert isinstance(way, nn.LSTM)
                _begin_lstm(way, config.forget_bias)


@torch.no_grad()
def _begin_both_ways(*layers: nn.Linear) -> None:
    """As release 0.1: Glorot normal for the first and the last, one normal distribution for all else."""
    for layer in (layers[0], layers[-1]):
        # tf.contrib's Glorot normal is cut off at two deviations and widened by 1.3 for it.
        deviation = math.sqrt(1.3 * 2 / sum(layer.weight.shape))
        nn.init.trunc_normal_(layer.weight, std=deviation, a=-2 * deviation, b=2 * deviation)
    for layer in layers[1:-1]:
        nn.init.normal_(layer.weight, std=STDDEV)
    for layer in layers:
        nn.init.normal_(layer.bias, std=STDDEV)


@torch.no_grad()
def _begin_forwards(*layers: nn.Linear) -> None:
    """As releases from 0.2 on: Glorot uniform, and biases of 0."""
    for layer in layers:
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)


@torch.no_grad()
def _begin_lstm(lstm: nn.LSTM, forget_bias: float) -> None:
    """Glorot uniform over the whole kernel, as TensorFlow's one matrix [inputs + n, 4 n]."""
    n = lstm.hidden_size
    bound = math.sqrt(6 / (lstm.input_size + n + 4 * n))
    for name, parameter in lstm.named_parameters():
        if name.startswith("weight"):
            nn.init.uniform_(parameter, -bound, bound)
        else:
            nn.init.zeros_(parameter)
        if name == "bias_ih_l0":
            parameter[n : 2 * n] = forget_bias
        if name == "bias_hh_l0":
            parameter.requires_grad_(False)
