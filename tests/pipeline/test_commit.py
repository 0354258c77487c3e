from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsprep.manifests import DataError, OutputError
from dsprep.pipeline import commit as commit_module
from dsprep.pipeline.commit import (
    Building,
    accepted,
    commit,
    digest_of,
    read_record,
    record_path,
    seal,
    sweep,
    temporary_name,
    unseal,
    write_whole,
)

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text('aé\u2028" '),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner),
    max_leaves=8,
)


def build(building: Building) -> Any:
    building.add("a.wav", b"12345")
    building.add("b.wav", b"")
    return {"rows": 2}


@given(st.dictionaries(st.text("abc"), values), st.sampled_from([None, 1]))
def test_unseal_is_the_inverse_of_seal(value: dict[str, Any], indent: int | None) -> None:
    value.pop("seal", None)
    assert unseal(seal(value, indent), Path("x")) == value


@pytest.mark.parametrize("indent", [None, 1])
def test_any_changed_byte_breaks_the_seal(indent: int | None) -> None:
    data = seal({"a": [1, 2], "b": "é"}, indent)
    for position in range(len(data)):
        for bit in range(8):
            broken = bytearray(data)
            broken[position] ^= 1 << bit
            with pytest.raises(DataError):
                unseal(bytes(broken), Path("x"))


def test_done_means_recorded_with_the_key_and_the_sizes(tmp_path: Path) -> None:
    final = tmp_path / "00000"
    assert accepted(final, "key") is None
    record = commit(final, "key", build, folder=True)
    assert accepted(final, "key") == record == read_record(final)
    assert record.facts == {"rows": 2}
    assert accepted(final, "other key") is None
    (final / "a.wav").write_bytes(b"1234")
    assert accepted(final, "key") is None


@pytest.mark.parametrize("lost", ["00000.json", "00000/a.wav"])
def test_what_lost_a_file_is_not_done(tmp_path: Path, lost: str) -> None:
    final = tmp_path / "00000"
    commit(final, "key", build, folder=True)
    (tmp_path / lost).unlink()
    assert accepted(final, "key") is None


def test_a_failed_build_leaves_nothing_and_keeps_what_was_there(tmp_path: Path) -> None:
    final = tmp_path / "00000"
    before = commit(final, "key", build, folder=True)

    def fail(building: Building) -> Any:
        building.add("a.wav", b"half")
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        commit(final, "new key", fail, folder=True)
    assert accepted(final, "key") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["00000", "00000.json"]


def test_a_new_key_replaces_the_folder_whole(tmp_path: Path) -> None:
    final = tmp_path / "00000"
    commit(final, "key", build, folder=True)
    record = commit(final, "new", lambda building: building.add("c.wav", b"1"), folder=True)
    assert accepted(final, "new") == record
    assert [path.name for path in final.iterdir()] == ["c.wav"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["00000", "00000.json"]


def test_a_file_is_hashed_as_it_is_written(tmp_path: Path) -> None:
    import hashlib

    def write(building: Building) -> None:
        with building.open() as file:
            for piece in (b"abc", memoryview(b"def"), bytearray(b"")):
                file.write(piece)

    (file,) = commit(tmp_path / "000.tar", "key", write).files
    assert (tmp_path / "000.tar").read_bytes() == b"abcdef"
    assert (file.name, file.size, file.sha256) == ("000.tar", 6, hashlib.sha256(b"abcdef").hexdigest())
    assert record_path(tmp_path / "000.tar") == tmp_path / "000.tar.json"


def test_sweep_takes_what_dead_processes_left_and_nothing_else(tmp_path: Path) -> None:
    import os
    import subprocess

    dead = subprocess.Popen(["true"])
    dead.wait()
    left, live, other = f".a.{dead.pid}-0123abcd4567cdef.tmp", temporary_name(tmp_path / "a").name, ".mine.tmp"
    (tmp_path / left).mkdir()
    (tmp_path / left / "x").write_text("x")
    (tmp_path / live).write_text("x")
    (tmp_path / f".a.{os.getpid()}-0123abcd4567cdef.tmp").write_text("of a container before this one")
    zombie = subprocess.Popen(["true"])
    os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
    (tmp_path / f".a.{zombie.pid}-0123abcd4567cdef.tmp").write_text("x")
    (tmp_path / other).write_text("x")
    sweep(tmp_path)
    zombie.wait()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([live, other])


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="cannot write"):
        write_whole(tmp_path / "file" / "x.json", b"")


def test_a_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    assert digest_of([1, 2]) != digest_of([2, 1])


@pytest.mark.parametrize("spread", [False, True])
def test_a_record_never_speaks_of_files_that_were_replaced_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spread: bool
) -> None:
    """What died between the files and their record leaves no record: the old one would vouch for other bytes."""
    final = tmp_path / "home" / "chunk-00000"

    def build(data: bytes) -> Callable[[Building], object]:
        return lambda building: building.add("00000/a.wav" if spread else "a.wav", data)

    commit(final, "old", build(b"old"), folder=not spread, spread=spread)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(commit_module, "write_record", die)
        with pytest.raises(KeyboardInterrupt):
            commit(final, "new", build(b"new"), folder=not spread, spread=spread)
    assert accepted(final, "old") is None
    assert accepted(final, "new") is None
    record = commit(final, "new", build(b"new"), folder=not spread, spread=spread)
    assert accepted(final, "new") == record
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {"a.wav", "chunk-00000.json"}


def test_files_of_several_records_share_a_folder(tmp_path: Path) -> None:
    for number in range(2):
        commit(tmp_path / f"chunk-{number}", "key", lambda one, n=number: one.add(f"7/{n}.wav", b"x"), spread=True)  # type: ignore[misc]
    assert sorted(path.name for path in (tmp_path / "7").iterdir()) == ["0.wav", "1.wav"]
    assert all(accepted(tmp_path / f"chunk-{number}", "key") for number in range(2))
    (tmp_path / "7" / "1.wav").unlink()
    assert accepted(tmp_path / "chunk-0", "key")
    assert not accepted(tmp_path / "chunk-1", "key")
