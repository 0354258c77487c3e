"""Recurrent layers on padded batches, whose backward direction begins at each utterance's own end.

Equal to PyTorch's packed sequences, and on a CPU several times as fast: oneDNN takes no packed ones.
Axes: B utterances, T steps, F inputs, H units.
"""

import torch
from torch import Tensor, nn

CELLS = {"lstm": nn.LSTM, "gru": nn.GRU}


class Recurrent(nn.Module):
    """One recurrent layer, one way or both."""

    def __init__(self, inputs: int, hidden: int, cell: str, bidirectional: bool) -> None:
        super().__init__()
        self.forwards = CELLS[cell](inputs, hidden, batch_first=True)
        self.backwards = CELLS[cell](inputs, hidden, batch_first=True) if bidirectional else None

    def forward(self, x_BTF: Tensor, lengths_B: Tensor) -> list[Tensor]:
        """The outputs of each direction, BTH; what they are past an utterance's length means nothing."""
        outputs: list[Tensor] = [self.forwards(x_BTF)[0]]
        if self.backwards is not None:
            index_BT1 = _reversal(lengths_B, x_BTF.shape[1])
            turned_BTF = x_BTF.gather(1, index_BT1.expand_as(x_BTF))
            turned_BTH = self.backwards(turned_BTF)[0]
            outputs.append(turned_BTH.gather(1, index_BT1.expand_as(turned_BTH)))
        return outputs


def _reversal(lengths_B: Tensor, steps: int) -> Tensor:
    """Where step t comes from when each utterance is turned round within its length; it is its own inverse."""
    step_T = torch.arange(steps, device=lengths_B.device)
    mirrored_BT = lengths_B[:, None] - 1 - step_T
    return torch.where(mirrored_BT >= 0, mirrored_BT, step_T)[:, :, None]
