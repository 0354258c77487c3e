"""Checkpoints: what was cut off or has one wrong bit is told and never used."""

import random
from pathlib import Path

import pytest
import torch

from dsprep.manifests import TrainingError, english
from dsprep.pipeline.commit import record_path
from dsprep.trainer.config import Config, DeepSpeech2Config
from dsprep.trainer.models import Model, build_model
from dsprep.trainer.training.checkpoint import Checkpoint, best, newest, save, weights_of
from dsprep.trainer.training.standing import Standing

CONFIG = Config(model=DeepSpeech2Config(channels=1, hidden=2, layers=1))


def model(seed: int) -> Model:
    torch.manual_seed(seed)
    return build_model(CONFIG, 161, 29)


def assert_weights(found: Checkpoint, seed: int) -> None:
    weights = weights_of(found.tensors)
    expected = model(seed).state_dict()
    assert weights.keys() == expected.keys()
    assert all(torch.equal(one, expected[name]) for name, one in weights.items())


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of two checkpoints, of 30 kB each."""
    for epoch in (1, 2):
        save(tmp_path, Standing(config=CONFIG, alphabet=english(), data="a", dev="b", epoch=epoch), model(epoch))
    return tmp_path


def files(run: Path) -> list[Path]:
    """The newest checkpoint and its record."""
    path = max((run / "checkpoints").glob("*.safetensors"))
    return [path, record_path(path)]


def assert_the_one_before_is_used(run: Path, damaged: Path) -> None:
    notices: list[str] = []
    found = newest(run, notices.append)
    assert found
    assert found.standing.epoch == 1
    assert_weights(found, 1)
    assert len(notices) == 1
    assert str(damaged) in notices[0]


def put_back(run: Path, whole: dict[Path, bytes]) -> None:
    for path, data in whole.items():
        path.write_bytes(data)


def test_what_was_saved_is_found(run: Path) -> None:
    notices: list[str] = []
    found = newest(run, notices.append)
    assert found
    assert (found.standing.epoch, notices) == (2, [])
    assert_weights(found, 2)


@pytest.mark.parametrize("which", [0, 1])
def test_every_cut_is_told_and_the_one_before_is_used(run: Path, which: int) -> None:
    victim, whole = files(run)[which], {path: path.read_bytes() for path in files(run)}
    for size in range(0, len(whole[victim]), 512):
        put_back(run, whole)
        victim.write_bytes(whole[victim][:size])
        assert_the_one_before_is_used(run, files(run)[0])


def flip(run: Path, seed: int, times: int) -> None:
    chance, whole = random.Random(seed), {path: path.read_bytes() for path in files(run)}
    names = list(whole)
    for _ in range(times):
        put_back(run, whole)
        victim = chance.choice(names)
        broken = bytearray(whole[victim])
        broken[chance.randrange(len(broken))] ^= 1 << chance.randrange(8)
        victim.write_bytes(broken)
        assert_the_one_before_is_used(run, names[0])


def test_a_flipped_bit_is_told_and_the_one_before_is_used(run: Path) -> None:
    flip(run, 1, 300)


@pytest.mark.long
def test_ten_thousand_flipped_bits_are_told(run: Path) -> None:
    flip(run, 2, 10_000)


def test_a_run_whose_checkpoints_are_all_damaged_is_none(run: Path) -> None:
    for path in (run / "checkpoints").glob("*.safetensors"):
        path.write_bytes(path.read_bytes()[:-1])
    notices: list[str] = []
    with pytest.raises(TrainingError, match="holds no whole checkpoint"):
        best(run, notices.append)
    assert len(notices) == 2
    assert newest(run, notices.append) is None


def test_a_checkpoint_of_another_version_is_told(run: Path) -> None:
    from dsprep.pipeline.commit import read_record, write_record

    path, _ = files(run)
    record = read_record(path)
    assert record
    write_record(path, record.key, record.files, {**record.facts, "version": 99})
    with pytest.raises(TrainingError, match="was written by another version of dsprep"):
        newest(run, print)


def test_a_damaged_one_that_is_not_the_newest_is_told_and_removed_too(run: Path) -> None:
    oldest = min((run / "checkpoints").glob("*.safetensors"))
    broken = bytearray(oldest.read_bytes())
    broken[-1] ^= 1
    oldest.write_bytes(broken)
    notices: list[str] = []
    found = newest(run, notices.append)
    assert found
    assert_weights(found, 2)
    assert [str(oldest) in notice for notice in notices] == [True]
    assert not oldest.exists()


@pytest.mark.parametrize("which", [0, 1])
def test_one_that_cannot_be_read_is_not_removed(run: Path, which: int) -> None:
    """A folder in its place is what tests can have that run as root."""
    path, record = files(run)
    victim = (path, record)[which]
    victim.unlink()
    victim.mkdir()
    with pytest.raises(TrainingError, match=f"cannot read {victim}"):
        newest(run, print)
    assert path.exists()
    assert record.exists()
