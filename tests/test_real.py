"""Real speech through the real commands, where DSPREP_CORPORA names it."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dsprep.manifests import read_manifest


def dsprep(*arguments: object) -> str:
    command = [sys.executable, "-m", "dsprep", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_one_sentence_of_ldc93s1_is_learnt_by_heart(real: Path, tmp_path: Path) -> None:
    dsprep("import", "ldc93s1", tmp_path / "ldc", "--source", real / "ldc93s1")
    manifest = tmp_path / "ldc" / "ldc93s1.csv"
    (sample,) = read_manifest(manifest)
    assert sample.transcript == "she had your dark suit in greasy wash water all year"
    assert (sample.size, sample.duration) == (93638, 46797 / 16000)
    assert sample.path.read_bytes() == (real / "ldc93s1" / "LDC93S1.wav").read_bytes()
    settings = ["--config", "ds1-small", "--set", "train.epochs=80"]
    dsprep("train", "--train", manifest, "--dev", manifest, "--run", tmp_path / "run", *settings)
    assert dsprep("evaluate", tmp_path / "run", manifest).startswith("WER   0.00%")


@pytest.mark.slow
def test_the_digits_come_out_the_same_however_they_are_imported(real: Path, tmp_path: Path, make: Any) -> None:
    parts = ["--part", "dev-other", "--part", "test-other"]
    for workers in (1, 2):
        dsprep(
            "import", "librispeech", tmp_path / str(workers), "--source", real / "librispeech", *parts,
            "--workers", workers,
        )  # fmt: skip
    assert make.tree(tmp_path / "1") == make.tree(tmp_path / "2")
    assert len(read_manifest(tmp_path / "1" / "dev-other.csv")) == 100
    assert len(read_manifest(tmp_path / "1" / "test-other.csv")) == 200
    assert "every byte as written" in dsprep("verify", tmp_path / "1", "--deep")


def test_genuine_librispeech_utterances_are_read(real: Path, tmp_path: Path) -> None:
    dsprep("import", "librispeech", tmp_path / "out", "--source", real / "librispeech", "--part", "dev-clean")
    one, two = read_manifest(tmp_path / "out" / "dev-clean.csv")
    assert one.transcript.startswith("if the reader will excuse me i will say nothing of my antecedents")
    assert two.id == "2412-153948-0001"
    assert one.duration is not None
    assert 11 < one.duration < 12


@pytest.mark.slow
def test_the_demo_understands_sentences_it_never_heard(tmp_path: Path) -> None:
    pytest.importorskip("espeakng_loader")
    if shutil.disk_usage(tmp_path).free < 10**9:
        pytest.skip("less than 1 GB free")
    shown = dsprep("demo", tmp_path / "demo")
    (line,) = [line for line in shown.splitlines() if line.startswith("WER on test-clean")]
    assert float(line.split()[-1].rstrip("%")) < 15
