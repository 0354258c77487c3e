"""From Python: the document's examples run, shapes are as it says, and what cannot be heard is told."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from dsprep.manifests import DataError, UsageError, english
from dsprep.trainer import load, logits, transcribe
from dsprep.trainer.config import Config, DeepSpeech1Config, DeepSpeech2Config
from dsprep.trainer.features import FEATURES
from dsprep.trainer.models import build_model
from dsprep.trainer.training.checkpoint import save
from dsprep.trainer.training.standing import Standing

DOCUMENT = Path(__file__).parents[2] / "docs" / "python.md"
DS1 = DeepSpeech1Config(hidden=8, bidirectional=False)
DS2 = DeepSpeech2Config(channels=2, hidden=8, layers=1)


def home_of(folder: Path, config: Config) -> Path:
    """A folder with `run` and `talk.wav`, as the document has them."""
    torch.manual_seed(1)
    features = FEATURES[config.features]()
    model = build_model(config, features.size, english().size)
    save(folder / "run", Standing(config=config, alphabet=english(), data="", dev=""), model)
    samples = np.random.default_rng(1).normal(0, 2000, 40_000).astype(np.int16)
    soundfile.write(folder / "talk.wav", samples, 16_000, subtype="PCM_16")
    return folder


@pytest.mark.parametrize(
    "config",
    [Config(model=DS2), Config(features="mfcc-deepspeech-0.7", model=DS1)],
    ids=["both ways", "forwards"],
)
def test_the_document_s_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: Config) -> None:
    monkeypatch.chdir(home_of(tmp_path, config))
    examples = re.findall(r"^```python\n(.*?)^```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    assert len(examples) >= 5
    exec(compile("\n".join(examples), str(DOCUMENT), "exec"), {})


@pytest.mark.parametrize(
    ("features", "steps"),
    [
        ("log-spectrogram", lambda n: (1 + n // 160 + 1) // 2),
        ("mfcc-deepspeech-0.1", lambda n: (1 + -(-(n - 400) // 160) + 1) // 2),
        ("mfcc-deepspeech-0.4", lambda n: 1 + -(-(n - 512) // 320)),
        ("mfcc-deepspeech-0.7", lambda n: 1 + (n - 512) // 320),
    ],
)
def test_logits_have_the_shape_that_the_document_says(tmp_path: Path, features: str, steps: object) -> None:
    assert callable(steps)
    config = Config(features=features, model=DS2 if features == "log-spectrogram" else DS1)
    model = load(home_of(tmp_path, config) / "run", "cpu")
    for samples in (513, 832, 16_000, 16_001, 46_797):
        found = logits(model, (np.zeros(samples, np.int16), 16_000))
        assert found.shape == (steps(samples), 29)
        assert found.dtype == np.float32


def test_what_cannot_be_heard_is_told(tmp_path: Path) -> None:
    model = load(home_of(tmp_path, Config(model=DS2)) / "run", "cpu")
    (tmp_path / "empty.wav").touch()
    for hear in (transcribe, logits):
        with pytest.raises(DataError, match=r"gone\.wav: No such file"):
            hear(model, tmp_path / "gone.wav")
        with pytest.raises(DataError, match=r"empty\.wav: it is empty"):
            hear(model, str(tmp_path / "empty.wav"))
        with pytest.raises(DataError, match="holds no sound"):
            hear(model, (np.zeros(0, np.float32), 8000))
        with pytest.raises(UsageError, match="int16 or floating point"):
            hear(model, (np.zeros(5, np.uint8), 8000))
        for audio in (None, 5, (np.zeros(5, np.int16),), (np.zeros(5, np.int16), 8000, 1)):
            with pytest.raises(UsageError, match=r"a sound is a path, or \(samples, rate\), not"):
                hear(model, audio)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="is neither a run nor an export"):
        load(tmp_path)


def test_the_package_is_light_until_one_of_them_is_asked_for() -> None:
    code = (
        "import sys, dsprep.trainer\n"
        "assert not {'torch', 'numpy'} & set(sys.modules)\n"
        "import dsprep.trainer.transcribing.transcribing, dsprep.trainer.transcribing.live, dsprep.trainer.listening\n"
        "assert 'torch' not in sys.modules\n"
        "assert dsprep.trainer.load.__name__ == 'load'\n"
        "try:\n"
        "    dsprep.trainer.nothing\n"
        "except AttributeError as error:\n"
        "    print(error)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout == "module 'dsprep.trainer' has no attribute 'nothing'\n"
