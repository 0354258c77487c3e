"""Both models: sizes of the ancestors, lengths, and no dependence on padding or batch mates."""

import pytest
import torch
from torch import nn

from dsprep.trainer.config import Config, DeepSpeech1Config, DeepSpeech2Config
from dsprep.trainer.models import build_model
from dsprep.trainer.models.norm import MaskedNorm
from dsprep.trainer.models.recurrent import Recurrent

SMALL = [
    DeepSpeech1Config(hidden=12),
    DeepSpeech2Config(channels=2, hidden=12, layers=2),
    DeepSpeech2Config(channels=2, hidden=12, layers=2, cell="gru"),
    DeepSpeech2Config(channels=2, hidden=12, layers=2, bidirectional=False, lookahead=4),
]


def count(model: nn.Module) -> int:
    return sum(one.numel() for one in model.parameters() if one.requires_grad)


@pytest.mark.parametrize(
    ("config", "parameters"),
    [
        (DeepSpeech1Config(hidden=2048), 122_732_573),
        (DeepSpeech1Config(hidden=494), 7_341_857),
        (DeepSpeech2Config(), 86_618_400),
        (DeepSpeech2Config(bidirectional=False), 43_475_232),
    ],
)
def test_they_have_as_many_parameters_as_their_ancestors(
    config: DeepSpeech1Config | DeepSpeech2Config, parameters: int
) -> None:
    with torch.device("meta"):
        model = build_model(Config(model=config), 494 if isinstance(config, DeepSpeech1Config) else 161, 29)
    assert count(model) == parameters


@pytest.mark.parametrize("config", SMALL, ids=str)
def test_an_utterance_has_the_same_logits_alone_and_among_others(
    config: DeepSpeech1Config | DeepSpeech2Config,
) -> None:
    torch.manual_seed(1)
    model = build_model(Config(model=config), 40, 5).eval()
    frames = [60, 17, 41, 1]
    features_BTF = torch.randn(4, 60, 40)
    for row, length in zip(features_BTF, frames, strict=True):
        row[length:] = 0
    together, steps = model(features_BTF, frames)
    for index, length in enumerate(frames):
        alone, (own,) = model(features_BTF[index : index + 1, :length], [length])
        assert own == steps[index] == model.steps(length) == alone.shape[1]
        assert torch.allclose(together[index, :own], alone[0], atol=1e-5)


@pytest.mark.parametrize("config", SMALL[1:], ids=str)
def test_training_does_not_depend_on_how_much_padding_there_is(config: DeepSpeech2Config) -> None:
    torch.manual_seed(1)
    model = build_model(Config(model=config), 40, 5).train()
    features_BTF = torch.randn(2, 30, 40)
    features_BTF[1, 21:] = 0
    tight, steps = model(features_BTF, [30, 21])
    wide, _ = model(torch.cat([features_BTF, torch.zeros(2, 40, 40)], 1), [30, 21])
    for index, count_ in enumerate(steps):
        assert torch.allclose(tight[index, :count_], wide[index, :count_], atol=1e-4)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_the_recurrent_layer_equals_packed_sequences(cell: str) -> None:
    torch.manual_seed(1)
    ours = Recurrent(6, 4, cell, bidirectional=True)
    theirs = {"lstm": nn.LSTM, "gru": nn.GRU}[cell](6, 4, batch_first=True, bidirectional=True)
    state = dict(ours.forwards.named_parameters())
    assert ours.backwards is not None
    state |= {f"{name}_reverse": one for name, one in ours.backwards.named_parameters()}
    theirs.load_state_dict(state)
    x_BTF, lengths_B = torch.randn(3, 9, 6), torch.tensor([9, 4, 7])
    packed = nn.utils.rnn.pack_padded_sequence(x_BTF, lengths_B, batch_first=True, enforce_sorted=False)
    expected, _ = nn.utils.rnn.pad_packed_sequence(theirs(packed)[0], batch_first=True)
    got = torch.cat(ours(x_BTF, lengths_B), 2)
    for row, other, length in zip(got, expected, lengths_B, strict=True):
        assert torch.allclose(row[:length], other[:length], atol=1e-6)


@pytest.mark.parametrize("training", [True, False])
def test_masked_norm_is_batch_norm_over_what_is_valid(training: bool) -> None:
    torch.manual_seed(1)
    ours, theirs = MaskedNorm(3).train(training), nn.BatchNorm1d(3).train(training)
    for one in (ours, theirs):
        nn.init.uniform_(one.weight)
    theirs.load_state_dict(ours.state_dict())
    x_BCT = torch.randn(2, 3, 8)
    valid_B1T = torch.arange(8) < torch.tensor([8, 5])[:, None, None]
    flat = torch.cat([x_BCT[0], x_BCT[1, :, :5]], 1).T
    expected = theirs(flat)
    got = ours(x_BCT, valid_B1T)
    assert torch.allclose(torch.cat([got[0], got[1, :, :5]], 1).T, expected, atol=1e-6)
    assert ours.running_var is not None
    assert theirs.running_var is not None
    assert torch.allclose(ours.running_var, theirs.running_var, atol=1e-6)


def test_the_forget_gate_begins_open_and_the_second_bias_stays_zero() -> None:
    found = dict(build_model(Config(model=DeepSpeech1Config(hidden=8)), 10, 5).named_parameters())
    assert found["lstm.forwards.bias_ih_l0"][8:16].eq(1).all()
    assert not found["lstm.forwards.bias_hh_l0"].any()
    assert not found["lstm.forwards.bias_hh_l0"].requires_grad
