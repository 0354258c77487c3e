import gc
import io
import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from dsprep.manifests import DataError, OutputError, Sample, manifest_bytes, read_manifest
from dsprep.pipeline.commit import Building
from dsprep.pipeline.outdir import SHARDED
from dsprep.pipeline.places import MANIFEST
from dsprep.pipeline.shards.placement import Item, Sharding, plan_shards
from dsprep.pipeline.shards.sharding import shard
from dsprep.pipeline.shards.shelf import LocalShelf
from dsprep.pipeline.sound.audio import encode

SMALL = 100_000


def item(name: str, size: int) -> Item:
    return Item(Sample(id=name, path=Path("/x.wav"), size=size, transcript="t"), "train")


items_of = st.lists(
    st.builds(item, st.text("abc123", min_size=1, max_size=8), st.integers(0, 5000)),
    unique_by=lambda one: one.sample.id,
)


@given(items_of, st.integers(3000, 50_000), st.integers(0, 3))
def test_every_sample_is_in_exactly_one_shard(items: list[Item], size: int, seed: int) -> None:
    sharding = Sharding(shard_bytes=size, seed=seed)
    planned = [one for piece in plan_shards(items, sharding) for one in piece.items]
    assert sorted(planned, key=lambda one: one.sample.id) == sorted(items, key=lambda one: one.sample.id)
    assert plan_shards(items, sharding) == plan_shards(items[::-1], sharding)


@given(items_of, items_of)
def test_when_a_corpus_grows_what_was_apart_stays_apart(old: list[Item], new: list[Item]) -> None:
    names = {one.sample.id for one in old}
    grown = [*old, *(one for one in new if one.sample.id not in names)]
    sharding = Sharding(shard_bytes=20_000)
    before = {one.sample.id: piece.index for piece in plan_shards(old, sharding) for one in piece.items}
    after = {one.sample.id: piece.index for piece in plan_shards(grown, sharding) for one in piece.items}
    for one in names:
        for other in names:
            if after[one] == after[other]:
                assert before[one] == before[other]


