"""A run's model: a stream in pieces has the log-probabilities of the whole, and one that cannot hear it says why."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dsprep.manifests import UsageError, english
from dsprep.pipeline.sound.audio import Pcm
from dsprep.trainer.acoustic.opening import open_model
from dsprep.trainer.acoustic.run import RunModel
from dsprep.trainer.config import Config, DeepSpeech1Config, DeepSpeech2Config
from dsprep.trainer.features import FEATURES
from dsprep.trainer.models import build_model
from dsprep.trainer.training.checkpoint import save
from dsprep.trainer.training.standing import Standing

DS1 = DeepSpeech1Config(hidden=16, bidirectional=False)
DS2 = DeepSpeech2Config(channels=2, hidden=16, layers=2, bidirectional=False)
GRU = DeepSpeech2Config(channels=2, hidden=16, layers=1, bidirectional=False, cell="gru", lookahead=3)
LIVE = [
    Config(features="mfcc-deepspeech-0.7", model=DS1),
    Config(features="mfcc-deepspeech-0.2", model=DS1),
    Config(features="log-spectrogram-live", model=DS2),
    Config(features="log-spectrogram-live", model=GRU),
]
SIZES = st.lists(st.sampled_from([0, 1, 159, 160, 320, 1000, 1601, 8000]), max_size=10)


def model_of(config: Config) -> RunModel:
    torch.manual_seed(3)
    features = FEATURES[config.features]()
    standing = Standing(config=config, alphabet=english(), data="", dev="")
    return RunModel(build_model(config, features.size, english().size), features, standing)


def sound(samples: int) -> Pcm:
    return np.random.default_rng(samples).normal(0, 1000, samples).astype(np.int16)


@pytest.mark.parametrize("config", LIVE, ids=lambda config: f"{config.features} {config.model.name}")
@given(sizes=SIZES)
def test_a_stream_has_the_log_probabilities_of_the_whole(config: Config, sizes: list[int]) -> None:
    model, pcm = model_of(config), sound(sum(sizes))
    if not len(pcm):
        return
    stream = model.stream()
    pieces = [stream.feed(piece) for piece in np.split(pcm, np.cumsum(sizes)[:-1])] + [stream.end()]
    (whole_TV,) = model.log_probs([pcm])
    found_TV = np.concatenate(pieces)
    assert found_TV.shape == whole_TV.shape
    assert np.abs(found_TV - whole_TV).max() < 1e-5


@pytest.mark.parametrize("config", LIVE, ids=lambda config: f"{config.features} {config.model.name}")
def test_a_stream_sample_by_sample_has_those_of_the_whole(config: Config) -> None:
    model, pcm = model_of(config), sound(1700)
    stream = model.stream()
    found_TV = np.concatenate([*(stream.feed(pcm[at : at + 1]) for at in range(len(pcm))), stream.end()])
    assert np.abs(found_TV - model.log_probs([pcm])[0]).max() < 1e-5


@pytest.mark.parametrize("config", LIVE, ids=lambda config: f"{config.features} {config.model.name}")
def test_a_stream_of_nothing_has_no_steps_and_does_not_go_on(config: Config) -> None:
    stream = model_of(config).stream()
    assert stream.feed(sound(0)).shape == stream.end().shape == (0, english().size)
    with pytest.raises(UsageError, match="has ended"):
        stream.feed(sound(1))


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (Config(model=DS2), "log-spectrogram-live"),
        (Config(features="mfcc-deepspeech-0.1", model=DS1), "mfcc-deepspeech-0.7"),
        (Config(features="log-spectrogram-live", model=DeepSpeech2Config(hidden=8, layers=1)), "ds2-uni"),
        (Config(features="mfcc-deepspeech-0.7", model=DeepSpeech1Config(hidden=8)), "ds1-uni"),
    ],
    ids=["whitened", "whitened mfcc", "both ways", "both ways, DeepSpeech 1"],
)
def test_a_model_that_needs_the_whole_says_what_to_train(config: Config, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        model_of(config).stream()


def test_logits_are_the_log_probabilities_before_the_softmax(tmp_path: Path) -> None:
    made = model_of(LIVE[0])
    save(tmp_path, made.standing, made.model)
    model = open_model(tmp_path, "cpu")
    assert isinstance(model, RunModel)
    clips = [sound(4000), sound(900)]
    for logits_TV, log_probs_TV in zip(model.logits(clips), model.log_probs(clips), strict=True):
        normal_TV = logits_TV - np.log(np.exp(logits_TV.astype(np.float64)).sum(1, keepdims=True))
        assert np.abs(normal_TV - log_probs_TV).max() < 1e-5
