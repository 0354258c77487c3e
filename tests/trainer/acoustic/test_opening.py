"""A model is opened by what lies there; what is no model is one sentence."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from dsprep.manifests import Alphabet, DataError, DsprepError, UsageError, english
from dsprep.trainer.acoustic.onnx_file import Net, OnnxModel
from dsprep.trainer.acoustic.opening import open_model
from dsprep.trainer.acoustic.run import RunModel, open_run
from dsprep.trainer.config import Config, DeepSpeech1Config
from dsprep.trainer.exporting.exporting import export
from dsprep.trainer.exporting.wire import read_facts
from dsprep.trainer.features import FEATURES
from dsprep.trainer.models import build_model
from dsprep.trainer.training.checkpoint import save
from dsprep.trainer.training.standing import Standing

CONFIG = Config(features="mfcc-deepspeech-0.7", model=DeepSpeech1Config(hidden=16, bidirectional=False))
CLIP = (np.random.default_rng(1).normal(0, 2000, 9000)).astype(np.int16)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("run") / "a run"
    model = build_model(CONFIG, FEATURES[CONFIG.features]().size, english().size)
    save(run, Standing(config=CONFIG, alphabet=english(), data="", dev=""), model)
    return run


@pytest.fixture(scope="module")
def out(run: Path) -> Path:
    export(run, run.parent / "exported")
    return run.parent / "exported"


def test_a_run_a_folder_and_a_file_are_known_by_what_they_hold(run: Path, out: Path) -> None:
    assert isinstance(open_model(run), RunModel)
    truth = open_run(run, "cpu").log_probs([CLIP])[0]
    for place in (out, out / "model.onnx"):
        found = open_model(place, "cpu", threads=1)
        assert isinstance(found, OnnxModel)
        assert np.abs(found.log_probs([CLIP])[0] - truth).max() < 1e-4


def test_a_file_that_is_replaced_or_taken_away_while_it_is_opened_is_told(out: Path, tmp_path: Path) -> None:
    """What is read first lies at the second path, what the runtime reads at the first."""
    with pytest.raises(DataError, match=r"model\.onnx was replaced while it was opened: type the same command again"):
        Net(out / "model.stream.onnx", out / "model.onnx", "cpu", 1)
    with pytest.raises(DataError, match=r"model\.onnx: this onnxruntime cannot load it"):
        Net(tmp_path / "gone.onnx", out / "model.onnx", "cpu", 1)


def test_a_file_is_at_home_under_any_name(out: Path, tmp_path: Path) -> None:
    shutil.copy(out / "model.onnx", tmp_path / "Größe 1.bin")
    model = open_model(tmp_path / "Größe 1.bin")
    assert len(model.log_probs([CLIP])[0])
    with pytest.raises(UsageError, match=r"Größe 1\.stream\.bin is not there"):
        model.stream()


@pytest.mark.parametrize(
    ("name", "made", "told"),
    [
        ("gone", None, "there is no model"),
        ("empty", "folder", "is neither a run nor an export"),
        ("empty.onnx", b"", "is empty"),
        ("text.onnx", b"Hello, World\n" * 100, "is not an ONNX file, or is cut off"),
        ("best.safetensors", b"\x08\0\0\0\0\0\0\0{}      ", "is not an ONNX file"),
    ],
)
def test_what_is_no_model_is_one_sentence(tmp_path: Path, name: str, made: Any, told: str) -> None:
    if made == "folder":
        (tmp_path / name).mkdir()
    elif made is not None:
        (tmp_path / name).write_bytes(made)
    with pytest.raises((UsageError, DataError), match=told) as caught:
        open_model(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_file_for_streams_is_told_from_one_for_whole_utterances(out: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"hears nothing but pieces of a stream: name .*model\.onnx"):
        open_model(out / "model.stream.onnx")
    for name in ("model.onnx", "model.stream.onnx"):
        shutil.copy(out / "model.onnx", tmp_path / name)
    with pytest.raises(DataError, match="does not hear streams"):
        open_model(tmp_path).stream()


def test_a_stream_of_another_model_is_not_taken_for_its_own(out: Path, tmp_path: Path) -> None:
    model = build_model(CONFIG, FEATURES[CONFIG.features]().size, english().size)
    save(tmp_path / "run", Standing(config=CONFIG, alphabet=english(), data="", dev=""), model)
    export(tmp_path / "run", tmp_path / "out")
    shutil.copy(out / "model.stream.onnx", tmp_path / "out" / "model.stream.onnx")
    with pytest.raises(DataError, match="is of another model than"):
        open_model(tmp_path / "out").stream()


def test_a_graph_that_is_not_what_its_facts_say_is_told(out: Path, tmp_path: Path) -> None:
    import onnx

    from dsprep.trainer.exporting.drafting import drafted

    facts = read_facts(out / "model.onnx")
    for name, change in (
        ("alphabet", {"alphabet": Alphabet(("a", "b"), 2)}),
        ("kind", {"kind": "stream"}),
    ):
        data = drafted(name, onnx.load(out / "model.onnx"), replace(facts, **change)).data
        (tmp_path / f"{name}.onnx").write_bytes(data)
        with pytest.raises(DataError, match="does not hold the graph that it speaks of"):
            open_model(tmp_path / f"{name}.onnx")


@pytest.mark.parametrize("device", ["cuda", "mps", "tpu"])
def test_a_device_that_is_not_there_is_told(out: Path, device: str) -> None:
    from onnxruntime import get_available_providers  # type: ignore[attr-defined]

    if device == "cuda" and "CUDAExecutionProvider" in get_available_providers():
        pytest.skip("there is one")
    with pytest.raises(UsageError, match=f"--device {device}"):
        open_model(out, device)


def test_no_clips_give_nothing_and_an_empty_clip_disturbs_no_other(out: Path) -> None:
    model = open_model(out)
    assert model.log_probs([]) == []
    alone = model.log_probs([CLIP])[0]
    empty, beside = model.log_probs([np.zeros(0, np.int16), CLIP])
    assert empty.shape == (1, 29)
    assert np.abs(beside - alone).max() < 1e-5
    assert model.log_probs([np.zeros(0, np.int16)])[0].shape == (1, 29)


WITHOUT_TORCH = """
import sys
for name in ("torch", "safetensors", "onnx", "onnxscript", "jiwer"):
    sys.modules[name] = None                      # whoever imports it fails
