"""Real processes under torchrun: how many there are changes nothing but the rounding of sums."""

import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from dsprep.manifests import read_manifest
from dsprep.trainer.watching.ids import read_ids

SCRIPT = Path(__file__).with_name("some_steps.py")
SETTINGS = {
    "ds1-small": ["model.hidden=12", "model.dropout=0.0"],
    "ds2-small": ["model.hidden=12", "model.channels=2", "augment.masks=0"],
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("preset", "counts"), [("ds2-small", [3]), pytest.param("ds1-small", [2, 3], marks=pytest.mark.long)]
)
def test_several_processes_learn_what_one_learns(
    tmp_path: Path, digits: Path, preset: str, counts: list[int], torchrun: Any
) -> None:
    """Batches of 5, 2 and 1: some processes have nothing to do in a step."""
    for count in (1, *counts):
        (tmp_path / str(count)).mkdir()
        manifest, out = digits / "dev-clean.csv", tmp_path / str(count)
        status, told = torchrun.run(count, str(SCRIPT), str(manifest), str(out), preset, *SETTINGS[preset])
        assert status == 0, told[-3000:]
    for step in range(3):
        alone = safetensors.torch.load_file(tmp_path / "1" / f"{step}.safetensors")
        for count in counts:
            together = safetensors.torch.load_file(tmp_path / str(count) / f"{step}.safetensors")
            for name, value in alone.items():
                # A bias before batch normalisation has no gradient but rounding, of which Adam takes the sign.
                if not name.startswith(("conv1.bias", "conv2.bias")):
                    near = 1e-4 * max(1.0, float(value.abs().max())) if name.endswith(".grad") else 2e-3
                    assert torch.allclose(value, together[name], atol=near), (step, count, name)


@pytest.mark.long
def test_one_process_then_two_then_one_train_on_the_same_clips_in_the_same_order(
    tmp_path: Path, digits: Path, torchrun: Any
) -> None:
    data = ["--train", str(digits / "dev-clean.csv"), "--dev", str(digits / "test-clean.csv")]
    settings = ["model.hidden=256", "batch.samples=3", "train.epochs=3", "train.save_minutes=0"]
    given = ["train", *data, *(part for one in settings for part in ("--set", one)), "--log-ids", "--run"]
    command = ["-m", "dsprep", "--", *given]
    assert torchrun.run(1, *command, str(tmp_path / "whole"))[0] == 0
    run = tmp_path / "resized"
    for count, step in ((1, 2), (2, 7)):  # in mid-epoch: four steps each
        process = torchrun.begin(count, *command, str(run))
        wait_for(process, run, step)
        torchrun.kill(process)
    status, told = torchrun.run(1, *command, str(run))
    assert status == 0, told[-2000:]
    assert order(run) == order(tmp_path / "whole")
    assert len(order(tmp_path / "whole")) == 12
    ranks = [share.ranks for share in read_ids(run)]
    assert set(ranks) == {1, 2}
    assert ranks[0] == ranks[-1] == 1


def order(run: Path) -> dict[tuple[int, int], list[str]]:
    """The clips of each step, the ranks' parts one after the other."""
    found: dict[tuple[int, int], list[str]] = {}
    for share in read_ids(run):
        found.setdefault((share.epoch, share.step), []).extend(share.ids)
    return found


def wait_for(process: subprocess.Popen[str], run: Path, step: int) -> None:
    """Wait until there is a checkpoint of a step, or of one after it."""
    names = [f"{at // 4:05d}-{at % 4:06d}.safetensors" for at in range(step, 12)]
    while not any((run / "checkpoints" / name).exists() for name in names):
        assert process.poll() is None
        time.sleep(0.005)


@pytest.mark.long
def test_an_error_of_one_process_ends_all_and_is_told_in_a_line(tmp_path: Path, digits: Path, torchrun: Any) -> None:
    shutil.copytree(digits, tmp_path / "in")
    clip = read_manifest(tmp_path / "in" / "dev-clean.csv")[0].path
    clip.write_bytes(b"junk" + clip.read_bytes()[4:])
    manifest = str(tmp_path / "in" / "dev-clean.csv")
    given = ["train", "--train", manifest, "--dev", str(digits / "test-clean.csv"), "--run", str(tmp_path / "run")]
    status, told = torchrun.run(2, "-m", "dsprep", "--", *given, "--set", "model.hidden=16")
    assert status == 1
    errors = [line for line in told.splitlines() if line.startswith("Error: ")]
    assert len([line for line in errors if str(clip) in line]) == 1
    assert all(str(clip) in line or "another process has ended" in line for line in errors)
    status, told = torchrun.run(2, "-m", "dsprep", "--", *given, "--config", "nothing")
    assert "there is no config nothing" in told
    status, told = torchrun.run(2, "-m", "dsprep", "--", *given, "--init", str(tmp_path))
    assert len([line for line in told.splitlines() if "holds no whole checkpoint" in line]) == 1
    good = ["train", "--train", str(digits / "dev-clean.csv"), "--dev", str(digits / "test-clean.csv")]
    frozen = [*good, "--run", str(tmp_path / "frozen"), "--set", 'train.freeze=["nothing"]']
    status, told = torchrun.run(2, "-m", "dsprep", "--", *frozen)
    assert len([line for line in told.splitlines() if "there is no layer 'nothing'" in line]) == 1
