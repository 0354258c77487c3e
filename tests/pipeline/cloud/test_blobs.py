import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsprep.pipeline.cloud.blobs import HEAD, Blobs, CacheNotice
from dsprep.pipeline.commit import PROCESS


def key_of(clip: bytes) -> str:
    return hashlib.sha256(clip).hexdigest()


def held(root: Path) -> int:
    return sum(path.stat().st_size for path in root.glob("??/*"))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 300), max_size=60), st.integers(HEAD, 1000))
def test_the_bound_holds_and_what_comes_back_is_what_was_put(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], bound: int
) -> None:
    blobs = Blobs(tmp_path_factory.mktemp("blobs"), bound)
    for index, size in enumerate(sizes):
        clip = bytes([index]) * size
        blobs.put(key_of(clip), clip)
        assert held(blobs.root) <= bound
        assert blobs.get(key_of(clip)) == (clip if HEAD + size <= bound else None)


def test_what_was_used_longest_ago_goes_first(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs", 10 * (HEAD + 100))
    clips = [bytes([index]) * 100 for index in range(10)]
    for age, clip in enumerate(clips):
        blobs.put(key_of(clip), clip)
        path = tmp_path / "blobs" / key_of(clip)[:2] / key_of(clip)
        os.utime(path, ns=(age, age))
    assert blobs.get(key_of(clips[0])) == clips[0]
    blobs.put(key_of(b"new"), b"new")
    assert [clip in map(blobs.get, map(key_of, clips)) for clip in clips] == [True, False, *[True] * 8]


def test_other_bytes_than_were_put_are_not_served_and_go(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path, 10**6)
    blobs.put(key_of(b"clip"), b"clip")
    (path,) = tmp_path.glob("??/*")
    for damaged in (path.read_bytes()[:-1], b"", path.read_bytes() + b"x", bytes(40)):
        path.write_bytes(damaged)
        assert blobs.get(key_of(b"clip")) is None
        assert not path.exists()
    other = hashlib.sha256(b"evil").digest() + b"evil"
    path.write_bytes(other)
    assert blobs.get(key_of(b"clip"), key_of(b"clip")) is None


@pytest.mark.slow
def test_processes_share_a_bound(tmp_path: Path) -> None:
    code = (
        "import hashlib, sys; from pathlib import Path\n"
        "from dsprep.pipeline.cloud.blobs import Blobs\n"
        "blobs = Blobs(Path(sys.argv[1]), 20_000)\n"
        "for index in range(300):\n"
        "    clip = f'{sys.argv[2]} {index}'.encode() * 20\n"
        "    key = hashlib.sha256(clip).hexdigest()\n"
        "    blobs.put(key, clip)\n"
        "    assert blobs.get(key, key) in (clip, None)\n"
    )
    programs = [subprocess.Popen([sys.executable, "-W", "error", "-c", code, tmp_path, name]) for name in "ab"]
    assert [program.wait(timeout=60) for program in programs] == [0, 0]
    assert 0 < held(tmp_path) <= 20_000
    assert int((tmp_path / "total").read_text()) == held(tmp_path)


@pytest.mark.parametrize("total", ["", "many", "0", "999999999"])
def test_a_wrong_total_mends_itself(tmp_path: Path, total: str) -> None:
    blobs = Blobs(tmp_path, 1000)
    blobs.put(key_of(b"one"), b"one")
    (tmp_path / "total").write_text(total)
    for index in range(40):
        clip = bytes([index]) * 100
        blobs.put(key_of(clip), clip)
        assert held(tmp_path) <= 1000 + (HEAD + 3 if total == "0" else 0)
    assert held(tmp_path) > 500


def test_what_a_killed_process_left_goes(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path, 1000)
    dead = tmp_path / "ab" / f".{'ab' * 32}.{2**22 + 1}-{PROCESS}00000000.tmp"
    dead.parent.mkdir()
    dead.write_bytes(bytes(900))
    for index in range(10):
        clip = bytes([index]) * 200
        blobs.put(key_of(clip), clip)
    assert not dead.exists()


@pytest.mark.usefixtures("full_disk")
def test_a_disk_that_is_full_costs_speed_alone(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path, 1000)
    with pytest.warns(CacheNotice, match="keeps no clips .File too large.: each is fetched anew"):
        blobs.put(key_of(bytes(200)), bytes(200))
    assert blobs.get(key_of(bytes(200))) is None
    assert held(tmp_path) == 0


def test_a_cache_that_is_no_folder_costs_speed_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.warns(CacheNotice, match="keeps no clips"):
        Blobs(tmp_path / "file", 1000).put(key_of(b"one"), b"one")
