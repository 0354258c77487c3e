"""Real processes under torchrun: how many there are changes nothing but the rounding of sums."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import safetensors.torch
import torch

from dsprep.trainer.watching.ids import read_ids

SCRIPT = Path(__file__).with_name("some_steps.py")
SETTINGS = {
    "ds1-small": ["model.hidden=12", "model.dropout=0.0"],
    "ds2-small": ["model.hidden=12", "model.channels=2", "augment.masks=0"],
}


def torchrun(count: int, *command: str) -> subprocess.CompletedProcess[str]:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run([*launcher, *command], env=env, capture_output=True, text=True, timeout=240, check=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("preset", "counts"), [("ds2-small", [3]), pytest.param("ds1-small", [2, 3], marks=pytest.mark.long)]
)
def test_several_processes_learn_what_one_learns(tmp_path: Path, digits: Path, preset: str, counts: list[int]) -> None:
    """Batches of 5, 2 and 1: some processes have nothing to do in a step."""
    for count in (1, *counts):
        (tmp_path / str(count)).mkdir()
        manifest, out = digits / "dev-clean.csv", tmp_path / str(count)
        done = torchrun(count, str(SCRIPT), str(manifest), str(out), preset, *SETTINGS[preset])
        assert done.returncode == 0, done.stderr[-3000:]
    for step in range(3):
        alone = safetensors.torch.load_file(tmp_path / "1" / f"{step}.safetensors")
        for count in counts:
            together = safetensors.torch.load_file(tmp_path / str(count) / f"{step}.safetensors")
            for name, value in alone.items():
                # A bias before batch normalisation has no gradient but rounding, of which Adam takes the sign.
                if not name.startswith(("conv1.bias", "conv2.bias")):
                    near = 1e-4 * max(1.0, float(value.abs().max())) if name.endswith(".grad") else 2e-3
                    assert torch.allclose(value, together[name], atol=near), (step, count, name)


@pytest.mark.slow
def test_one_process_then_two_then_one_train_on_the_same_clips_in_the_same_order(tmp_path: Path, digits: Path) -> None:
    data = ["--train", str(digits / "dev-clean.csv"), "--dev", str(digits / "test-clean.csv")]
    settings = ["model.hidden=256", "batch.samples=3", "train.epochs=3", "train.save_minutes=0"]
    given = ["train", *data, *(part for one in settings for part in ("--set", one)), "--log-ids"]

    def run(name: str, count: int) -> subprocess.CompletedProcess[str]:
        return torchrun(count, "-m", "dsprep", "--", *given, "--run", str(tmp_path / name))

    assert run("whole", 1).returncode == 0
    stopped = 0
    for count, step in ((1, 2), (2, 7)):  # in mid-epoch: four steps each
        stopped += stop(tmp_path / "resized", count, step, given)
    assert stopped
    done = run("resized", 1)
    assert done.returncode == 0, done.stderr[-2000:]
    assert order(tmp_path / "resized") == order(tmp_path / "whole")
    assert len(order(tmp_path / "whole")) == 12
    ranks = [share.ranks for share in read_ids(tmp_path / "resized")]
    assert set(ranks) == {1, 2}
    assert ranks[0] == ranks[-1] == 1


def order(run: Path) -> dict[tuple[int, int], list[str]]:
    """The clips of each step, the ranks' parts one after the other."""
    found: dict[tuple[int, int], list[str]] = {}
    for share in read_ids(run):
        found.setdefault((share.epoch, share.step), []).extend(share.ids)
    return found


def stop(run: Path, count: int, step: int, given: list[str]) -> bool:
    """Train until there is a checkpoint of a step, then kill all; whether they still ran."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
    command = [*launcher, "-m", "dsprep", "--", *given, "--run", str(run)]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL)
    names = [f"{at // 4:05d}-{at % 4:06d}.safetensors" for at in range(step, 12)]
    while process.poll() is None and not any((run / "checkpoints" / name).exists() for name in names):
        time.sleep(0.005)
    if process.poll() is not None:
        return False
    workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()  # sessions of their own
    for pid in (process.pid, *map(int, workers)):
        os.kill(pid, signal.SIGKILL)
    return process.wait(30) == -signal.SIGKILL
