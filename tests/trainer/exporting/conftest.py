"""Small runs whose weights are drawn, for tests of exports: no training, the same code paths."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from dsprep.manifests import Alphabet, english
from dsprep.pipeline.sound.audio import Pcm
from dsprep.trainer.acoustic.run import RunModel, open_run
from dsprep.trainer.config import Config, DeepSpeech1Config, DeepSpeech2Config
from dsprep.trainer.features import FEATURES
from dsprep.trainer.models import build_model
from dsprep.trainer.training.checkpoint import save
from dsprep.trainer.training.standing import EpochResult, Standing

KINDS = {
    "both ways, DeepSpeech 1": Config(features="mfcc-deepspeech-0.1", model=DeepSpeech1Config(hidden=24)),
    "both ways, LSTM": Config(features="log-spectrogram", model=DeepSpeech2Config(channels=2, hidden=24, layers=2)),
    "both ways, GRU": Config(
        features="log-spectrogram-2.0", model=DeepSpeech2Config(channels=2, hidden=24, layers=3, cell="gru")
    ),
    "whitened": Config(
        features="log-spectrogram", model=DeepSpeech2Config(channels=2, hidden=24, layers=2, bidirectional=False)
    ),
    "0.2": Config(features="mfcc-deepspeech-0.2", model=DeepSpeech1Config(hidden=24, bidirectional=False)),
    "0.4": Config(features="mfcc-deepspeech-0.4", model=DeepSpeech1Config(hidden=24, bidirectional=False)),
    "0.5": Config(features="mfcc-deepspeech-0.5", model=DeepSpeech1Config(hidden=24, bidirectional=False)),
    "0.7": Config(features="mfcc-deepspeech-0.7", model=DeepSpeech1Config(hidden=24, bidirectional=False)),
    "live, LSTM": Config(
        features="log-spectrogram-live", model=DeepSpeech2Config(channels=2, hidden=24, layers=2, bidirectional=False)
    ),
    "live, GRU": Config(
        features="log-spectrogram-live",
        model=DeepSpeech2Config(channels=2, hidden=24, layers=2, cell="gru", bidirectional=False, lookahead=3),
    ),
}
STREAMS = ("0.2", "0.4", "0.5", "0.7", "live, LSTM", "live, GRU")


@dataclass(frozen=True)
class Runs:
    """Runs by the names of their kinds, made when they are asked for."""

    root: Path
    kinds = tuple(KINDS)
    streams = STREAMS

    def path(self, kind: str, change: Callable[[nn.Module], None] = lambda model: None, name: str = "") -> Path:
        """The folder of a run; its model may be changed first, under a name of its own."""
        run = self.root / (name or kind)
        if not run.exists():
            config = KINDS[kind]
            torch.manual_seed(1)
            model = build_model(config, FEATURES[config.features]().size, english().size)
            _as_if_trained(model)
            change(model)
            save(run, standing(config), model)
        return run

    def model(self, kind: str) -> RunModel:
        return open_run(self.path(kind), "cpu")

    @staticmethod
    def clip(samples: int, seed: int = 1) -> Pcm:
        """Noise that rises and falls."""
        chance = np.random.default_rng(seed)
        envelope = np.interp(np.arange(samples), np.linspace(0, samples, 50), chance.random(50) ** 2)
        clip: Pcm = (envelope * chance.normal(0, 2000, samples)).astype(np.int16)
        return clip


def _as_if_trained(model: nn.Module) -> None:
    """Statistics that are not those of the beginning, and outputs that are as sure of themselves as trained ones."""
    for name, parameter in model.named_parameters():
        if name in ("dense.weight", "h6.weight") or "weight_hh" in name:
            parameter.data *= 2 if "weight_hh" in name else 10
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d) and module is not getattr(model, "norm", None):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.2)
            assert module.running_mean is not None
            assert module.running_var is not None
            nn.init.normal_(module.running_mean, 0, 0.2)
            nn.init.uniform_(module.running_var, 0.1, 0.3)


def standing(config: Config, alphabet: Alphabet | None = None) -> Standing:
    from dsprep.trainer.scoring.errors import Errors

    words, characters = Errors(substitutions=1, words=40), Errors(deletions=3, words=200)
    epoch = EpochResult(epoch=1, loss=2.0, dev_loss=3.0, dev_words=words, dev_characters=characters, rate=1e-3)
    return Standing(
        config=config, alphabet=alphabet or english(), data="d" * 64, dev="e" * 64, epoch=1, history=(epoch,)
    )


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return Runs(tmp_path_factory.mktemp("runs"))
