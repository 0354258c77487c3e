"""Commands with URLs, from the command line."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dsprep.cli import main
from dsprep.pipeline.cloud.store import store_of
from dsprep.pipeline.places import Cache, url_of

TRAIN, DEV = "s3://speech/train", "s3://speech/dev"
TINY = ["--set", "model.hidden=8", "--set", "model.channels=2", "--set", "train.epochs=1"]


@pytest.fixture
def dsprep(cache: Cache) -> Any:
    def run(*words: object) -> Result:
        taking = ("shard", "stats", "check", "verify", "train", "evaluate")
        options = ["--cache", cache.folder, "--cache-bytes", "1MB"] if words[0] in taking else []
        return CliRunner().invoke(main, [str(word) for word in (*words, *options)])

    return run


@pytest.fixture
def sets(s3: Any, dsprep: Any, digits: Path) -> None:
    for name, url in (("dev-clean", TRAIN), ("test-clean", DEV)):
        done = dsprep("shard", digits / f"{name}.csv", url, "--shard-bytes", "100kB", "--workers", 1)
        assert done.exit_code == 0, done.output
        assert done.output.splitlines()[-1].endswith(f": {url}")


@pytest.mark.usefixtures("sets")
def test_training_on_a_bucket_is_training_on_a_folder(digits: Path, dsprep: Any, tmp_path: Path, cache: Cache) -> None:
    results = []
    for name, train, dev in (("there", TRAIN, DEV), ("here", digits / "dev-clean.csv", digits / "test-clean.csv")):
        run, report = tmp_path / name, tmp_path / f"{name}.json"
        done = dsprep("train", "--train", train, "--dev", dev, "--run", run, *TINY)
        assert done.exit_code == 0, done.output
        assert dsprep("evaluate", run, dev, "--json", report).exit_code == 0
        facts = json.loads(report.read_text())
        places = [
            facts["model"].pop("place"),
            facts["data"].pop("places"),
            *(one.pop("audio") for one in facts["results"]),
        ]
        assert len(places) == 2 + facts["utterances"]
        results.append(facts)
    assert results[0] == results[1], "but for where it all lies"
    assert 0 < sum(path.stat().st_size for path in cache.folder.glob("blobs/??/*")) <= 10**6


@pytest.mark.usefixtures("sets")
def test_stats_and_check_know_the_set_by_its_name(dsprep: Any) -> None:
    told = dsprep("stats", TRAIN, DEV)
    assert told.exit_code == 0
    assert {"train", "dev"} <= set(told.output.split())
    checked = dsprep("check", TRAIN, "--workers", 1)
    assert "train" in checked.output
    assert "s3://" not in checked.output


@pytest.mark.usefixtures("sets")
def test_verify_tells_where_a_bucket_is_damaged(dsprep: Any, cache: Cache) -> None:
    for options in ((), ("--deep",)):
        whole = dsprep("verify", TRAIN, "--workers", 1, *options)
        assert (whole.exit_code, whole.output.partition(":")[0]) == (0, "complete"), whole.output
    url, store = url_of(TRAIN), store_of(url_of(TRAIN), cache.patience)
    size = store.listed(url)["000001.tar"].bytes  # type: ignore[index]
    data = bytearray(store.open(url / "000001.tar").read(0, size or 0))
    data[600] ^= 1
    store.put(url / "000001.tar", bytes(data))
    assert dsprep("verify", TRAIN).exit_code == 0
    deep = dsprep("verify", TRAIN, "--deep", "--workers", 1)
    assert deep.exit_code == 1
    assert "000001.tar  byte 512" in deep.output
    assert f"Error: {TRAIN} is damaged, findings: 1; remove these files there" in deep.output
    store.put(url / "000001.tar", b"short")
    store.remove(url / "000002.tar")
    quick = dsprep("verify", TRAIN)
    assert [line.split()[0] for line in quick.output.splitlines()[:2]] == ["000001.tar", "000002.tar"]
    assert not list((cache.folder / "verify").iterdir())
    assert not list(cache.folder.glob("blobs/??/*"))


@pytest.mark.usefixtures("s3")
def test_what_is_not_there_or_not_finished_is_told_by_its_url(dsprep: Any, cache: Cache) -> None:
    assert (
        dsprep("verify", TRAIN).output
        == f"Error: {TRAIN} is empty or not there: name a folder that dsprep shard wrote\n"
    )
    store_of(url_of(TRAIN), cache.patience).put(url_of(TRAIN) / ".begun.json", b"{}")
    assert f"Error: {TRAIN} is incomplete" in dsprep("verify", TRAIN).output


@pytest.mark.parametrize(
    "words",
    [
        ("import", "librispeech", "s3://speech/x"),
        ("train", "--train", "a.csv", "--dev", "a.csv", "--run", "s3://speech/x"),
        ("convert", "s3://speech/x?5ecret", "out", "--to", "nemo"),
        ("stats", "a.csv", "--json", "s3://speech/x"),
        ("evaluate", "https://me:5ecret@speech/x", "a.csv"),
        ("verify", "s3://speech/x", "--repair", "a.csv"),
        ("shard", "a.csv", "https://speech/x"),
        ("shard", "ftp://speech/x", "out"),
    ],
)
def test_a_url_where_none_can_be_is_told_in_one_line(
    dsprep: Any, words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("wav_filename,wav_filesize,transcript\n")
    done = dsprep(*words)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert done.exit_code == 1
    assert len(done.output.splitlines()) == 1
    assert "://speech/x" in done.output
    assert "5ecret" not in done.output


@pytest.mark.usefixtures("sets")
@pytest.mark.filterwarnings("default")
def test_a_cache_that_keeps_nothing_is_told_once_and_costs_speed_alone(
    dsprep: Any, cache: Cache, tmp_path: Path
) -> None:
    cache.folder.joinpath("blobs").write_bytes(b"")
    done = dsprep("shard", TRAIN, tmp_path / "out", "--workers", 1)
    assert done.exit_code == 0, done.output
    assert done.stderr.count("note: ") == done.stderr.count("keeps no clips (Not a directory)") == 1
