"""kill -9 at any step, and the same command again: one sha256 of the last checkpoint, however often."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

STEPS = 12
SETTINGS = ("model.hidden=16", "model.channels=2", "batch.samples=3", "train.epochs=3", "train.save_minutes=0")


def command(digits: Path, run: Path) -> list[str]:
    """Twelve steps on one thread: four in each of three epochs, a checkpoint after each."""
    data = ["--train", str(digits / "dev-clean.csv"), "--dev", str(digits / "test-clean.csv")]
    settings = [part for one in SETTINGS for part in ("--set", one)]
    return [sys.executable, "-m", "dsprep", "train", *data, "--run", str(run), *settings, "--deterministic"]


def finish(digits: Path, run: Path) -> str:
    """Run to the end; the sha256 of the last checkpoint."""
    subprocess.run(command(digits, run), capture_output=True, check=True, timeout=120)
    return hashlib.sha256((run / "checkpoints" / "00003-000000.safetensors").read_bytes()).hexdigest()


def kill(digits: Path, run: Path, step: int, later: float) -> bool:
    """Run, and kill so many seconds after a checkpoint of that step or a later one is there; whether it still ran."""
    process = subprocess.Popen(command(digits, run), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not any(done(path) >= step for path in run.glob("checkpoints/*.safetensors")):
        time.sleep(0.002)
    time.sleep(later)
    process.kill()
    return process.wait(30) == -signal.SIGKILL


def done(path: Path) -> int:
    epoch, step = path.name.partition(".")[0].split("-")
    return 4 * int(epoch) + int(step)


def killed_and_resumed(digits: Path, home: Path, steps: list[int], times: int) -> tuple[set[str], int]:
    chance, digests, kills = random.Random(5), set[str](), 0
    for step in steps:
        for time_ in range(times):
            run = home / f"killed {step} {time_} é"
            kills += kill(digits, run, step, chance.random() * 0.03)
            digests.add(finish(digits, run))
    return digests, kills


@pytest.mark.slow
def test_killed_and_resumed_it_ends_with_the_same_bytes(tmp_path: Path, digits: Path) -> None:
    digests, kills = killed_and_resumed(digits, tmp_path, [5], 1)
    assert digests == {finish(digits, tmp_path / "whole")}
    assert kills


@pytest.mark.long
def test_killed_at_every_step_twice_it_ends_with_the_same_bytes(tmp_path: Path, digits: Path) -> None:
    digests, kills = killed_and_resumed(digits, tmp_path, list(range(STEPS)), 2)
    assert digests == {finish(digits, tmp_path / "whole")}
    assert kills > STEPS


@pytest.mark.long
def test_a_rank_that_is_killed_costs_no_more_than_a_restart(tmp_path: Path, digits: Path, torchrun: Any) -> None:
    """torchrun restarts all ranks, which go on from the newest checkpoint."""

    def arguments(run: Path) -> list[str]:
        _, module, dsprep, *given = command(digits, run)
        return [module, dsprep, "--", *given]

    status, told = torchrun.run(2, *arguments(tmp_path / "whole"))
    assert status == 0, told[-3000:]
    restarts = ("--max-restarts", "3", "--shutdown-timeout", "5")
    process = torchrun.begin(2, *arguments(tmp_path / "killed"), options=restarts)
    killed = set[int]()
    for step in (2, 6):
        while not any(done(path) >= step for path in (tmp_path / "killed").glob("checkpoints/*.safetensors")):
            assert process.poll() is None
            time.sleep(0.01)
        while not (alive := set(torchrun.workers(process)) - killed):
            time.sleep(0.01)
        killed |= alive
        os.kill(random.Random(step).choice(sorted(alive)), signal.SIGKILL)
    told = "".join(process.communicate(timeout=240))
    assert process.returncode == 0, told[-3000:]
    last = [tmp_path / name / "checkpoints" / "00003-000000.safetensors" for name in ("whole", "killed")]
    assert last[0].read_bytes() == last[1].read_bytes()
