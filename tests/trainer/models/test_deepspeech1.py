"""DeepSpeech 1 that hears forwards only: its size, how it begins, and a stream heard in pieces."""

import pytest
import torch

from dsprep.manifests import UsageError
from dsprep.trainer.config import DeepSpeech1Config, read_config
from dsprep.trainer.models.deepspeech1 import DeepSpeech1

FORWARDS = DeepSpeech1Config(hidden=12, bidirectional=False, forget_bias=0.0)


def test_it_has_as_many_parameters_as_its_ancestor() -> None:
    config = read_config("ds1-uni").model
    assert isinstance(config, DeepSpeech1Config)
    with torch.device("meta"):
        model = DeepSpeech1(config, 494, 29)
    assert sum(one.numel() for one in model.parameters() if one.requires_grad) == 47_224_861


@pytest.mark.parametrize("pieces", [[16, 16, 16, 2], [1] * 50, [49, 1]], ids=str)
def test_a_stream_heard_in_pieces_has_the_logits_of_the_whole(pieces: list[int]) -> None:
    torch.manual_seed(1)
    model = DeepSpeech1(FORWARDS, 20, 5).eval()
    features_BTF = torch.randn(3, sum(pieces), 20)
    whole_BTV, _ = model(features_BTF, [sum(pieces)] * 3)
    state, heard = None, []
    for piece in torch.split(features_BTF, pieces, 1):
        logits_BTV, state = model.carry(piece, state)
        heard.append(logits_BTV)
    assert torch.allclose(torch.cat(heard, 1), whole_BTV, atol=1e-5)
    forgotten_BTV, _ = model.carry(features_BTF[:, -1:])
    assert not torch.allclose(forgotten_BTV, whole_BTV[:, -1:], atol=1e-3), "the state does matter"


def test_an_utterance_has_the_same_logits_alone_and_among_others() -> None:
    torch.manual_seed(1)
    model = DeepSpeech1(FORWARDS, 20, 5).eval()
    features_BTF = torch.randn(2, 30, 20)
    together_BTV, _ = model(features_BTF, [30, 11])
    alone_BTV, _ = model(features_BTF[1:, :11], [11])
    assert torch.allclose(together_BTV[1, :11], alone_BTV[0], atol=1e-5)


def test_a_model_that_hears_both_ways_says_that_it_hears_no_stream() -> None:
    model = DeepSpeech1(DeepSpeech1Config(hidden=8), 20, 5)
    with pytest.raises(UsageError, match="ds1-uni"):
        model.carry(torch.zeros(1, 4, 20))


@pytest.mark.parametrize("forget_bias", [0.0, 1.0])
@pytest.mark.parametrize("bidirectional", [True, False])
def test_the_forget_gate_begins_as_the_config_says(bidirectional: bool, forget_bias: float) -> None:
    config = DeepSpeech1Config(hidden=8, bidirectional=bidirectional, forget_bias=forget_bias)
    found = dict(DeepSpeech1(config, 10, 5).named_parameters())
    for way in ("forwards", "backwards")[: 1 + bidirectional]:
        bias = found[f"lstm.{way}.bias_ih_l0"]
        assert bias[8:16].eq(forget_bias).all()
        assert not bias[:8].any()
        assert not bias[16:].any()
        assert not found[f"lstm.{way}.bias_hh_l0"].requires_grad


def test_forwards_only_begins_with_glorot_uniform_weights_and_no_biases() -> None:
    torch.manual_seed(1)
    model = DeepSpeech1(DeepSpeech1Config(hidden=300, bidirectional=False), 500, 100)
    for layer in (model.h1, model.h2, model.h3, model.h5, model.h6):
        bound = (6 / sum(layer.weight.shape)) ** 0.5
        assert 0.99 * bound < layer.weight.abs().max() <= bound
        assert abs(layer.weight.std().item() - bound / 3**0.5) < 0.02 * bound
        assert not layer.bias.any()
