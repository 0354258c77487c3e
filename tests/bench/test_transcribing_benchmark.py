"""The benchmark of transcribing runs, small."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "bench" / "transcribing_speed.py"


@pytest.mark.slow
def test_it_measures_a_file_its_clips_and_a_stream() -> None:
    command = [sys.executable, str(SCRIPT), "--minutes", "0.6", "--turns", "1", "--threads", "1"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    assert [line.split("  ")[0] for line in done.stdout.splitlines()[1:]] == [
        "bare: one file of 36 s",
        "transcribe",
        "bare: 14 clips of 2.5 s",
        "transcribe",
        "a stream, 0.1 s at a time",
    ]
