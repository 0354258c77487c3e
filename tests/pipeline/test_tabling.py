import os
import time
from pathlib import Path
from typing import Any

import pytest

from dsprep.manifests import DataError, Sample, manifest_bytes
from dsprep.pipeline import tabling
from dsprep.pipeline.places import Cache
from dsprep.pipeline.sound.audio import encode
from dsprep.pipeline.tabling import read_table


@pytest.fixture(autouse=True)
def _every_table_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tabling, "LARGE", 0)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(folder=tmp_path / "cache")


def write_set(home: Path, make: Any, pitch: int = 300, *, told: bool = True) -> Path:
    home.mkdir(parents=True)
    samples = []
    for number in range(3):
        (home / f"{number}.wav").write_bytes(bytes(encode(make.tone(0.1, pitch), "wav")))
        known = 0.1 if told else None
        samples.append(
            Sample(id=f"c{number}", path=home / f"{number}.wav", size=3244, transcript="a b", duration=known)
        )
    (home / "x.csv").write_bytes(manifest_bytes(samples, home))
    return home / "x.csv"


def tables(cache: Cache) -> list[Path]:
    home = cache.folder / "tables"
    return sorted(home.iterdir()) if home.exists() else []


def test_a_kept_table_says_the_same_and_is_made_once(tmp_path: Path, make: Any, cache: Cache) -> None:
    manifest = write_set(tmp_path / "set", make)
    first = list(read_table([manifest], cache))
    kept = {path: path.stat().st_ino for path in tables(cache)}
    assert len(kept) == 2
    assert list(read_table([manifest], cache)) == first == list(read_table([manifest]))
    assert {path: path.stat().st_ino for path in tables(cache)} == kept


def test_links_to_one_manifest_have_the_audio_beside_them(tmp_path: Path, make: Any, cache: Cache) -> None:
    manifest = write_set(tmp_path / "one", make)
    write_set(tmp_path / "two", make, 500).unlink()
    (tmp_path / "two" / "x.csv").symlink_to(manifest)
    for name in ("one", "two"):
        assert {one.path.parent for one in read_table([tmp_path / name / "x.csv"], cache)} == {tmp_path / name}


def test_from_whatever_folder_a_manifest_is_named_its_files_are_found(
    tmp_path: Path, make: Any, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_set(tmp_path / "set", make)
    for home, name in ((tmp_path / "set", "x.csv"), (tmp_path, "set/x.csv")):
        monkeypatch.chdir(home)
        assert all(one.path.is_absolute() for one in read_table([Path(name)], cache))


def test_a_table_that_was_damaged_is_made_again(tmp_path: Path, make: Any, cache: Cache) -> None:
    manifest = write_set(tmp_path / "set", make)
    first = list(read_table([manifest], cache))
    for name in ("rows", "text"):
        path = tables(cache)[0] / name
        data = path.read_bytes()
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        assert list(read_table([manifest], cache)) == first
        assert path.read_bytes() == data


def test_a_manifest_that_was_changed_is_read_though_its_size_and_time_are_the_same(
    tmp_path: Path, make: Any, cache: Cache
) -> None:
    manifest = write_set(tmp_path / "set", make)
    read_table([manifest], cache)
    before = manifest.stat()
    manifest.write_text(manifest.read_text().replace("a b", "b a"))
    os.utime(manifest, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert {one.transcript for one in read_table([manifest], cache)} == {"b a"}


def test_lengths_that_were_measured_are_not_kept(tmp_path: Path, make: Any, cache: Cache) -> None:
    manifest = write_set(tmp_path / "set", make, told=False)
    assert [one.duration for one in read_table([manifest], cache)] == [0.1] * 3
    assert tables(cache) == []


def test_where_nothing_can_be_kept_the_table_is_made_all_the_same(tmp_path: Path, make: Any) -> None:
    manifest = write_set(tmp_path / "set", make)
    (tmp_path / "cache").write_text("in the way")
    told: list[str] = []
    assert len(read_table([manifest], Cache(folder=tmp_path / "cache", on_notice=told.append))) == 3
    assert len(told) == 1
    assert "cannot be kept for the next command" in told[0]


def test_tables_used_longest_ago_make_room(tmp_path: Path, make: Any) -> None:
    manifests = [write_set(tmp_path / f"set{number}", make) for number in range(3)]
    read_table(manifests[:1], Cache(folder=tmp_path / "cache"))
    size = sum(path.stat().st_size for path in tables(Cache(folder=tmp_path / "cache"))[0].iterdir())
    small = Cache(folder=tmp_path / "cache", bytes=size * 5 // 2)
    for manifest in (manifests[1], manifests[0], manifests[2]):
        before = set(tables(small))
        time.sleep(0.03)  # a file system's clock ticks every few milliseconds
        read_table([manifest], small)
    assert len(tables(small)) == 4
    kept = set(tables(small))
    read_table([manifests[0]], small)
    assert set(tables(small)) == kept, "the one that was used last but one is there yet"
    assert before - kept, "and the other made room"


def test_an_id_in_two_manifests_is_told(tmp_path: Path, make: Any, cache: Cache) -> None:
    manifests = [write_set(tmp_path / name, make) for name in ("one", "two")]
    for _ in range(2):
        with pytest.raises(DataError, match=r"id c\d is in the data twice: .*: name manifests that share no clip"):
            read_table(manifests, cache)
