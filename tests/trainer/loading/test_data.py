"""What read_data makes of manifests and shards for the plan."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from dsprep.manifests import Interrupted, UsageError, english, manifest_bytes, read_manifest
from dsprep.pipeline.shards.placement import Sharding
from dsprep.pipeline.shards.sharding import shard
from dsprep.pipeline.table import key_of
from dsprep.trainer.config import read_config
from dsprep.trainer.loading.data import read_data
from dsprep.trainer.order.clips import Clips
from dsprep.trainer.training.means import Callbacks
from dsprep.trainer.training.training import train


@pytest.fixture(scope="module")
def parts(digits: Path) -> list[Path]:
    return [digits / "test-clean.csv", digits / "dev-clean.csv"]


def test_rows_of_clips_are_those_of_samples(parts: list[Path]) -> None:
    data = read_data(parts)
    assert data.clips.keys.tolist() == sorted(data.clips.keys.tolist())
    assert data.clips.keys.tolist() == [key_of(one.id) for one in data.samples]
    assert data.clips.seconds.tolist() == [one.duration for one in data.samples]
    assert data.clips.places == tuple(map(str, parts))
    held = [{one.id for one in read_manifest(part)} for part in parts]
    assert all(one.id in held[number] for one, number in zip(data.samples, data.clips.sets, strict=True))


def test_shards_are_numbered_by_their_lowest_keys_wherever_they_lie(tmp_path: Path, parts: list[Path]) -> None:
    shard(parts, tmp_path / "z", Sharding(shard_bytes=50_000, seed=3), 1)
    clips = read_data([tmp_path / "z"]).clips
    first = np.unique(clips.shards, return_index=True)[1]
    assert len(first) > 3
    assert first.tolist() == sorted(first.tolist())
    (tmp_path / "z").rename(tmp_path / "a")
    assert read_data([tmp_path / "a"]).clips.shards.tolist() == clips.shards.tolist()


def test_files_of_a_folder_are_read_together(tmp_path: Path, parts: list[Path]) -> None:
    data = read_data(parts)
    homes = {one.path.parent: number for one, number in zip(data.samples, data.clips.shards, strict=True)}
    assert len(set(homes.values())) == len(homes) == 2
    assert data.clips.shards.tolist() == [homes[one.path.parent] for one in data.samples]


def test_data_less_some_samples_keeps_what_is_known_of_the_others(parts: list[Path]) -> None:
    data = read_data(parts)
    less = data.without(np.array([0, 7]))
    assert [one.id for one in less.samples] == [one.id for row, one in enumerate(data.samples) if row not in (0, 7)]
    assert less.clips.keys.tolist() == [key_of(one.id) for one in less.samples]
    assert len(less.clips) == len(data.clips) - 2


def test_sets_and_shards_are_part_of_a_run_where_they_decide_the_order(tmp_path: Path, parts: list[Path]) -> None:
    shard(parts, tmp_path / "shards", Sharding(shard_bytes=50_000, seed=3), 1)
    rows = [one for part in parts for one in read_manifest(part)]
    (tmp_path / "both.csv").write_bytes(manifest_bytes(rows, tmp_path))
    found = [read_data(one) for one in (parts, parts[::-1], [tmp_path / "both.csv"], [tmp_path / "shards"])]

    def digests(*settings: str) -> list[str]:
        return [one.ordered_digest(read_config("ds2-small", settings)) for one in found]

    assert len(set(digests())) == 1
    assert len(set(digests("mix.hours=1"))) == 3, "the two places in both orders, and one place twice"
    windows = digests("batch.window=2")
    assert windows[0] == windows[1] == windows[2] != windows[3]


def test_a_run_of_mixed_sets_in_windows_goes_on_as_if_never_stopped(tmp_path: Path, parts: list[Path]) -> None:
    for part in parts:
        shard([part], tmp_path / part.stem, Sharding(shard_bytes=50_000, seed=3), 1)
    data, dev = read_data([tmp_path / part.stem for part in parts]), read_data(parts[:1])
    settings = ["model.hidden=16", "model.channels=2", "batch.samples=2", "train.epochs=3"]
    mixed = read_config("ds2-small", [*settings, "batch.window=2", "mix.hours=0.002", "mix.weights=[1, 3]"])
    whole = train(mixed, english(), data, dev, tmp_path / "whole")
    for stop in (1, 4, 9):
        callbacks = Callbacks(should_stop=partial(next, iter([*[False] * (stop - 1), True])))
        with pytest.raises(Interrupted):
            train(mixed, english(), data, dev, tmp_path / f"{stop}", callbacks=callbacks)
        assert train(mixed, english(), data, dev, tmp_path / f"{stop}") == whole


def test_weights_of_another_count_are_told(tmp_path: Path, parts: list[Path]) -> None:
    config = read_config("ds2-small", ["mix.hours=1", "mix.weights=[1]"])
    with pytest.raises(UsageError, match=r"mix\.weights has 1 numbers and --train 2 places"):
        train(config, english(), read_data(parts), read_data(parts), tmp_path / "run")
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_columns_of_other_lengths_and_sets_that_are_not_there_cannot_be_clips(parts: list[Path]) -> None:
    clips = read_data(parts).clips
    columns = {"keys": clips.keys, "seconds": clips.seconds, "shards": clips.shards, "sets": clips.sets}
    with pytest.raises(ValueError, match="not one row a clip"):
        Clips(**{**columns, "sets": clips.sets[1:]}, places=clips.places)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="sets from 0 to 1 of 1"):
        Clips(**columns, places=("one",))  # type: ignore[arg-type]
