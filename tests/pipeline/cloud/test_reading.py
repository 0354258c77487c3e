"""Samples read out of a bucket: the bytes of the shards there, or an error that says what is wrong."""

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dsprep.manifests import DataError, FetchError, Sample, read_manifest
from dsprep.pipeline.cloud.store import store_of
from dsprep.pipeline.places import Cache, Url, manifest_of, url_of
from dsprep.pipeline.reading import Reader, audio_bytes
from dsprep.pipeline.samples import file_faults, read_each
from dsprep.pipeline.shards.placement import Sharding
from dsprep.pipeline.shards.sharding import shard
from dsprep.pipeline.tabling import read_table
from dsprep.pipeline.workers import run

HOME = url_of("s3://speech/digits/train")


@pytest.fixture(scope="module")
def local(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("local") / "train"
    shard([digits / "dev-clean.csv"], out, Sharding(shard_bytes=100_000), 0)
    return out


@pytest.fixture
def upload(s3: Any, cache: Cache) -> Callable[..., None]:
    """Puts a folder of this machine into the bucket."""

    def put(folder: Path, to: Url = HOME) -> None:
        store = store_of(to, cache.patience)
        for path in folder.rglob("*"):
            if path.is_file():
                store.put(to / path.relative_to(folder).as_posix(), path)

    return put


@pytest.fixture
def remote(upload: Any, local: Path, s3: Any) -> Url:
    """The shards in the bucket."""
    upload(local)
    s3.faults.asked.clear()
    return HOME


def sounds(samples: Sequence[Sample]) -> dict[str, bytes]:
    with Reader() as reader:
        return {one.id: reader.read(one) for one in samples}


def undigested(local: Path, to: Path) -> Path:
    """The same shards with a manifest that tells no digests, as other makers write it."""
    shutil.copytree(local, to)
    (to / "shards.json").unlink()
    lines = (to / "manifest.csv").read_text().splitlines()
    assert lines[0].endswith(",wav_sha256")
    (to / "manifest.csv").write_text("".join(line.rpartition(",")[0] + "\n" for line in lines))
    return to


def test_the_same_samples_come_as_from_a_folder(remote: Url, local: Path, cache: Cache) -> None:
    there, here = read_table([remote], cache), read_table([local])
    assert [replace(one, path=Path(one.path.name)) for one in there] == [
        replace(one, path=Path(one.path.name)) for one in here
    ]
    assert sounds(there) == sounds(here)
    assert [one.name for one in read_each([remote], cache)] == ["train"]


def test_a_manifest_may_be_named_itself(remote: Url, local: Path, cache: Cache) -> None:
    assert sounds(read_table([remote / "manifest.csv"], cache)) == sounds(read_table([local]))


def test_loose_files_lie_below_their_manifest(digits: Path, upload: Any, cache: Cache) -> None:
    upload(digits, url_of("s3://speech/import"))
    there = read_table([url_of("s3://speech/import/dev-clean.csv")], cache)
    assert sounds(there) == sounds(read_table([digits / "dev-clean.csv"]))


def test_what_was_read_once_is_not_asked_for_again(remote: Url, s3: Any, cache: Cache) -> None:
    first = sounds(read_table([remote], cache))
    asked = [line for line in s3.faults.asked if ".tar" in line]
    assert sum(line.startswith("GET") for line in asked) == len(set(first.values()))
    s3.faults.asked.clear()
    samples = read_table([remote], cache)
    assert not [line for line in s3.faults.asked if ".tar" in line or "manifest.csv" in line]
    s3.faults.asked.clear()
    assert sounds(samples) == first
    assert s3.faults.asked == []


@pytest.mark.parametrize("fault", ["500", "503", "drop", "short", "flip"])
def test_trouble_that_passes_is_not_noticed(remote: Url, local: Path, s3: Any, cache: Cache, fault: str) -> None:
    samples = read_table([remote], cache)
    s3.faults.methods, s3.faults.todo = ("GET",), [fault, ""] * 20
    assert sounds(samples) == sounds(read_table([local]))
    assert len(s3.faults.todo) < 40 - 2 * 7


def test_a_server_that_says_nothing_is_asked_again(remote: Url, local: Path, s3: Any, cache: Cache) -> None:
    (sample, *_) = read_table([remote], cache)
    s3.faults.methods, s3.faults.todo = ("GET",), ["slow"]
    assert audio_bytes(sample) == sounds(read_table([local]))[sample.id]


def test_trouble_that_stays_names_the_shard_and_the_sample(remote: Url, s3: Any, cache: Cache) -> None:
    (sample, *_) = read_table([remote], cache)
    s3.faults.todo = ["503"] * 50
    wanted = rf"^{sample.id}: s3://speech/digits/train/00000\d\.tar at byte {sample.offset}: the store is busy \(503\)"
    with pytest.raises(FetchError, match=wanted):
        audio_bytes(sample)
    assert len(s3.faults.todo) == 50 - cache.patience.attempts


def test_a_shard_that_was_replaced_is_noticed(remote: Url, local: Path, cache: Cache) -> None:
    samples = read_table([remote], cache)
    paths = [one.path for one in samples]
    victim = next(one for one in samples if paths.count(one.path) > 1)
    with Reader() as reader:
        reader.read(next(one for one in samples if one.path == victim.path and one != victim))
        other = bytearray((local / victim.path.name).read_bytes())
        other[(victim.offset or 0) + 50] ^= 1
        store_of(remote, cache.patience).put(remote / victim.path.name, bytes(other))
        wanted = rf"^{victim.id}: cannot read {remote / victim.path.name} at byte {victim.offset}: these are not the"
        with pytest.raises(DataError, match=wanted):
            reader.read(victim)


def test_a_shard_without_digests_that_was_replaced_is_noticed(
    upload: Any, local: Path, cache: Cache, tmp_path: Path
) -> None:
    upload(undigested(local, tmp_path / "other"))
    samples = read_table([HOME], cache)
    before = sounds(samples[:3])
    tar = samples[5].path.name
    store_of(HOME, cache.patience).put(HOME / tar, (local / tar).read_bytes()[::-1])
    with pytest.raises(DataError, match="these are not the bytes that the manifest tells of"):
        sounds([one for one in samples[3:] if one.path.name == tar])
    for one in samples[:3]:  # what is in the cache is of the version that was there
        assert audio_bytes(one) == before[one.id]


def test_a_data_set_that_was_replaced_is_read_anew(
    remote: Url, digits: Path, cache: Cache, tmp_path: Path, upload: Any
) -> None:
    first = sounds(read_table([remote], cache))
    shard([digits / "test-clean.csv"], tmp_path / "other", Sharding(shard_bytes=100_000), 0)
    upload(tmp_path / "other")
    there = read_table([remote], cache)
    assert sounds(there) == sounds(read_table([tmp_path / "other"]))
    assert not {one.id for one in there} & set(first)


def test_a_tar_that_is_gone_or_too_short_is_told_before_it_is_read(remote: Url, local: Path, cache: Cache) -> None:
    store = store_of(remote, cache.patience)
    victim = read_manifest(local / "manifest.csv")[0].path.name
    store.put(remote / victim, b"short")
    with pytest.raises(DataError, match=rf"{remote / victim} has 5 bytes, too few"):
        read_table([remote], cache)
    store.remove(remote / victim)
    with pytest.raises(DataError, match=rf"{remote / victim} is gone"):
        read_table([remote], cache)
    (data,) = read_each([remote], cache)
    assert {sample.path.name for sample, _ in file_faults(data.samples)} == {victim}


def test_a_file_of_a_named_manifest_that_is_gone_is_told_when_it_is_read(
    digits: Path, upload: Any, cache: Cache
) -> None:
    home = url_of("s3://speech/import")
    upload(digits, home)
    (sample, *_) = read_table([home / "dev-clean.csv"], cache)
    gone = home / sample.path.as_posix().partition("/audio/")[2].join(("audio/", ""))
    store_of(home, cache.patience).remove(gone)
    with pytest.raises(DataError, match=rf"^{sample.id}: cannot read {gone} at byte 0: it is not there"):
        audio_bytes(sample)


def _length(sample: Sample) -> int:
    return len(audio_bytes(sample))


@pytest.mark.slow
def test_threads_and_processes_read_at_once(remote: Url, local: Path, cache: Cache) -> None:
    there, here = read_table([remote], cache), sounds(read_table([local]))
    with ThreadPoolExecutor(8) as threads:
        assert dict(zip([one.id for one in there], threads.map(audio_bytes, there), strict=True)) == here
    shutil.rmtree(cache.folder / "blobs")
    assert {one.id: size for one, size in run(_length, there, 2)} == {one: len(data) for one, data in here.items()}


def test_shards_of_a_bucket_become_the_same_shards(remote: Url, local: Path, cache: Cache, tmp_path: Path) -> None:
    shard([remote], tmp_path / "out", Sharding(shard_bytes=100_000), 0, cache=cache)
    for path in local.glob("*.tar"):
        assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()


def test_a_sample_that_is_gone_is_left_out_of_shards_and_a_network_that_fails_is_no_sample_s_fault(
    digits: Path, upload: Any, s3: Any, cache: Cache, tmp_path: Path
) -> None:
    home = url_of("s3://speech/import")
    upload(digits, home)
    place = home / "dev-clean.csv"
    gone = read_table([place], cache)[0]
    store_of(home, cache.patience).remove(home / f"audio/{gone.path.as_posix().partition('/audio/')[2]}")
    report = shard([place], tmp_path / "out", Sharding(), 0, cache=cache)
    assert report.left_out == (("no-audio", 1),)
    shutil.rmtree(cache.folder / "blobs")
    s3.faults.methods, s3.faults.todo = ("GET",), ["", *["500"] * 99]
    with pytest.raises(FetchError, match="the store is busy"):
        shard([place], tmp_path / "out2", Sharding(), 0, cache=cache)


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("/etc/passwd,10,a", "/etc/passwd does not lie below it"),
        ("../other/x.wav,10,a", "../other/x.wav does not lie below it"),
        ("s3://speech/x.wav,10,a", "s3://speech/x.wav does not lie below it"),
        ("x.wav,ten,a", "s3://speech/x.csv:2: wav_filesize 'ten' is not a number of bytes"),
    ],
)
def test_a_manifest_leads_nowhere_else(s3: Any, cache: Cache, row: str, what: str) -> None:
    url = url_of("s3://speech/x.csv")
    store_of(url, cache.patience).put(url, f"wav_filename,wav_filesize,transcript\n{row}\n".encode())
    with pytest.raises(DataError, match=what):
        read_table([url], cache)


