"""Features of a stream in pieces are those of the whole, however it was cut."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from dsprep.manifests import UsageError
from dsprep.trainer.features import FEATURES, Features

LIVE = [
    "log-spectrogram-live",
    "mfcc-deepspeech-0.2",
    "mfcc-deepspeech-0.4",
    "mfcc-deepspeech-0.5",
    "mfcc-deepspeech-0.7",
]
OTHERS = sorted(set(FEATURES) - set(LIVE))
SIZES = st.lists(st.sampled_from([0, 1, 2, 159, 160, 161, 320, 399, 1000, 5000]), max_size=12)


def sound(samples: int) -> Tensor:
    generator = torch.Generator().manual_seed(samples)
    return 0.1 * torch.randn(2, samples, generator=generator)


def in_pieces(features: Features, whole_BN: Tensor, sizes: list[int]) -> Tensor:
    state, made = features.begin(len(whole_BN)), []
    for piece_BN in torch.split(whole_BN, sizes, 1):
        made_BTF, state = features.carry(piece_BN, state, last=False)
        made.append(made_BTF)
    return torch.cat([*made, features.carry(whole_BN[:, :0], state, last=True)[0]], 1)


@pytest.mark.parametrize("name", LIVE)
@given(sizes=SIZES)
def test_pieces_of_any_size_have_the_features_of_the_whole(name: str, sizes: list[int]) -> None:
    features, samples = FEATURES[name](), sum(sizes)
    if samples:
        whole_BN = sound(samples)
        whole_BTF, frames = features(whole_BN, [samples] * 2)
        found_BTF = in_pieces(features, whole_BN, sizes)
        assert found_BTF.shape == whole_BTF.shape == (2, frames[0], features.size)
        assert torch.allclose(found_BTF, whole_BTF, atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("name", LIVE)
@pytest.mark.parametrize("samples", [1, 2, 159, 160, 161, 162, 319, 320, 321, 399, 400, 401, 511, 512, 513, 832, 833])
def test_a_stream_ends_as_the_whole_does_wherever_it_ends(name: str, samples: int) -> None:
    features, whole_BN = FEATURES[name](), sound(samples)
    for sizes in ([1] * samples, [samples]):
        found_BTF = in_pieces(features, whole_BN, sizes)
        assert torch.allclose(found_BTF, features(whole_BN, [samples] * 2)[0], atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("name", LIVE)
def test_a_stream_of_nothing_has_no_features(name: str) -> None:
    assert in_pieces(FEATURES[name](), torch.zeros(1, 0), []).shape[1] == 0


@pytest.mark.parametrize("name", OTHERS)
def test_features_that_are_whitened_say_what_to_train(name: str) -> None:
    with pytest.raises(UsageError, match="features = log-spectrogram-live"):
        FEATURES[name]().begin()


def test_live_features_are_the_others_before_they_are_whitened() -> None:
    whole_BN = sound(16_000)
    live_BTF, frames = FEATURES["log-spectrogram-live"]()(whole_BN, [16_000, 9_000])
    other_BTF, _ = FEATURES["log-spectrogram"]()(whole_BN, [16_000, 9_000])
    for live_TF, other_TF, count in zip(live_BTF, other_BTF, frames, strict=True):
        inside_TF = live_TF[:count]
        assert torch.allclose((inside_TF - inside_TF.mean()) / inside_TF.std(), other_TF[:count], atol=1e-4)
        assert not live_TF[count:].any()
