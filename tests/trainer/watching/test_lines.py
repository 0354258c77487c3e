"""JSON lines tell each step once, whatever happens between."""

import json
import math
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsprep.manifests import DataError, OutputError
from dsprep.trainer.watching.lines import Lines, read_lines, trim


def run(path: Path, epochs: int, steps: int, after: tuple[int, int] = (0, 0), stop: tuple[int, int] = (99, 0)) -> None:
    """What a run of so many epochs writes, from one place to another."""
    lines = Lines(path, after)
    for epoch in range(after[0] + 1, epochs + 1):
        for step in range(after[1] + 1 if epoch == after[0] + 1 else 1, steps + 1):
            if (epoch, step) > stop:
                lines.close()
                return
            lines.add(epoch, step, {"loss": epoch / step})
        lines.add(epoch, None, {"loss": 1 / epoch})
    lines.close()


def told(path: Path) -> list[tuple[int, int | None]]:
    return [(facts["epoch"], facts["step"]) for _, facts in read_lines(path)]


WHOLE = [(epoch, step) for epoch in (1, 2, 3) for step in (1, 2, 3, 4, None)]


@pytest.mark.parametrize("after", [(0, 0), (0, 3), (0, 4), (1, 0), (1, 2), (2, 0)])
@pytest.mark.parametrize("stop", [(3, 0), (3, 2), (3, 4)])
def test_a_run_that_goes_on_tells_each_step_once(tmp_path: Path, after: tuple[int, int], stop: tuple[int, int]) -> None:
    undisturbed, path = tmp_path / "undisturbed.jsonl", tmp_path / "log.jsonl"
    run(undisturbed, 3, 4)
    run(path, 3, 4, stop=stop)
    run(path, 3, 4, after=after)
    assert told(path) == WHOLE
    assert path.read_bytes() == undisturbed.read_bytes()


def test_every_piece_that_is_torn_off_comes_again(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    run(path, 3, 4)
    whole = path.read_bytes()
    second = whole.index(b'{"epoch": 3')
    for size in range(second, len(whole)):
        path.write_bytes(whole[:size])
        run(path, 3, 4, after=(2, 0))
        assert path.read_bytes() == whole


@pytest.mark.parametrize("place", [-35, -20, -5])
def test_zeros_that_a_crash_left_are_taken_out(tmp_path: Path, place: int) -> None:
    path = tmp_path / "log.jsonl"
    run(path, 3, 4)
    whole = path.read_bytes()
    place += whole.index(b'{"epoch": 3')
    path.write_bytes(whole[:place] + bytes(3) + whole[place + 3 :] + bytes(4096))
    trim(path, (3, 0))
    assert told(path) == [one for one in WHOLE if one != (2, None)]


def test_a_torn_line_is_taken_out_though_its_place_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    run(path, 3, 4)
    whole = path.read_bytes()
    for cut in range(1, 40):
        path.write_bytes(whole[:-cut])
        trim(path, (3, 0))
        assert path.read_bytes() == whole[: whole.rindex(b'{"epoch"')]


def test_a_file_with_nothing_to_take_out_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    run(path, 3, 4)
    before = path.stat()
    trim(path, (3, 0))
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@given(
    facts=st.dictionaries(
        st.text(min_size=1).filter(lambda key: key not in ("epoch", "step")),
        st.none() | st.text() | st.integers() | st.floats() | st.lists(st.text()),
    )
)
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, facts: dict[str, Any]) -> None:
    path = tmp_path_factory.mktemp("Lauf für José 林") / "log.jsonl"
    lines = Lines(path, (0, 0))
    lines.add(1, 1, facts)
    lines.close()
    trim(path, (0, 1))
    known = {
        key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in facts.items()
    }
    assert list(read_lines(path)) == [(1, {"epoch": 1, "step": 1, **known})]


def test_the_lines_are_strict_json(tmp_path: Path) -> None:
    lines = Lines(tmp_path / "log.jsonl", (0, 0))
    lines.add(1, 1, {"loss": math.inf, "norm": math.nan})
    lines.close()

    def refuse(constant: str) -> None:
        pytest.fail(f"{constant} is no JSON")

    json.loads((tmp_path / "log.jsonl").read_bytes(), parse_constant=refuse)


def test_a_line_is_there_as_soon_as_it_is_added(tmp_path: Path) -> None:
    lines = Lines(tmp_path / "log.jsonl", (0, 0))
    lines.add(1, 1, {})
    assert told(tmp_path / "log.jsonl") == [(1, 1)]
    lines.close()


def test_a_line_that_is_still_being_written_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"epoch": 1, "step": 1, "loss": 2.0}\n{"epoch": 1, "st')
    assert told(path) == [(1, 1)]


@pytest.mark.parametrize("line", [b"epoch 1\n", b"[1, 2]\n", b"\xff\n"])
def test_a_file_of_another_kind_is_named_with_its_line(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"{}\n" + line)
    with pytest.raises(DataError, match=r"log\.jsonl:2: "):
        list(read_lines(path))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.jsonl"):
        list(read_lines(tmp_path / "gone.jsonl"))


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_is_told_with_the_file_and_what_was_told_stays(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    lines = Lines(path, (0, 0))
    lines.add(1, 1, {"loss": 1.5})
    with pytest.raises(OutputError, match=r"log\.jsonl.*too large"):
        lines.add(1, 2, {"text": "x" * 100})
    lines.close()
    assert told(path) == [(1, 1)]
    Lines(path, (0, 2)).close()
    assert told(path) == [(1, 1)]


def test_a_million_lines_are_trimmed_in_seconds(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    rest = b'"kind": "step", "loss": 12.712345, "norm": 31.212345, "memory": 3100000000}\n'
    path.write_bytes(b"".join(b'{"epoch": 1, "step": %d, ' % step + rest for step in range(1, 10**6 + 1)))
    begun = time.process_time()
    trim(path, (0, 900_000))
    assert time.process_time() - begun < 20, "2 were measured"
    with path.open("rb") as file:
        assert sum(1 for _ in file) == 900_000
