"""`dsprep export` as a user meets it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dsprep.manifests import english
from dsprep.trainer.config import Config, DeepSpeech1Config
from dsprep.trainer.features import FEATURES
from dsprep.trainer.models import build_model
from dsprep.trainer.training.checkpoint import save
from dsprep.trainer.training.standing import Standing

Run = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("home") / "run"
    config = Config(features="mfcc-deepspeech-0.7", model=DeepSpeech1Config(hidden=16, bidirectional=False))
    model = build_model(config, FEATURES[config.features]().size, english().size)
    save(run, Standing(config=config, alphabet=english(), data="", dev=""), model)
    return run


def dsprep(*words: object, cwd: Path) -> Run:
    command = [sys.executable, "-W", "error", "-m", "dsprep", "export", *map(str, words)]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=300)


def test_it_tells_the_files_their_sizes_and_their_error_rates(tmp_path: Path, run: Path, digits: Path) -> None:
    done = dsprep(run, "my möd el", "--data", digits / "test-clean.csv", "--int8", "--most-change", "100", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    header, *rows = (line.split() for line in done.stdout.splitlines())
    assert header == ["file", "MB", "WER"]
    names = ["model.onnx", "model.stream.onnx", "model.int8.onnx", "model.int8.stream.onnx"]
    assert [row[0] for row in rows] == names
    assert all(row[2].endswith("%") for row in rows)
    assert "checked on 17 clips: within " in done.stderr
    assert {path.name for path in (tmp_path / "my möd el").iterdir()} == {*names, "model.json", "README.md"}


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["gone", "out"], 1, "gone holds no whole checkpoint"),
        (["{run}", "out.onnx"], 1, "name a folder"),
        (["{run}", "out", "--int8"], 1, "name data with --data"),
        (["{run}", "out", "--data", "gone.csv"], 1, "there is no manifest gone.csv"),
        (["{run}", "{run}"], 1, "is a run: name another folder"),
        (["{run}", "out", "--most-change", "-1"], 2, "not in the range"),
        (["{run}", "s3://bucket/out"], 1, "this takes a path on this machine, not a URL"),
        (["{run}"], 2, "Missing argument 'OUT'"),
    ],
)
def test_a_mistake_costs_one_line_and_leaves_no_file(
    tmp_path: Path, run: Path, words: list[str], code: int, told: str
) -> None:
    done = dsprep(*(word.format(run=run) for word in words), cwd=tmp_path)
    assert done.returncode == code
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert (done.stdout, list(tmp_path.iterdir())) == ("", [])
    if code == 1:
        assert len(done.stderr.splitlines()) == 1