from pathlib import Path
import numpy as np, soundfile
from dsprep.trainer.acoustic.opening import open_model
from dsprep.trainer.decoding.decoding import Decoding
model = open_model(Path(sys.argv[1]))
pcm, rate = soundfile.read(sys.argv[2], dtype="int16")
stream = model.stream()
log_probs = model.log_probs([pcm])[0]
heard = np.concatenate([stream.feed(pcm[:4000]), stream.feed(pcm[4000:]), stream.end()])
assert np.abs(heard - log_probs).max() < 1e-4
print(Decoding().decoder(model.alphabet).decode(log_probs)[0].text)
"""


def test_it_hears_where_there_is_no_torch(out: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", CLIP, 16_000, subtype="PCM_16")
    command = [sys.executable, "-W", "error", "-c", WITHOUT_TORCH, str(out), str(tmp_path / "a.wav")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    from dsprep.trainer.decoding.greedy import Greedy

    model = open_model(out)
    assert done.stdout == Greedy(model.alphabet).decode(model.log_probs([CLIP])[0])[0].text + "\n"
    assert done.stderr == ""


def test_a_package_that_is_missing_is_told_with_what_to_install(out: Path) -> None:
    code = (
        "import sys, importlib.util as u\n"
        "find = u.find_spec\n"
        "sys.meta_path.insert(0, type('No', (), {'find_spec': staticmethod(lambda name, *rest: (_ for _ in ()).throw("
        "ModuleNotFoundError(name)) if name == 'onnxruntime' else None)}))\n"
        "from dsprep.trainer.acoustic.opening import open_model\n"
        "from pathlib import Path\n"
        "from dsprep.manifests import MissingExtraError\n"
        "try: open_model(Path(sys.argv[1]))\n"
        "except (MissingExtraError, ModuleNotFoundError) as error: print(type(error).__name__, error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(out)], capture_output=True, text=True, check=True)
    assert "onnxruntime" in done.stdout


def test_errors_of_opening_are_errors_of_ours(out: Path, tmp_path: Path) -> None:
    data = bytearray((out / "model.onnx").read_bytes())
    for place in range(0, len(data), len(data) // 40):
        (tmp_path / "cut.onnx").write_bytes(data[:place])
        with pytest.raises(DsprepError):
            open_model(tmp_path / "cut.onnx")


def test_what_may_not_be_looked_at_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read .*: File name too long"):
        open_model(tmp_path / ("x" * 300))
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="there is no model"):
        open_model(tmp_path / "file" / "below")
