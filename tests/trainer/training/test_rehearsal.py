"""What would end a run hours later is told before its first step."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dsprep.manifests import OutputError, Sample, english, manifest_bytes
from dsprep.pipeline.sound.plain import wav_header
from dsprep.trainer.config import read_config
from dsprep.trainer.loading.data import read_data
from dsprep.trainer.training.training import train

LITTLE_MEMORY = """
import resource, sys
from pathlib import Path
import torch
from dsprep.manifests import DsprepError, english
from dsprep.trainer.config import read_config
from dsprep.trainer.loading.data import read_data
from dsprep.trainer.training.training import train

torch.set_num_threads(1)
data = read_data([Path(sys.argv[1])])
config = read_config("ds2-small", ["model.channels=32", "model.hidden=8", "batch.seconds=400", *sys.argv[4:]])
now = int(Path("/proc/self/statm").read_text().split()[0]) * 4096
resource.setrlimit(resource.RLIMIT_AS, (now + int(sys.argv[3]) * 10**6,) * 2)
try:
    train(config, english(), data, data, Path(sys.argv[2]))
except DsprepError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def long_clips(tmp_path_factory: pytest.TempPathFactory, make: Any) -> Path:
    """Eight clips of 20 s."""
    home = tmp_path_factory.mktemp("long")
    samples = []
    for number in range(8):
        sound = make.tone(20.0).tobytes()
        path = home / f"clip{number}.wav"
        path.write_bytes(wav_header(len(sound)) + sound)
        size = path.stat().st_size
        samples.append(Sample(id=path.stem, path=path, size=size, transcript="a", duration=20.0))
    (home / "clips.csv").write_bytes(manifest_bytes(samples, home))
    return home / "clips.csv"


def told(data: Path, run: Path, megabytes: int, *settings: str) -> str:
    command = [sys.executable, "-c", LITTLE_MEMORY, str(data), str(run), str(megabytes), *settings]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="the limit on memory is Linux's")
def test_a_batch_that_does_not_fit_in_memory_is_told_with_what_would(tmp_path: Path, long_clips: Path) -> None:
    line = told(long_clips, tmp_path / "run", 900)
    assert line.startswith("the batch of the longest clips (8 of up to 20.0 s) does not fit in the memory of cpu: add ")
    assert "--set batch.pieces=" in line
    assert not list((tmp_path / "run" / "checkpoints").glob("*"))
    assert "not even one by one: leave out long clips" in told(long_clips, tmp_path / "other", 120)


@pytest.mark.parametrize("pieces", [3, 8, 100])
def test_more_pieces_than_clips_fit_as_one_clip_does(tmp_path: Path, digits: Path, pieces: int) -> None:
    data = read_data([digits / "dev-clean.csv"])
    settings = ["model.hidden=8", "model.channels=1", "batch.samples=4", "train.epochs=1", f"batch.pieces={pieces}"]
    train(read_config("ds2-small", settings), english(), data, data, tmp_path / "run")


def test_a_disk_without_room_for_the_checkpoints_is_told(tmp_path: Path, digits: Path) -> None:
    data = read_data([digits / "dev-clean.csv"])
    huge = read_config("ds2-small", ["model.hidden=16", "model.channels=2", "train.keep=1000000"])
    with pytest.raises(OutputError, match=r"the checkpoints take up to \d+\.\d .B, and .* are free: make room"):
        train(huge, english(), data, data, tmp_path / "run")
