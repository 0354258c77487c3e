import csv
import gc
import hashlib
import importlib.util
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dsprep.manifests import DataError, OutputError, Sample, manifest_bytes, read_manifest
from dsprep.pipeline.commit import Building, Record, read_record
from dsprep.pipeline.outdir import SHARDED
from dsprep.pipeline.places import MANIFEST
from dsprep.pipeline.reading import audio_bytes
from dsprep.pipeline.shards.gathering import gather
from dsprep.pipeline.shards.packing import Task, write_shard
from dsprep.pipeline.shards.placement import Sharding, plan_shards
from dsprep.pipeline.shards.sharding import ShardReport, shard
from dsprep.pipeline.shards.shelf import LocalShelf
from dsprep.pipeline.shards.tar import END, after, before
from dsprep.pipeline.sound.audio import encode
from dsprep.pipeline.sound.plain import HEADER
from dsprep.pipeline.verify import verify

SMALL = Sharding(shard_bytes=40_000)


def go(home: Path, *, out: str = "out", sharding: Sharding = SMALL, workers: int = 0) -> ShardReport:
    return shard([home / "in.csv"], home / out, sharding, workers)


def index(out: Path) -> Any:
    return json.loads((out / SHARDED).read_text())


def rejected(out: Path) -> list[dict[str, str]]:
    with (out / "rejected.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def times(out: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in sorted(out.glob("*.tar"))}


def dsprep(*arguments: object, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dsprep", *map(str, arguments)]
    env = {**os.environ, **environment}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def home(tmp_path: Path, make: Any) -> Path:
    """Twenty clips of another maker, WAV and FLAC, 48 kHz MP3 among them, and what is wrong with some."""
    return write_home(tmp_path, make)


def write_home(home: Path, make: Any) -> Path:
    clips = home / "clips"
    clips.mkdir(parents=True)
    samples = []
    for number in range(20):
        pcm = make.tone(0.1 + 0.02 * number, 200 + 10 * number)
        form = "mp3" if number == 3 else "flac" if number % 2 else "wav"
        path = clips / f"clip {number} é.{form}"
        path.write_bytes(make.mp3(pcm, 16_000) if form == "mp3" else encode(pcm, form))
        samples.append(
            Sample(
                id=f"c-{number:02d}",
                path=path,
                size=path.stat().st_size,
                transcript=f"say “{number}”",
                speaker="s, 1",
                duration=len(pcm) / 16_000,
                extras=(("note", ""), ("accent", "us")) if number % 3 else (("note", "a,b\n"), ("accent", "")),
            )
        )
    (home / "in.csv").write_bytes(manifest_bytes(samples, home))
    return home


def test_every_row_is_in_a_shard_or_rejected_with_a_reason(home: Path) -> None:
    (home / "clips" / "clip 4 é.wav").unlink()
    (home / "clips" / "clip 5 é.flac").write_bytes(b"fLaC of another kind")
    report = go(home)
    assert (report.samples, report.rejected) == (18, 2)
    assert report.left_out == (("changed", 1), ("no-audio", 1))
    rows = rejected(home / "out")
    assert [(row["part"], row["id"], row["reason"], row["seconds"]) for row in rows] == [
        ("in", "c-04", "no-audio", "0.18"), ("in", "c-05", "changed", "0.2"),
    ]  # fmt: skip
    kept = {one.id for one in read_manifest(home / "out" / MANIFEST)}
    assert kept | {"c-04", "c-05"} == {one.id for one in read_manifest(home / "in.csv")}
    found = index(home / "out")
    assert found["total"] == {
        "shards": report.shards, "samples": 18, "seconds": report.seconds, "bytes": report.bytes, "left out": 2,
    }  # fmt: skip
    assert found["left out"] == {"changed": 1, "no-audio": 1}
    digest = hashlib.sha256((home / "in.csv").read_bytes()).hexdigest()
    assert found["sources"] == [{"name": "in", "sha256": digest, "rows": 20}]


def test_all_but_the_audio_follows_from_the_manifest(home: Path) -> None:
    """So that a damaged shard can be told byte for byte, and made anew."""
    (home / "clips" / "clip 4 é.wav").unlink()
    go(home)
    tars: dict[Path, list[Sample]] = {}
    for one in sorted(read_manifest(home / "out" / MANIFEST), key=lambda one: (one.path, one.offset)):
        tars.setdefault(one.path, []).append(one)
        assert hashlib.sha256(audio_bytes(one)).hexdigest() == one.sha256
    assert sorted(tars) == sorted((home / "out").glob("*.tar"))
    for path, held in tars.items():
        forms = {fact["id"]: fact["form"] for fact in record_facts(path)["samples"]}
        pieces = [(before(one, forms[one.id], one.size), audio_bytes(one), after(one, one.size)) for one in held]
        assert b"".join([*(piece for some in pieces for piece in some), END]) == path.read_bytes()


def test_manifests_with_other_columns_give_samples_with_the_same(home: Path) -> None:
    """Readers take the first samples' columns for those of all, and manifest.csv has one header."""
    (home / "x.csv").write_text("wav_filename,wav_filesize,transcript,id,zone,age\nclips/clip 0 é.wav,3244,a,x-1,s,9\n")
    shard([home / "in.csv", home / "x.csv"], home / "out", SMALL, 0)
    samples = {one.id: one for one in read_manifest(home / "out" / MANIFEST)}
    assert samples["x-1"].extras == (("accent", ""), ("age", "9"), ("note", ""), ("zone", "s"))
    assert {tuple(name for name, _ in one.extras) for one in samples.values()} == {("accent", "age", "note", "zone")}
    one = samples["x-1"]
    told = one.path.read_bytes()[(one.offset or 0) + one.size :]
    assert told.startswith(after(one, one.size))


def record_facts(path: Path) -> Any:
    record = read_record(path)
    assert record is not None
    return record.facts


def test_a_record_tells_what_its_shard_holds(home: Path) -> None:
    (home / "clips" / "clip 4 é.wav").unlink()
    go(home)
    samples = {one.id: one for one in read_manifest(home / "out" / MANIFEST)}
    lost = []
    for path in (home / "out").glob("*.tar"):
        facts = record_facts(path)
        assert Sharding.of(facts["settings"]) == SMALL
        for fact in facts["samples"]:
            one = samples.pop(fact["id"])
            assert (one.offset, one.size, one.sha256, one.duration) == tuple(
                fact[name] for name in ("offset", "size", "sha256", "duration")
            )
        lost += facts["left out"]
    assert not samples
    assert lost == [
        {"id": "c-04", "part": "in", "reason": "no-audio", "detail": "No such file or directory", "seconds": 0.18}
    ]


def test_a_root_digest_can_be_computed_without_dsprep(home: Path) -> None:
    go(home)
    command = "sha256sum [0-9]*.tar manifest.csv | sha256sum"
    said = subprocess.run(["sh", "-c", command], cwd=home / "out", capture_output=True, text=True, check=True).stdout
    assert index(home / "out")["sha256"] == said.split()[0]


@pytest.mark.slow
def test_nothing_outside_of_the_data_changes_a_byte(tmp_path: Path, make: Any) -> None:
    """Workers, the order of manifests, folders, time zone, umask, locale, hash seed."""
    one, two = write_home(tmp_path / "one", make), write_home(tmp_path / "a long way" / "é two", make)
    trees = []
    ways: list[tuple[Path, tuple[str, ...], int, dict[str, str]]] = [
        (one, ("x.csv", "y.csv"), 2, {"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "1", "LC_ALL": "C"}),
        (two, ("y.csv", "x.csv"), 1, {"TZ": "UTC", "PYTHONHASHSEED": "2", "TMPDIR": str(two), "LC_ALL": "C.UTF-8"}),
    ]
    for home, names, workers, settings in ways:
        samples = read_manifest(home / "in.csv")
        (home / "x.csv").write_bytes(manifest_bytes(samples[:7], home))
        (home / "y.csv").write_bytes(manifest_bytes(samples[7:], home))
        (home / "clips" / "clip 4 é.wav").write_bytes(b"")
        mask = os.umask(0o077 if home == one else 0o002)
        arguments = [*(home / name for name in names), home / "out", "--shard-bytes", "40KB", "--workers", workers]
        done = dsprep("shard", *arguments, "--allow-rejects", cwd=None, **settings)
        os.umask(mask)
        assert done.returncode == 0, done.stderr
        trees.append(make.tree(home / "out"))
    assert trees[0] == trees[1]
    assert len(trees[0]) > 8


def test_no_shard_is_larger_than_was_asked_for_and_none_could_be_much_larger(home: Path) -> None:
    for form in ("keep", "wav", "flac"):
        for size in (20_000, 40_000, 100_000):
            go(home, out=f"{form}-{size}", sharding=Sharding(shard_bytes=size, form=form))
            sizes = [path.stat().st_size for path in (home / f"{form}-{size}").glob("*.tar")]
            assert max(sizes) <= size
            assert form == "flac" or sum(sizes) / len(sizes) > size / 4
    exact = go(home, out="exact", sharding=Sharding(shard_bytes=max(sizes)))
    assert exact.oversized == 0


def test_a_shard_is_filled_to_its_last_byte_and_no_further(tmp_path: Path, make: Any) -> None:
    rows = ""
    for number in range(5):
        (tmp_path / f"{number}.wav").write_bytes(encode(make.tone(0.1), "wav"))
        rows += f"{number}.wav,3244,a\n"
    (tmp_path / "in.csv").write_text(f"wav_filename,wav_filesize,transcript\n{rows}")
    whole = go(tmp_path, out="whole", sharding=Sharding(shard_bytes=None, keep_order=True))
    for spare, shards in ((0, 1), (-1, 2)):
        sharding = Sharding(shard_bytes=whole.bytes + spare, keep_order=True)
        assert go(tmp_path, out=f"out{spare}", sharding=sharding).shards == shards
        sharding = Sharding(shard_bytes=whole.bytes + spare)
        assert (go(tmp_path, out=f"hashed{spare}", sharding=sharding).shards == 1) == (spare == 0)


def test_a_sample_larger_than_a_shard_has_one_of_its_own(home: Path) -> None:
    report = go(home, sharding=Sharding(shard_bytes=1))
    assert (report.shards, report.samples, report.oversized) == (20, 20, 0)


def test_what_grows_beyond_what_could_be_told_is_told(tmp_path: Path, make: Any) -> None:
    for number in range(4):
        (tmp_path / f"{number}.mp3").write_bytes(make.mp3(make.tone(1.0), 16_000))
    sizes = [(tmp_path / f"{number}.mp3").stat().st_size for number in range(4)]
    rows = "".join(f"{number}.mp3,{size},a\n" for number, size in enumerate(sizes))
    (tmp_path / "in.csv").write_text(f"wav_filename,wav_filesize,transcript\n{rows}")
    assert go(tmp_path).oversized == 1


@pytest.mark.parametrize("keep_order", [False, True])
def test_a_shard_holds_at_most_so_many_samples(home: Path, keep_order: bool) -> None:
    sharding = Sharding(shard_bytes=None, shard_samples=3, keep_order=keep_order)
    go(home, sharding=sharding)
    counts = [one["samples"] for one in index(home / "out")["shards"]]
    assert max(counts) <= 3
    assert sum(counts) == 20
    assert not keep_order or counts == [3] * 6 + [2]


def test_samples_keep_the_order_of_the_manifests_if_asked(home: Path) -> None:
    samples = read_manifest(home / "in.csv")
    (home / "b.csv").write_bytes(manifest_bytes(samples[:9], home))
    (home / "a.csv").write_bytes(manifest_bytes(samples[9:], home))
    sharding = Sharding(shard_bytes=40_000, keep_order=True)
    shard([home / "a.csv", home / "b.csv"], home / "out", sharding, 0)
    stored = sorted(read_manifest(home / "out" / MANIFEST), key=lambda one: (one.path, one.offset))
    assert [one.id for one in stored] == [one.id for one in (*samples[9:], *samples[:9])]
    sizes = [one["bytes"] for one in index(home / "out")["shards"]]
    assert len(sizes) > 3
    assert all(20_000 < size <= 40_000 for size in sizes[:-1])


def test_a_mended_source_is_taken_in_by_the_next_run_and_nothing_else_is_touched(home: Path, make: Any) -> None:
    whole = go(home, out="whole")
    victim = home / "clips" / "clip 8 é.wav"
    kept = victim.read_bytes()
    victim.write_bytes(kept[:-2])
    assert go(home).left_out == (("changed", 1),)
    before_mending = times(home / "out")
    assert go(home).rejected == 1
    assert times(home / "out") == before_mending
    victim.write_bytes(kept)
    assert go(home) == whole
    assert make.tree(home / "out") == make.tree(home / "whole")
    now = times(home / "out")
    assert sum(now[name] != before_mending[name] for name in now) == 1


@pytest.mark.parametrize("form", ["keep", "flac"])
def test_other_audio_under_the_same_name_size_and_time_is_read_again(home: Path, make: Any, form: str) -> None:
    """Nobody told its digest. `form` decides whether it goes in as it is, or is converted."""
    sharding = Sharding(shard_bytes=40_000, form=form)
    go(home, sharding=sharding)
    earlier, written = make.tree(home / "out"), times(home / "out")
    go(home, sharding=sharding)
    assert (make.tree(home / "out"), times(home / "out")) == (earlier, written)
    shutil.copytree(home / "clips", home / "others")
    victim = home / "others" / "clip 8 é.wav"
    victim.write_bytes(encode(make.tone(0.26, 999), "wav"))
    shutil.copystat(home / "clips" / victim.name, victim)
    (home / "clips").rename(home / "old")
    (home / "others").rename(home / "clips")
    go(home, sharding=sharding)
    now = times(home / "out")
    (changed,) = [name for name in now if now[name] != written[name]]
    assert "c-08" in {fact["id"] for fact in record_facts(home / "out" / changed)["samples"]}
    go(home, out="anew", sharding=sharding)
    assert make.tree(home / "out") == make.tree(home / "anew")


def test_audio_that_changes_while_its_shard_is_written_is_read_again(home: Path, make: Any) -> None:
    victim = home / "clips" / "clip 8 é.wav"
    other = bytes(encode(make.tone(0.26, 999), "wav"))

    class Slow(LocalShelf):
        def commit(self, name: str, key: str, build: Callable[[Building], Any]) -> Record:
            def built(building: Building) -> Any:
                facts = build(building)
                if "c-08" in {fact["id"] for fact in facts["samples"]}:
                    victim.write_bytes(other)
                return facts

            return LocalShelf.commit(self, name, key, built)

    shard([home / "in.csv"], Slow(home / "out"), SMALL, 0)
    go(home)
    (sample,) = [one for one in read_manifest(home / "out" / MANIFEST) if one.id == "c-08"]
    assert audio_bytes(sample) == other


def test_what_is_done_stays_though_its_sources_are_gone(home: Path, make: Any) -> None:
    go(home)
    earlier = make.tree(home / "out")
    shutil.rmtree(home / "clips")
    assert go(home).samples == 20
    assert make.tree(home / "out") == earlier


def test_shards_of_nothing_replace_no_good_ones(home: Path, make: Any) -> None:
    """As when the disk of the sources is not mounted."""
    go(home)
    earlier = make.tree(home / "out")
    shutil.rmtree(home / "clips")
    with pytest.raises(DataError, match=r"none of the files that .*in\.csv names is there, the first is .*clip "):
        go(home, sharding=replace(SMALL, seed=1))
    now = make.tree(home / "out")
    assert {name: now.get(name) for name in earlier} == earlier
    assert verify(home / "out", deep=True).findings == ()


def test_what_is_done_stays_though_what_it_lacks_is_lacking_for_another_reason(home: Path, make: Any) -> None:
    (home / "clips" / "clip 8 é.wav").write_bytes(b"short")
    assert go(home).left_out == (("changed", 1),)
    earlier = make.tree(home / "out")
    shutil.rmtree(home / "clips")
    go(home)
    assert make.tree(home / "out") == earlier


def test_another_file_than_an_import_wrote_is_rejected(digits: Path, tmp_path: Path, make: Any) -> None:
    shutil.copytree(digits, tmp_path / "in")
    victim = read_manifest(tmp_path / "in" / "dev-clean.csv")[3]
    pcm = np.frombuffer(victim.path.read_bytes(), "<i2", offset=HEADER)
    victim.path.write_bytes(encode(pcm[::-1].astype(np.int16), "wav"))
    report = shard([tmp_path / "in" / "dev-clean.csv"], tmp_path / "out", SMALL, 0)
    assert report.left_out == (("changed", 1),)
    (row,) = rejected(tmp_path / "out")
    assert (row["part"], row["id"], row["detail"]) == (
        "dev-clean", victim.id, "it has other bytes than were written (sha256 differs)",
    )  # fmt: skip
    victim.path.write_bytes(encode(pcm, "wav"))
    assert shard([tmp_path / "in" / "dev-clean.csv"], tmp_path / "out", SMALL, 0).rejected == 0


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_shard_without_samples_is_read_as_one(home: Path) -> None:
    """Its number is kept: names of shards are counted by readers."""
    import webdataset

    sharding = Sharding(shard_samples=1, keep_order=True)
    (home / "clips" / "clip 0 é.wav").unlink()
    go(home, sharding=sharding)
    tars = sorted(map(str, (home / "out").glob("*.tar")))
    assert Path(tars[0]).read_bytes() == END
    keys = [one["__key__"] for one in webdataset.WebDataset(tars, shardshuffle=False)]  # type: ignore[attr-defined]
    gc.collect()  # webdataset leaves its files to the collector, which must meet them in this test
    assert keys == [f"c-{number:02d}" for number in range(1, 20)]


def test_an_id_in_two_manifests_is_told_with_both_and_what_to_do(home: Path, make: Any) -> None:
    shutil.copy(home / "in.csv", home / "validated.csv")
    with pytest.raises(DataError, match=r"20 ids of .*validated\.csv are in in too, as c-00, with the same audio"):
        shard([home / "in.csv", home / "validated.csv"], home / "out", SMALL, 0)
    other = write_home(home / "other", make)
    with pytest.raises(DataError, match=r"with different audio, .*: name only one of the two, or shard each into a fo"):
        shard([home / "in.csv", other / "in.csv"], home / "out", SMALL, 0)
    with pytest.raises(DataError, match="name each manifest and shard folder once"):
        shard([home / "in.csv", home / "clips" / ".." / "in.csv"], home / "out", SMALL, 0)
    assert not (home / "out").exists()


def test_a_manifest_through_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "in.csv")
    with pytest.raises(DataError, match="is no file"):
        go(tmp_path)


def task_of(home: Path, number: int, expected: str) -> Task:
    planned = plan_shards(gather([home / "in.csv"]).items, SMALL)[number]
    shelf = LocalShelf(home / "out")
    return Task(shard=planned, sharding=SMALL, shelf=shelf, key=planned.key(SMALL), expected=expected)


def test_a_damaged_shard_is_made_anew_as_it_was_or_not_at_all(home: Path, make: Any) -> None:
    go(home)
    whole, tar = make.tree(home / "out"), home / "out" / "000001.tar"
    expected = hashlib.sha256(whole[tar.name]).hexdigest()
    tar.write_bytes(whole[tar.name][:600] + b"?" + whole[tar.name][601:])
    write_shard(task_of(home, 1, expected))
    assert make.tree(home / "out") == whole
    victim = task_of(home, 1, expected).shard.items[0].sample
    for change in (lambda: victim.path.write_bytes(b"x" * victim.size), victim.path.unlink):
        change()
        with pytest.raises(DataError, match=rf"000001\.tar cannot be made again as it was: {victim.id} of in cannot"):
            write_shard(task_of(home, 1, expected))
        assert make.tree(home / "out") == whole


def test_what_lies_in_the_folder_that_is_read_is_not_written_over(home: Path) -> None:
    with pytest.raises(DataError, match="holds what is to be read"):
        go(home, out="clips")
    with pytest.raises(OutputError, match="not made by dsprep shard"):
        go(home, out=".")


def test_shards_may_lie_below_the_folder_that_is_read(home: Path) -> None:
    go(home, out="clips/shards")
    go(home)
    assert (home / "clips" / "shards" / SHARDED).read_bytes() == (home / "out" / SHARDED).read_bytes()


def test_links_and_shared_files_are_samples_like_others(tmp_path: Path, make: Any) -> None:
    (tmp_path / "x.wav").write_bytes(encode(make.tone(0.1), "wav"))
    (tmp_path / "y.wav").symlink_to("x.wav")
    rows = "".join(f"{name}.wav,3244,a,{name}-{number}\n" for number in range(2) for name in "xy")
    (tmp_path / "in.csv").write_text(f"wav_filename,wav_filesize,transcript,id\n{rows}")
    assert go(tmp_path).samples == 4


def test_the_command_line_tells_what_was_left_out_and_what_to_do(home: Path) -> None:
    (home / "clips" / "clip 4 é.wav").unlink()
    (home / "clips" / "clip 5 é.flac").write_bytes(b"short")
    done = dsprep("shard", "in.csv", "out", "--shard-bytes", "40KB", "--workers", 1, cwd=home)
    assert done.returncode == 1
    assert "left out 1: changed\nleft out 1: no-audio\n" in done.stdout
    assert done.stderr.splitlines() == [
        "note: the shards hold WAV and FLAC, which some readers do not take together: --format makes them one",
        "Error: 2 rows are in no shard: mend what out/rejected.csv tells of and type the same command again, "
        "or add --allow-rejects",
    ]
    done = dsprep("shard", "in.csv", "out", "--shard-bytes", "40KB", "--allow-rejects", "--format", "wav", cwd=home)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("18 samples, 0.00 h, in ")
    shutil.rmtree(home / "clips")
    (home / "clips").mkdir()
    (home / "clips" / "clip 4 é.wav").write_bytes(b"short")
    done = dsprep("shard", "in.csv", "none", "--allow-rejects", cwd=home)
    assert done.returncode == 1
    assert done.stderr == "Error: nothing was taken in: none/rejected.csv tells why\n"


@pytest.mark.slow
def test_killed_at_any_instant_sharding_ends_in_the_same_bytes(tmp_path: Path, make: Any) -> None:
    """Two workers and their parent are killed at once; CI kills 3 times, DSPREP_KILLS says how often elsewhere."""
    home = write_home(tmp_path, make)
    chance = random.Random(0)
    long = make.tone(20.0)
    samples = read_manifest(home / "in.csv")
    for number in range(60):
        path = home / "clips" / f"long-{number}.wav"
        path.write_bytes(encode(np.roll(long, 1000 * number), "wav"))
        size = path.stat().st_size
        samples.append(Sample(id=path.stem, path=path, size=size, transcript="a", extras=samples[0].extras))
    (home / "in.csv").write_bytes(manifest_bytes(samples, home))
    (home / "clips" / "clip 4 é.wav").unlink()
    arguments = ["shard", home / "in.csv", "--shard-bytes", "2MB", "--allow-rejects", "--workers", 2]
    began = time.monotonic()
    assert dsprep(*arguments, home / "undisturbed").returncode == 0
    longest, expected = time.monotonic() - began, make.tree(home / "undisturbed")
    for number in range(int(os.environ.get("DSPREP_KILLS", "3"))):
        out = home / str(number)
        command = [sys.executable, "-m", "dsprep", *map(str, arguments), str(out)]
        process = subprocess.Popen(
            command, start_new_session=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        time.sleep(longest * chance.random())
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert dsprep(*arguments, out).returncode == 0
        assert make.tree(out) == expected
        shutil.rmtree(out)


def test_an_interruption_leaves_what_the_next_run_goes_on_from(home: Path, make: Any) -> None:
    go(home, out="undisturbed")

    def stop(stage: str, done: int, total: int, unit: str) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shard([home / "in.csv"], home / "out", SMALL, 0, stop)
    kept = times(home / "out")
    assert 0 < len(kept) < len(times(home / "undisturbed"))
    assert not (home / "out" / SHARDED).exists()
    go(home)
    assert make.tree(home / "out") == make.tree(home / "undisturbed")
    assert times(home / "out").items() >= kept.items()


@pytest.mark.slow
def test_two_runs_at_once_make_what_one_makes(home: Path, make: Any) -> None:
    go(home, out="undisturbed")
    arguments = ["shard", str(home / "in.csv"), str(home / "out"), "--shard-bytes", "40KB", "--workers", "2"]
    command = [sys.executable, "-m", "dsprep", *arguments]
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(2)]
    said = [one.communicate(timeout=120)[1].decode() for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    assert make.tree(home / "out") == make.tree(home / "undisturbed")


def test_other_work_in_the_same_folder_at_the_same_time_is_refused(home: Path) -> None:
    def elsewhere() -> Iterator[str]:
        """A process of its own, as far as the claim can tell."""
        code = (
            "import sys; from pathlib import Path; from dsprep.pipeline.shards.shelf import LocalShelf\n"
            "with LocalShelf(Path(sys.argv[1])).alone('other work'): print('there', flush=True); sys.stdin.read()"
        )
        (home / "out").mkdir()
        process = subprocess.Popen(
            [sys.executable, "-c", code, home / "out"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        yield process.stdout.readline()
        process.communicate()

    claim = elsewhere()
    assert next(claim) == "there\n"
    with pytest.raises(OutputError, match="another command with other settings"):
        go(home)
    assert list(claim) == []
    assert go(home).samples == 20


def test_the_disk_being_full_is_told_and_leaves_no_piece(home: Path) -> None:
    limited = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (30000, 30000))\n"
    code = limited + "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); from dsprep.cli import main; main()"
    command = [sys.executable, "-c", code, "shard", str(home / "in.csv"), str(home / "out"), "--workers", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Error: cannot write" in done.stderr
    assert "File too large; mend that and type the same command again" in done.stderr
    assert not list((home / "out").glob("*.tar*"))


HUGGING_FACE = """
import json, sys
import datasets
builder = datasets.load_dataset_builder("webdataset", data_files={"train": sys.argv[1] + "/*.tar"})
# Its own reading, short of what load_dataset does after it: that decodes audio, and asks for torchcodec.
(split,) = builder._split_generators(datasets.StreamingDownloadManager())
kinds = sorted(builder.info.features)
rows = [row for _, row in builder._generate_examples(**split.gen_kwargs)]
print(json.dumps([kinds, [[row["__key__"], row["txt"], row["json"], row["wav"]["bytes"].hex()] for row in rows]]))
"""


@pytest.mark.skipif(importlib.util.find_spec("datasets") is None, reason="datasets is not installed (--group interop)")
def test_hugging_face_reads_them(home: Path) -> None:
    go(home, sharding=Sharding(shard_bytes=40_000, form="wav"))
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(home / "cache"), "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-c", HUGGING_FACE, str(home / "out")]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
    kinds, rows = json.loads(ran.stdout.splitlines()[-1])
    assert kinds == ["__key__", "__url__", "json", "txt", "wav"]
    samples = read_manifest(home / "out" / MANIFEST)
    assert sorted(rows) == [
        [one.id, one.transcript, {"id": one.id, "duration": one.duration, "speaker": one.speaker, **dict(one.extras)},
         audio_bytes(one).hex()]
        for one in samples
    ]  # fmt: skip


def test_webdataset_s_flac_decodes_as_ours(home: Path) -> None:
    import soundfile

    go(home, sharding=Sharding(form="flac"))
    for one in read_manifest(home / "out" / MANIFEST):
        pcm, rate = soundfile.read(io.BytesIO(audio_bytes(one)), dtype="int16")
        assert (rate, len(pcm) / 16_000) == (16_000, one.duration)
