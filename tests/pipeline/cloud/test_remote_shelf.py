"""Shards written into a bucket: the same bytes as into a folder, whatever happens on the way."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from dsprep.manifests import DataError, FetchError, OutputError, UsageError
from dsprep.pipeline.cloud.remote_shelf import RemoteShelf
from dsprep.pipeline.cloud.store import store_of
from dsprep.pipeline.commit import FileDigest, recorded
from dsprep.pipeline.places import Cache, Url, manifest_of, url_of
from dsprep.pipeline.shards.placement import Sharding
from dsprep.pipeline.shards.repair import repair
from dsprep.pipeline.shards.sharding import ShardReport, shard

SHARDING = Sharding(shard_bytes=100_000, seed=0)
OUT = url_of("s3://speech/digits/train")


def write(digits: Path, out: Path | Url, cache: Cache, workers: int = 0) -> ShardReport:
    shelf = RemoteShelf(out, cache) if isinstance(out, Url) else out
    return shard([digits / "dev-clean.csv", digits / "test-clean.csv"], shelf, SHARDING, workers, cache=cache)


def objects(folder: Url, cache: Cache) -> dict[str, bytes]:
    """All that lies below a folder of a bucket."""
    store = store_of(folder, cache.patience)
    return {name: store.open(folder / name).read(0, 10**9) for name in store.listed(folder) or {}}


@pytest.fixture(scope="module")
def local(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("local") / "train"
    write(digits, out, Cache(folder=out / "unused"))
    return out


def test_a_bucket_gets_the_bytes_that_a_folder_gets(
    s3: Any, digits: Path, local: Path, cache: Cache, make: Any
) -> None:
    report = write(digits, OUT, cache)
    assert (report.samples, report.shards) == (18, len(list(local.glob("*.tar"))))
    assert objects(OUT, cache) == make.tree(local)
    assert not [path for path in (cache.folder / "building").rglob("*") if path.is_file()]


@pytest.mark.slow
def test_workers_write_into_a_bucket_too(s3: Any, digits: Path, local: Path, cache: Cache, make: Any) -> None:
    write(digits, OUT, cache, workers=2)
    assert objects(OUT, cache) == make.tree(local)


def test_what_is_there_is_not_sent_again_and_what_is_lost_is(
    s3: Any, digits: Path, local: Path, cache: Cache, make: Any, tmp_path: Path
) -> None:
    write(digits, OUT, cache)
    store = store_of(OUT, cache.patience)
    store.remove(OUT / "000001.tar")
    store.put(OUT / "000002.tar", b"of another size")
    store.put(OUT / "000099.tar", b"of an earlier run with more shards")
    store.put(OUT / "000099.tar.json", recorded("its key", [FileDigest("000099.tar", 34, "")], {})[1])
    store.put(OUT / "20251120.tar", b"of somebody else")
    s3.faults.asked.clear()
    write(digits, OUT, Cache(folder=tmp_path / "another machine's", patience=cache.patience))
    assert objects(OUT, cache) == {**make.tree(local), "20251120.tar": b"of somebody else"}
    sent = {line.split()[1].rpartition("/")[2] for line in s3.faults.asked if line.startswith("PUT")}
    assert {name for name in sent if name.endswith(".tar")} == {"000001.tar", "000002.tar"}


def test_shards_that_were_made_of_those_in_a_bucket_are_mended_from_them(
    s3: Any, digits: Path, cache: Cache, make: Any, tmp_path: Path
) -> None:
    write(digits, OUT, cache)
    out = tmp_path / "out"
    shard([OUT], out, Sharding(shard_bytes=None), 0, cache=cache)
    whole = make.tree(out)
    (out / "000000.tar").write_bytes(b"")
    assert repair(out, [OUT], cache=cache).verdict.findings == ()
    assert make.tree(out) == whole


@pytest.mark.parametrize("fault", ["503", "drop"])
def test_trouble_that_passes_changes_no_byte(
    s3: Any, digits: Path, local: Path, cache: Cache, make: Any, fault: str
) -> None:
    s3.faults.todo = [fault, "", "", "", "", "", fault] * 9
    write(digits, OUT, cache)
    assert objects(OUT, cache) == make.tree(local)


def test_trouble_that_stays_is_told_and_leaves_no_mark(
    s3: Any, digits: Path, local: Path, cache: Cache, make: Any
) -> None:
    s3.faults.methods = ("PUT",)
    s3.faults.todo = ["", "", "", *["503"] * 50]
    with pytest.raises(FetchError, match=r"s3://speech/digits/train/00000\d.tar.*busy.*4 times; type the same command"):
        write(digits, OUT, cache)
    s3.faults.todo = []
    assert "shards.json" not in objects(OUT, cache)
    with pytest.raises(DataError, match="is incomplete: type the dsprep shard that makes it once more"):
        shard([OUT], cache.folder / "out", SHARDING, 0, cache=cache)
    write(digits, OUT, cache)
    assert objects(OUT, cache) == make.tree(local)


@pytest.mark.slow
def test_killed_at_any_time_another_machine_goes_on(
    s3: Any, digits: Path, local: Path, cache: Cache, make: Any, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "dsprep", "shard", str(digits / "dev-clean.csv"), str(digits / "test-clean.csv")]
    command += [str(OUT), "--shard-bytes", "100kB", "--workers", "1", "--cache", str(cache.folder)]
    for sent in (2, 5):
        s3.faults.asked.clear()
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            while process.poll() is None and sum(line.startswith("PUT") for line in s3.faults.asked) < sent:
                time.sleep(0.001)
            assert process.poll() is None
            process.kill()
    assert "shards.json" not in objects(OUT, cache)
    write(digits, OUT, Cache(folder=tmp_path / "another machine's", patience=cache.patience))
    assert objects(OUT, cache) == make.tree(local)
    write(digits, OUT, cache)
    assert not [path for path in (cache.folder / "building").rglob("*") if path.is_file()]


def test_a_folder_that_is_not_ours_is_left_alone(s3: Any, digits: Path, cache: Cache) -> None:
    store_of(OUT, cache.patience).put(OUT / "thesis.txt", b"years of work")
    with pytest.raises(OutputError, match="is not empty and was not made by dsprep shard"):
        write(digits, OUT, cache)
    assert objects(OUT, cache) == {"thesis.txt": b"years of work"}


def test_a_set_is_not_written_over_itself(s3: Any, digits: Path, cache: Cache) -> None:
    write(digits, OUT, cache)
    before = objects(OUT, cache)
    with pytest.raises(DataError, match="holds what is to be read"):
        shard([OUT], RemoteShelf(OUT, cache), Sharding(shard_bytes=50_000), 0, cache=cache)
    assert objects(OUT, cache) == before


def test_other_settings_replace_what_was_there(s3: Any, digits: Path, cache: Cache, tmp_path: Path, make: Any) -> None:
    write(digits, OUT, cache)
    places, sharding = [digits / "dev-clean.csv"], Sharding(shard_bytes=300_000, seed=3)
    shard(places, RemoteShelf(OUT, cache), sharding, 0)
    shard(places, tmp_path / "out", sharding, 0)
    assert objects(OUT, cache) == make.tree(tmp_path / "out")
    assert json.loads(objects(OUT, cache)["shards.json"])["settings"]["seed"] == 3


def test_a_set_that_is_being_replaced_is_not_what_it_was(s3: Any, digits: Path, cache: Cache) -> None:
    write(digits, OUT, cache)
    s3.faults.methods, s3.faults.todo = ("PUT",), ["", "", *["503"] * 50]
    with pytest.raises(FetchError, match="busy"):
        shard([digits / "dev-clean.csv"], RemoteShelf(OUT, cache), Sharding(shard_bytes=300_000, seed=3), 0)
    s3.faults.todo = []
    with pytest.raises(DataError, match="is incomplete"):
        manifest_of(OUT, cache)


def test_large_shards_go_in_parts(s3: Any, cache: Cache, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(os.urandom(1 << 20) * 40)
    store_of(OUT, cache.patience).put(OUT / "large", tmp_path / "large")
    assert sum("uploadId" in line for line in s3.faults.asked) > 2
    assert objects(OUT, cache)["large"] == (tmp_path / "large").read_bytes()


def test_nothing_is_written_to_a_web_server(cache: Cache) -> None:
    with pytest.raises(UsageError, match=r"https://example.org/x: nothing can be written there"):
        RemoteShelf(url_of("https://example.org/x"), cache)


def test_a_bucket_that_is_not_there_is_told(s3: Any, digits: Path, cache: Cache) -> None:
    with pytest.raises(OutputError, match="s3://none/x: there is no bucket none"):
        write(digits, url_of("s3://none/x"), cache)
