"""Networks that hear forwards only: a stream in pieces has the logits of the whole, however it was cut."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from dsprep.manifests import UsageError
from dsprep.trainer.config import Config, DeepSpeech1Config, DeepSpeech2Config
from dsprep.trainer.models import build_model
from dsprep.trainer.models.norm import MaskedNorm
from dsprep.trainer.sliding import slid

BINS = 40
FORWARDS = [
    DeepSpeech1Config(hidden=12, bidirectional=False),
    DeepSpeech2Config(channels=2, hidden=12, layers=2, bidirectional=False, lookahead=20),
    DeepSpeech2Config(channels=2, hidden=12, layers=3, bidirectional=False, lookahead=1, cell="gru"),
]
CUTS = st.lists(st.sampled_from([0, 0, 1, 2, 3, 7, 16, 40]), max_size=25)


def unsettle(model: nn.Module) -> None:
    """Statistics as training leaves them."""
    for module in model.modules():
        if isinstance(module, MaskedNorm):
            assert module.running_mean is not None
            assert module.running_var is not None
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
            nn.init.uniform_(module.bias, -1.0, 1.0)


@pytest.mark.parametrize("config", FORWARDS, ids=str)
@given(pieces=CUTS, rest=st.integers(0, 30))
def test_pieces_of_any_size_have_the_logits_of_the_whole(
    config: DeepSpeech1Config | DeepSpeech2Config, pieces: list[int], rest: int
) -> None:
    torch.manual_seed(1)
    model = build_model(Config(model=config), BINS, 5).eval()
    unsettle(model)
    frames = sum(pieces) + rest
    if not frames:
        return
    features_BTF = torch.randn(2, frames, BINS)
    with torch.inference_mode():
        whole_BTV, _ = model(features_BTF, [frames] * 2)
        state: Any = None
        heard = []
        for number, piece in enumerate(torch.split(features_BTF, [*pieces, rest], 1)):
            logits_BTV, state = model.carry(piece, state, last=number == len(pieces))
            heard.append(logits_BTV)
    assert sum(one.shape[1] for one in heard) == whole_BTV.shape[1]
    assert torch.allclose(torch.cat(heard, 1), whole_BTV, atol=1e-5)


@pytest.mark.parametrize("config", FORWARDS, ids=str)
def test_a_step_changes_no_state_that_was_handed_to_it(config: DeepSpeech1Config | DeepSpeech2Config) -> None:
    torch.manual_seed(1)
    model = build_model(Config(model=config), BINS, 5).eval()
    features_BTF = torch.randn(1, 60, BINS)
    with torch.inference_mode():
        _, state = model.carry(features_BTF[:, :40])
        first, _ = model.carry(features_BTF[:, 40:], state)  # type: ignore[arg-type]
        again, _ = model.carry(features_BTF[:, 40:], state)  # type: ignore[arg-type]
    assert torch.equal(first, again)


@pytest.mark.parametrize("config", [DeepSpeech1Config(hidden=8), DeepSpeech2Config(channels=2, hidden=8, layers=1)])
def test_a_network_that_hears_both_ways_says_what_to_train(config: DeepSpeech1Config | DeepSpeech2Config) -> None:
    with pytest.raises(UsageError, match=r"as the preset ds[12]-uni"):
        build_model(Config(model=config), BINS, 5).begin()


@given(pieces=CUTS, width=st.integers(4, 12), stride=st.integers(1, 4))
def test_sliding_covers_each_window_once(pieces: list[int], width: int, stride: int) -> None:
    whole = torch.arange(float(sum(pieces)))
    held, seen = whole[:0], []
    for come in torch.split(whole, pieces) if pieces else ():
        covered, held = slid(torch.cat([held, come]), width, stride)
        seen += covered.unfold(0, width, stride).tolist() if len(covered) else []
    assert seen == (whole.unfold(0, width, stride).tolist() if len(whole) >= width else [])
