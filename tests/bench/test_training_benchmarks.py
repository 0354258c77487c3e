"""The benchmarks of training run, small and on the CPU: one of them may meet its first GPU without anybody watching."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"


def output(script: str, *words: str) -> str:
    command = [sys.executable, str(BENCH / script), *words]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_gpu_s_benchmark_measures_all_of_its_parts() -> None:
    rows = [json.loads(line) for line in output("gpu.py", "--tiny").splitlines() if line.startswith("{")]
    assert {next(iter(row)) for row in rows} == {"device", "check", "step", "share", "sequences", "ctc"}
    assert all(row["verdict"] == "same" for row in rows if "check" in row)
    assert {(row["step"], row["precision"]) for row in rows if "step" in row} == {
        (name, precision) for name in ("ds1", "ds2") for precision in ("bfloat16", "float32")
    }
    assert not any("ends" in row for row in rows)


@pytest.mark.slow
def test_the_step_s_benchmark_finds_equal_logits() -> None:
    told = output("training_speed.py", "--seconds", "1", "--hidden", "16", "--channels", "4", "--steps", "1")
    assert float(told.split("largest difference of a logit: ")[1].split()[0]) < 1e-5
    assert "dsprep, bfloat16" in told