def test_what_is_not_there_is_told(s3: Any, cache: Cache) -> None:
    for url, what in (
        ("s3://speech/none", "is no shard folder: it holds no manifest.csv"),
        ("s3://speech/none.csv", "s3://speech/none.csv: it is not there"),
        ("s3://none/none", "s3://none/none: there is no bucket none"),
    ):
        with pytest.raises(DataError, match=what):
            manifest_of(url_of(url), cache)


def test_no_right_and_no_credentials_are_told(
    remote: Url, s3: Any, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.faults.todo = ["403"] * 9
    with pytest.raises(FetchError, match=r"s3://speech/digits/train/manifest.csv: the store refuses it \(Forbidden\)"):
        manifest_of(remote, cache)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    patience = replace(cache.patience, timeout_seconds=1.5)  # a client of its own
    with pytest.raises(FetchError, match="Unable to locate credentials; set AWS_PROFILE, or AWS_ACCESS_KEY_ID"):
        manifest_of(remote, replace(cache, patience=patience))


def test_a_damaged_index_or_manifest_is_told(remote: Url, cache: Cache) -> None:
    store = store_of(remote, cache.patience)
    manifest = store.open(remote / "manifest.csv").read(0, 10**6)
    store.put(remote / "manifest.csv", manifest.replace(b"zero", b"nine"))
    with pytest.raises(DataError, match=r"manifest.csv is not the one that shards.json beside it tells of"):
        manifest_of(remote, cache)
    store.put(remote / "shards.json", b"{}")
    with pytest.raises(DataError, match=r"s3://speech/digits/train/shards.json is damaged"):
        manifest_of(remote, cache)


def test_without_a_network_nothing_old_is_served(remote: Url, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    sounds(read_table([remote], cache))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    patience = replace(cache.patience, timeout_seconds=1.4)
    with pytest.raises(FetchError, match="Could not connect"):
        read_table([remote], replace(cache, patience=patience))
