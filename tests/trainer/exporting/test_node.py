"""The example in Node.js writes what Python does, whole and in pieces.

It wants node, and examples/node's packages: `npm install --ignore-scripts` there, or a folder of them that
DSPREP_NODE_MODULES names.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from dsprep.trainer.acoustic.opening import open_model
from dsprep.trainer.decoding.greedy import Greedy
from dsprep.trainer.exporting.exporting import export

EXAMPLE = Path(__file__).parents[3] / "examples" / "node"
Run = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example with its packages."""
    modules = Path(os.environ.get("DSPREP_NODE_MODULES") or EXAMPLE / "node_modules")
    if not shutil.which("node"):
        pytest.skip("node is not installed")
    if not (modules / "onnxruntime-node").is_dir():
        pytest.skip("onnxruntime-node is not there: npm install --ignore-scripts in examples/node")
    home = tmp_path_factory.mktemp("node")
    for name in ("package.json", "index.js", "model.js", "wav.js"):
        shutil.copy(EXAMPLE / name, home / name)
    (home / "node_modules").symlink_to(modules.resolve(), target_is_directory=True)
    return home


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory, runs: Any) -> list[Path]:
    home = tmp_path_factory.mktemp("my sounds")
    files = []
    for seed, length in ((1, 40_000), (2, 700), (3, 23_457)):
        soundfile.write(home / f"{seed} ä.wav", runs.clip(length, seed), 16_000, subtype="PCM_16")
        files.append(home / f"{seed} ä.wav")
    return files


def node(example: Path, *words: object) -> Run:
    command = ["node", "index.js", *map(str, words)]
    return subprocess.run(command, cwd=example, capture_output=True, text=True, check=False, timeout=120)


def expected(place: Path, sounds: list[Path]) -> str:
    model = open_model(place)
    greedy, lines = Greedy(model.alphabet), []
    for file in sounds:
        pcm, _ = soundfile.read(file, dtype="int16")
        lines.append(f"{file}\t{greedy.decode(model.log_probs([np.asarray(pcm)])[0])[0].text}\n")
    return "".join(lines)


@pytest.mark.parametrize("kind", ["both ways, LSTM", "0.7", "live, GRU"])
def test_it_writes_what_python_does(example: Path, sounds: list[Path], runs: Any, tmp_path: Path, kind: str) -> None:
    export(runs.path(kind), tmp_path / "out")
    truth = expected(tmp_path / "out", sounds)
    assert len({line.split("\t")[1] for line in truth.splitlines()}) > 1
    for place in (tmp_path / "out", tmp_path / "out" / "model.onnx"):
        done = node(example, place, *sounds)
        assert (done.returncode, done.stdout) == (0, truth), done.stderr


@pytest.mark.parametrize("kind", ["0.7", "0.2", "live, LSTM", "live, GRU"])
def test_a_stream_writes_what_the_whole_does(
    example: Path, sounds: list[Path], runs: Any, tmp_path: Path, kind: str
) -> None:
    export(runs.path(kind), tmp_path / "out")
    done = node(example, "--stream", tmp_path / "out", *sounds)
    assert (done.returncode, done.stdout) == (0, expected(tmp_path / "out", sounds)), done.stderr


def test_a_mistake_is_one_line(example: Path, sounds: list[Path], runs: Any, tmp_path: Path) -> None:
    export(runs.path("both ways, LSTM"), tmp_path / "out")
    soundfile.write(tmp_path / "8.wav", np.zeros(800, np.int16), 8_000, subtype="PCM_16")
    (tmp_path / "cut.wav").write_bytes(sounds[0].read_bytes()[:20_000])
    (tmp_path / "head.wav").write_bytes(sounds[0].read_bytes()[:30])
    for words, told in (
        ([tmp_path / "out", tmp_path / "cut.wav"], "cut.wav is cut off"),
        ([tmp_path / "out", tmp_path / "head.wav"], "head.wav is cut off"),
        (["--stream", tmp_path / "out", sounds[0]], "this model hears no stream, for it hears both ways"),
        ([tmp_path / "out", tmp_path / "8.wav"], "is not 16 kHz, mono, 16 bits"),
        ([tmp_path / "out", tmp_path / "out" / "model.json"], "is no WAV file"),
        ([tmp_path / "gone", sounds[0]], "ENOENT"),
        ([], "usage: "),
    ):
        done = node(example, *words)
        assert done.returncode == 1
        assert told in done.stderr
        assert len([line for line in done.stderr.splitlines() if line]) == 1
