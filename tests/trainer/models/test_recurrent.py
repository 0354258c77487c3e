"""Recurrent layers on padded batches compute what packed sequences do, gradients too; so does the whole network."""

import pytest
import torch
from torch import nn

from dsprep.bench.ancestor import Ancestor
from dsprep.trainer.config import DeepSpeech2Config
from dsprep.trainer.models.deepspeech2 import DeepSpeech2
from dsprep.trainer.models.recurrent import Recurrent

LENGTHS = [9, 7, 4, 1]


def twins(cell: str) -> tuple[Recurrent, nn.RNNBase]:
    """Ours, and one call of PyTorch's for both directions, with the same weights."""
    torch.manual_seed(1)
    ours = Recurrent(6, 4, cell, bidirectional=True)
    theirs = {"lstm": nn.LSTM, "gru": nn.GRU}[cell](6, 4, batch_first=True, bidirectional=True)
    assert ours.backwards is not None
    state = dict(ours.forwards.state_dict())
    theirs.load_state_dict(state | {f"{name}_reverse": one for name, one in ours.backwards.state_dict().items()})
    return ours, theirs


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_gradients_are_those_of_packed_sequences(cell: str) -> None:
    ours, theirs = twins(cell)
    x_BTF = torch.randn(4, 9, 6)
    wanted_BTH = torch.randn(4, 9, 8)
    inside_BT1 = (torch.arange(9) < torch.tensor(LENGTHS)[:, None])[:, :, None]
    mine, others = x_BTF.clone().requires_grad_(), x_BTF.clone().requires_grad_()
    (torch.cat(ours(mine, torch.tensor(LENGTHS)), 2) * wanted_BTH * inside_BT1).sum().backward()  # type: ignore[no-untyped-call]
    packed = nn.utils.rnn.pack_padded_sequence(others, torch.tensor(LENGTHS), batch_first=True)
    (nn.utils.rnn.pad_packed_sequence(theirs(packed)[0], batch_first=True)[0] * wanted_BTH).sum().backward()  # type: ignore[no-untyped-call]
    assert mine.grad is not None
    assert others.grad is not None
    assert torch.allclose(mine.grad, others.grad, atol=1e-6)
    expected = dict(theirs.named_parameters())
    assert ours.backwards is not None
    for way, ending in ((ours.forwards, ""), (ours.backwards, "_reverse")):
        for name, one in way.named_parameters():
            gradient = expected[name + ending].grad
            assert one.grad is not None
            assert gradient is not None
            assert torch.allclose(one.grad, gradient, atol=1e-5)


def test_what_lies_past_the_end_of_an_utterance_changes_nothing_inside_it() -> None:
    ours, _ = twins("lstm")
    x_BTF = torch.randn(4, 9, 6)
    other_BTF = x_BTF.clone()
    for row, length in zip(other_BTF, LENGTHS, strict=True):
        row[length:] = 99
    for one, other in zip(ours(x_BTF, torch.tensor(LENGTHS)), ours(other_BTF, torch.tensor(LENGTHS)), strict=True):
        for a, b, length in zip(one, other, LENGTHS, strict=True):
            assert torch.equal(a[:length], b[:length])


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_the_network_computes_what_the_ancestor_s_does(cell: str) -> None:
    torch.manual_seed(1)
    ours = DeepSpeech2(DeepSpeech2Config(channels=4, hidden=16, layers=3, cell=cell), 161, 29)
    for module in ours.modules():
        if isinstance(module, nn.BatchNorm1d):
            nn.init.uniform_(module.weight)
            nn.init.normal_(module.bias)
    ours.eval()
    theirs = Ancestor(ours).eval()
    frames = [80, 61, 40, 3]
    features_BTF = torch.randn(4, 80, 161)
    for row, count in zip(features_BTF, frames, strict=True):
        row[count:] = 0
    one, steps = ours(features_BTF, frames)
    other, same = theirs(features_BTF, frames)
    assert steps == same
    for a, b, count in zip(one, other, steps, strict=True):
        assert torch.allclose(a[:count], b[:count], atol=1e-5)
