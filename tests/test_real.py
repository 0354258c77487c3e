"""Real speech through the real commands, where DSPREP_CORPORA names it."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from dsprep.manifests import read_manifest
from dsprep.pipeline.sound.audio import decode


def dsprep(*arguments: object) -> str:
    command = [sys.executable, "-m", "dsprep", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.long
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


def test_every_row_of_common_voice_is_accounted_for(real: Path, tmp_path: Path) -> None:
    shown = dsprep("import", "commonvoice", tmp_path / "out", "--source", real / "commonvoice")
    rows = {line.split()[0]: line.split()[1:3] for line in shown.splitlines() if line.split()[-1].endswith("%")}
    assert rows == {
        part: [str(count), str(count)]
        for part, count in {
            "train": 1600, "dev": 120, "test": 200, "validated": 1920, "invalidated": 40, "other": 40
        }.items()
    }  # fmt: skip
    texts = {sample.transcript for sample in read_manifest(tmp_path / "out" / "train.csv")}
    assert texts == {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"}


@pytest.mark.long
def test_killed_at_any_instant_common_voice_ends_in_the_same_bytes(real: Path, tmp_path: Path, make: Any) -> None:
    """Two workers and their parent are killed at once; CI kills 3 times, DSPREP_KILLS says how often elsewhere."""
    command = [sys.executable, "-m", "dsprep", "import", "commonvoice", "--source", str(real / "commonvoice")]
    command += ["--part", "train", "--workers", "2"]
    began = time.monotonic()
    dsprep(*command[3:], tmp_path / "undisturbed")
    longest, expected = time.monotonic() - began, make.tree(tmp_path / "undisturbed")
    chance = random.Random(0)
    for number in range(int(os.environ.get("DSPREP_KILLS", "3"))):
        out = tmp_path / str(number)
        process = subprocess.Popen([*command, str(out)], start_new_session=True, stderr=subprocess.DEVNULL)
        time.sleep(longest * chance.random())
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        dsprep(*command[3:], out)
        assert make.tree(out) == expected
        shutil.rmtree(out)


def test_a_talk_s_cuts_are_the_single_recordings(real: Path, tmp_path: Path) -> None:
    shown = dsprep("import", "stm", tmp_path / "out", "--source", real / "stm")
    assert "stm: left out 4, 0.00 h: excluded" in shown
    samples = read_manifest(tmp_path / "out" / "stm.csv")
    joined = {one.transcript: one for one in samples if one.id.startswith("JoinedTalk_2026")}
    single = {one.transcript: one for one in samples if not one.id.startswith("JoinedTalk_2026")}
    assert len(samples) == 8
    assert joined.keys() == single.keys()
    for text, one in joined.items():
        cut, whole = (decode(path.read_bytes()) for path in (one.path, single[text].path))
        assert abs(len(cut) - len(whole)) <= 1
        length = min(len(cut), len(whole))
        assert any(
            (cut[max(0, shift) : length + min(0, shift)] == whole[max(0, -shift) : length - max(0, shift)]).all()
            for shift in (-1, 0, 1)
        )


@pytest.mark.long
def test_the_demo_understands_sentences_it_never_heard(tmp_path: Path) -> None:
    pytest.importorskip("espeakng_loader")
    if shutil.disk_usage(tmp_path).free < 10**9:
        pytest.skip("less than 1 GB free")
    shown = dsprep("demo", tmp_path / "demo")
    (line,) = [line for line in shown.splitlines() if line.startswith("WER on test-clean")]
    assert float(line.split()[-1].rstrip("%")) < 15
