"""DeepSpeech 1: Hannun et al. 2014, "Deep Speech: Scaling up end-to-end speech recognition", section 2.

As mozilla/DeepSpeech 0.1 has it (DeepSpeech.py, BiRNN): three dense layers on 19 frames of MFCCs, a
bidirectional LSTM, two dense layers. Sizes n, n, 2n, 2 x n, n, characters; the rectifier is clipped at 20.

Deviations: gradients are clipped, there they are not. PyTorch's LSTM has a second bias, kept at zero and not
trained; the forget gate's bias of 1 is part of its first bias instead of being added to it at each step.

Axes: B utterances, T steps of 20 ms, F features, V labels.
"""

import math

import torch
from torch import Tensor, nn

from ..config import DeepSpeech1Config
from .recurrent import Recurrent

STDDEV = 0.046875
"""Of the normal distribution that layers 2, 3 and 5 and all biases begin with."""


class DeepSpeech1(nn.Module):
    """The network; `forward` gives logits."""

    def __init__(self, config: DeepSpeech1Config, features: int, labels: int) -> None:
        super().__init__()
        n = config.hidden
        self.h1 = nn.Linear(features, n)
        self.h2 = nn.Linear(n, n)
        self.h3 = nn.Linear(n, 2 * n)
        self.lstm = Recurrent(2 * n, n, "lstm", bidirectional=True)
        self.h5 = nn.Linear(2 * n, n)
        self.h6 = nn.Linear(n, labels)
        self.dropout = nn.Dropout(config.dropout)
        self.rectifier = nn.Hardtanh(0.0, config.relu_clip)
        self._begin()

    @staticmethod
    def steps(frames: int) -> int:
        """Labels that can be written on `frames` frames of features."""
        return frames

    def forward(self, features_BTF: Tensor, frames: list[int]) -> tuple[Tensor, list[int]]:
        """(logits_BTV, steps of each utterance)."""
        lengths_B = torch.tensor(frames, device=features_BTF.device)
        x = features_BTF
        for layer in (self.h1, self.h2, self.h3):
            x = self.dropout(self.rectifier(layer(x)))
        x = torch.cat(self.lstm(x, lengths_B), 2)
        x = self.dropout(self.rectifier(self.h5(x)))
        return self.h6(x), frames

    @torch.no_grad()
    def _begin(self) -> None:
        for layer in (self.h1, self.h6):
            # tf.contrib's Glorot normal is cut off at two deviations and widened by 1.3 for it.
            deviation = math.sqrt(1.3 * 2 / sum(layer.weight.shape))
            nn.init.trunc_normal_(layer.weight, std=deviation, a=-2 * deviation, b=2 * deviation)
        for layer in (self.h2, self.h3, self.h5):
            nn.init.normal_(layer.weight, std=STDDEV)
        for layer in (self.h1, self.h2, self.h3, self.h5, self.h6):
            nn.init.normal_(layer.bias, std=STDDEV)
        for way in (self.lstm.forwards, self.lstm.backwards):
            assert isinstance(way, nn.LSTM)
            _begin_lstm(way)


def _begin_lstm(lstm: nn.LSTM) -> None:
    """Glorot uniform over the whole kernel, as TensorFlow's one matrix [inputs + n, 4 n]; forget bias 1."""
    n = lstm.hidden_size
    bound = math.sqrt(6 / (lstm.input_size + n + 4 * n))
    for name, parameter in lstm.named_parameters():
        if name.startswith("weight"):
            nn.init.uniform_(parameter, -bound, bound)
        else:
            nn.init.zeros_(parameter)
        if name == "bias_ih_l0":
            parameter[n : 2 * n] = 1.0
        if name == "bias_hh_l0":
            parameter.requires_grad_(False)