@pytest.fixture(scope="module")
def shards(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("shards") / "out"
    shard([digits / "dev-clean.csv", digits / "test-clean.csv"], out, Sharding(shard_bytes=SMALL), 1)
    return out


def test_the_manifest_s_offsets_are_where_the_audio_is(digits: Path, shards: Path) -> None:
    source = {one.id: one for name in ("dev-clean", "test-clean") for one in read_manifest(digits / f"{name}.csv")}
    samples = read_manifest(shards / MANIFEST)
    assert {one.id for one in samples} == set(source)
    for one in samples:
        data = one.path.read_bytes()[one.offset : (one.offset or 0) + one.size]
        assert data == source[one.id].path.read_bytes()
        assert (one.transcript, one.duration, one.speaker) == (
            source[one.id].transcript, source[one.id].duration, source[one.id].speaker,
        )  # fmt: skip


def test_the_index_tells_of_each_tar(shards: Path) -> None:
    index = json.loads((shards / SHARDED).read_text())
    assert index["total"]["samples"] == 18 == sum(one["samples"] for one in index["shards"])
    assert len(index["shards"]) == index["total"]["shards"] == len(list(shards.glob("*.tar"))) > 2
    for one in index["shards"]:
        assert (shards / one["name"]).stat().st_size == one["bytes"] <= SMALL + 20 * 512


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_webdataset_reads_them(digits: Path, shards: Path) -> None:
    import webdataset

    urls = [str(path) for path in sorted(shards.glob("*.tar"))]
    dataset = webdataset.WebDataset(urls, shardshuffle=False)  # type: ignore[attr-defined]
    read = {one["__key__"]: one for one in dataset}
    source = [one for name in ("dev-clean", "test-clean") for one in read_manifest(digits / f"{name}.csv")]
    gc.collect()  # webdataset leaves its files to the collector, which must meet them in this test
    assert set(read) == {one.id for one in source}
    for one in source:
        assert read[one.id]["txt"].decode() == one.transcript
        assert read[one.id]["wav"] == one.path.read_bytes()
        assert json.loads(read[one.id]["json"]) == {"id": one.id, "duration": one.duration, "speaker": one.speaker}
        assert soundfile.info(io.BytesIO(read[one.id]["wav"])).samplerate == 16_000


def test_plain_tar_reads_them(shards: Path) -> None:
    path = sorted(shards.glob("*.tar"))[0]
    listed = subprocess.run(["tar", "tf", str(path)], check=True, capture_output=True, text=True).stdout.split()
    assert [name.partition(".")[2] for name in listed] == ["wav", "txt", "json"] * (len(listed) // 3)
    with tarfile.open(path) as tar:
        assert {(member.mtime, member.uid, member.uname, member.mode) for member in tar} == {(0, 0, "", 0o444)}


@pytest.mark.slow
def test_workers_and_the_order_of_manifests_change_no_byte(
    digits: Path, shards: Path, tmp_path: Path, make: Any
) -> None:
    shard([digits / "test-clean.csv", digits / "dev-clean.csv"], tmp_path / "out", Sharding(shard_bytes=SMALL), 2)
    assert make.tree(tmp_path / "out") == make.tree(shards)


def test_shards_of_shards_are_the_same(shards: Path, tmp_path: Path) -> None:
    shard([shards / MANIFEST], tmp_path / "out", Sharding(shard_bytes=SMALL), 1)
    for path in shards.glob("*.tar"):
        assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()


def test_another_seed_is_another_order(digits: Path, shards: Path, tmp_path: Path) -> None:
    shard(
        [digits / "dev-clean.csv", digits / "test-clean.csv"], tmp_path / "out", Sharding(shard_bytes=SMALL, seed=1), 1
    )
    assert (tmp_path / "out" / "000000.tar").read_bytes() != (shards / "000000.tar").read_bytes()


def earlier(building: Building) -> dict[str, str]:
    """What an earlier run with more shards wrote."""
    with building.open() as file:
        file.write(b"of other samples")
    return {}


def test_what_is_done_is_not_done_again_and_what_is_lost_is(
    shards: Path, digits: Path, tmp_path: Path, make: Any
) -> None:
    out = tmp_path / "out"
    shutil.copytree(shards, out)
    (out / "000001.tar").unlink()
    (out / "000098.tar").write_bytes(b"of an earlier run with more shards, killed before it had a record")
    LocalShelf(out).commit("000099.tar", "its key", earlier)
    foreign = dict.fromkeys(("000100.tar", "20251120.tar", "20251120.tar.json"), b"")
    for name, data in foreign.items():
        (out / name).write_bytes(data)
    before = (out / "000000.tar").stat().st_mtime_ns
    shard([digits / "dev-clean.csv", digits / "test-clean.csv"], out, Sharding(shard_bytes=SMALL), 1)
    assert make.tree(out) == {**make.tree(shards), **foreign}
    assert (out / "000000.tar").stat().st_mtime_ns == before


def test_changed_audio_of_an_import_is_a_changed_shard(digits: Path, tmp_path: Path, make: Any) -> None:
    """Same ids, same sizes, same texts, other sound: the records of the import tell."""
    from dsprep.importers import CORPORA
    from dsprep.pipeline.importing import import_corpus
    from dsprep.pipeline.job import Job

    def go(members: dict[str, bytes]) -> bytes:
        source = make.tar(tmp_path / "source" / "dev-clean.tar.gz", members)
        job = Job(corpus=CORPORA["librispeech"], parts=("dev-clean",), sources=(str(source),))
        import_corpus(job, tmp_path / "in", 1)
        shard([tmp_path / "in" / "dev-clean.csv"], tmp_path / "out", Sharding(shard_bytes=SMALL), 1)
        return (tmp_path / "out" / "000000.tar").read_bytes()

    members = make.spoken("dev-clean", 1, 1)
    other = {name: make.flac(make.tone(0.5, 900)) if name.endswith(".flac") else data for name, data in members.items()}
    assert go(members) != go(other)


def test_a_folder_that_is_not_ours_is_left_alone(digits: Path) -> None:
    with pytest.raises(OutputError, match="not made by dsprep shard"):
        shard([digits / "dev-clean.csv"], digits, Sharding(shard_bytes=SMALL), 1)


def test_an_empty_manifest_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(manifest_bytes([], tmp_path))
    with pytest.raises(DataError, match="no samples"):
        shard([tmp_path / "x.csv"], tmp_path / "out", Sharding(shard_bytes=SMALL), 1)


def test_a_folder_is_not_sharded_into_itself(shards: Path, tmp_path: Path, make: Any) -> None:
    out = tmp_path / "out"
    shutil.copytree(shards, out)
    with pytest.raises(DataError, match="holds what is to be read"):
        shard([out], out, Sharding(shard_bytes=200_000), 1)
    assert make.tree(out) == make.tree(shards)


def test_changed_shards_are_changed_shards_of_shards(digits: Path, tmp_path: Path, make: Any) -> None:
    """The record of a tar tells of its audio, as the record of a chunk does."""
    one, two = tmp_path / "one", tmp_path / "two"

    def go(pitch: float) -> bytes:
        (tmp_path / "x.wav").write_bytes(bytes(encode(make.tone(0.5, pitch), "wav")))
        (tmp_path / "x.csv").write_text("wav_filename,wav_filesize,transcript\nx.wav,16044,a\n")
        shutil.rmtree(one, ignore_errors=True)
        shard([tmp_path / "x.csv"], one, Sharding(shard_bytes=SMALL), 1)
        shard([one], two, Sharding(shard_bytes=SMALL), 1)
        return (two / "000000.tar").read_bytes()

    assert go(300) != go(500)


def test_the_longest_id_fits(tmp_path: Path, make: Any) -> None:
    (tmp_path / "x.wav").write_bytes(bytes(encode(make.tone(0.1), "wav")))
    rows = f"wav_filename,wav_filesize,transcript,id\nx.wav,3244,a,{'x' * 95}\n"
    (tmp_path / "x.csv").write_text(rows)
    shard([tmp_path / "x.csv"], tmp_path / "out", Sharding(shard_bytes=SMALL), 1)
    assert read_manifest(tmp_path / "out" / MANIFEST)[0].id == "x" * 95
