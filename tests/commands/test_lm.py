"""`dsprep lm` and the options of decoding, as typed."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dsprep.cli import main
from dsprep.manifests import english
from dsprep.trainer.config import read_config
from dsprep.trainer.models import build_model
from dsprep.trainer.training.checkpoint import save
from dsprep.trainer.training.standing import Standing


def dsprep(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that has learnt nothing."""
    config, folder = read_config("ds2-small", ["model.hidden=8", "model.channels=2"]), tmp_path_factory.mktemp("run")
    save(folder, Standing(config=config, alphabet=english(), data="a", dev="b", epoch=1), build_model(config, 161, 29))
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, digits: Path) -> Path:
    path = tmp_path_factory.mktemp("my mödel") / "3gram.arpa"
    done = dsprep("lm", "build", digits / "dev-clean.csv", path, "--discount-fallback")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[0].split() == ["order", "n-grams", "D1", "D2", "D3+"]
    assert done.stdout.endswith(f"written to {path}\n")
    return path


def test_a_model_of_transcripts_decodes_and_is_tuned(run: Path, model: Path, digits: Path, tmp_path: Path) -> None:
    pytest.importorskip("flashlight.lib.text", reason="flashlight-text is not installed: there is none for this Python")
    heard = dsprep("evaluate", run, digits / "test-clean.csv", "--lm", model, "--beam", 10, "--hot-word", "nine=2")
    assert heard.exit_code == 0, heard.output
    for number, options in enumerate((["--beam", 10], ["--lm", model, "--beam", 10, "--hot-word", "nine=2"])):
        home = tmp_path / f"report {number}"
        done = dsprep("evaluate", run, digits / "test-clean.csv", *options, "--report", home)
        assert done.exit_code == 0, done.output
        assert "beam 10" in (home / "report.html").read_text()
    asked: list[Any] = ["lm", "tune", run, digits / "test-clean.csv", "--lm", model, "--beam", 5, "--workers", 1]
    tuned = dsprep(*asked, "--json", tmp_path / "t.json", "--logits", tmp_path / "logits.f32")
    assert tuned.exit_code == 0, tuned.output
    found = json.loads((tmp_path / "t.json").read_text())
    assert found["best"]["wer"] == min(one["wer"] for one in found["trials"])
    assert f"--alpha {found['best']['alpha']:.6g} --beta {found['best']['beta']:.6g}" in tuned.stdout
    assert (tmp_path / "logits.f32").is_file()
    assert not (run / "logits").exists()
    alone = dsprep(*asked, "--json", "-", "--logits", tmp_path / "logits.f32")
    assert json.loads(alone.stdout) == found


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--alpha", "high"], "--alpha high: it is a number"),
        (["--alpha", "1"], "name it with --lm"),
        (["--beam", "0"], "--beam 0: it is a number from 1 to"),
        (["--hot-word", "nine"], "--hot-word nine: it is a word and what it adds"),
        (["--hot-word", "nine=x"], "--hot-word nine=x"),
        (["--beam-threshold", "-1"], "--beam-threshold -1.0"),
    ],
)
def test_options_that_mean_nothing_are_told_before_anything_is_read(options: list[str], told: str) -> None:
    done = dsprep("evaluate", "gone", "gone.csv", *options)
    assert done.exit_code == 1
    assert told in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_model_that_is_none_is_told(run: Path, digits: Path, tmp_path: Path) -> None:
    pytest.importorskip("flashlight.lib.text", reason="flashlight-text is not installed: there is none for this Python")
    (tmp_path / "lm").write_text("one two")
    done = dsprep("evaluate", run, digits / "test-clean.csv", "--lm", tmp_path / "lm")
    assert done.exit_code == 1
    assert "is no language model" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["build", "gone", "lm"], "gone cannot be read: No such file"),
        (["build", "gone", "lm", "--order", "9"], "--order 9"),
        (["build", "gone", "lm", "--order", "1"], "--order 1: the longest n-grams have 2 to 6 words"),
        (["build", "gone", "lm", "--prune", "0,x"], "--prune 0,x: it is a whole number for each order"),
        (["build", "gone", "lm", "--memory", "lots"], "--memory lots: a size is a number and a unit"),
        (["build", "gone", "lm", "--text", "plian"], "did you mean plain?"),
        (["tune", "run", "dev.csv"], "needs --lm FILE"),
        (["tune", "run", "dev.csv", "--lm", "x", "--beta", "1"], "leave --alpha and --beta out"),
    ],
)
def test_mistakes_cost_one_line(arguments: list[str], told: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    done = dsprep("lm", *arguments)
    assert done.exit_code == 1, done.output
    assert told in done.stderr
    assert not list(tmp_path.iterdir())
