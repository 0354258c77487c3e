"""Real processes under torchrun: how many there are changes nothing but the rounding of sums."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import safetensors.torch
import torch

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
@pytest.mark.parametrize(("preset", "counts"), [("ds1-small", [3]), ("ds2-small", [2, 3])])
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
