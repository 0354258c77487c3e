from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsprep.manifests import DataError, Sample
from dsprep.pipeline.table import Table, key_of

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
sample = st.builds(
    Sample,
    id=st.text("abc019_-", min_size=1, max_size=6),
    path=st.sampled_from([Path("/a/0.tar"), Path("/a/1.tar"), Path("/b/ü x.wav")]),
    size=st.integers(0, 10**12),
    transcript=texts,
    offset=st.none() | st.integers(0, 10**15),
    duration=st.none() | st.floats(0, 1e6),
    sha256=st.sampled_from(["", "0f" * 32, "00" * 31 + "01"]),
    speaker=texts,
    extras=st.just(()) | st.tuples(st.tuples(st.just("age"), texts), st.tuples(st.just("accent"), texts)),
)
samples_of = st.lists(sample, unique_by=lambda one: one.id, max_size=20)


def by_key(samples: list[Sample]) -> list[Sample]:
    """What a table of them holds: a column that any has, all have."""
    names = {name: "" for one in samples for name, _ in one.extras}
    whole = [replace(one, extras=tuple({**names, **dict(one.extras)}.items())) for one in samples]
    return sorted(whole, key=lambda one: key_of(one.id))


@given(samples_of)
def test_a_table_gives_back_its_samples_by_key(samples: list[Sample]) -> None:
    table = Table.of(samples)
    assert list(table) == by_key(samples)
    assert [key_of(one.id) for one in table] == table.keys.tolist()
    assert [one.duration for one in table] == [None if np.isnan(one) else one for one in table.seconds]


@given(samples_of, st.randoms())
def test_the_order_in_which_they_come_changes_nothing(samples: list[Sample], chance: Any) -> None:
    other = samples[:]
    chance.shuffle(other)
    one, two = Table.of(samples), Table.of(other)
    assert [replace(each, extras=()) for each in one] == [replace(each, extras=()) for each in two]
    assert one.shards.tolist() == two.shards.tolist()


@given(samples_of)
def test_a_shard_is_a_tar_or_a_folder_of_loose_files(samples: list[Sample]) -> None:
    table = Table.of(samples)
    places = [one.path.parent if one.offset is None else one.path for one in table]
    seen = list(dict.fromkeys(places))
    assert table.shards.tolist() == [seen.index(place) for place in places]


@given(samples_of)
def test_if_the_furthest_are_there_all_are(samples: list[Sample]) -> None:
    found = list(Table.of(samples).furthest())
    ends = {one.path: (one.offset or 0) + one.size for one in found if one.offset is not None}
    for one in samples:
        if one.offset is None:
            assert one.id in {each.id for each in found}
        else:
            assert one.offset + one.size <= ends[one.path]


def many(count: int) -> list[Sample]:
    return [
        Sample(id=f"c{number}", path=Path(f"/d/{number % 7}.tar"), size=1, transcript="t", offset=number)
        for number in range(count)
    ]


def test_a_kept_table_is_the_same_and_is_not_made_again(tmp_path: Path) -> None:
    samples = many(1000)
    made = Table.kept(tmp_path / "table", "key", samples)
    again = Table.kept(tmp_path / "table", "key", [])
    assert list(made) == list(again) == list(Table.of(samples))
    assert len(Table.kept(tmp_path / "table", "other", many(3))) == 3
    assert {path.name for path in tmp_path.rglob("*")} == {"table", "table.json", "rows", "text"}


def test_an_empty_table_is_one(tmp_path: Path) -> None:
    for table in (Table.of([]), Table.kept(tmp_path / "table", "key", [])):
        assert (list(table), len(table.shards), list(table.furthest())) == ([], 0, [])


def test_a_damaged_table_is_made_again(tmp_path: Path) -> None:
    Table.kept(tmp_path / "table", "key", many(9))
    rows = tmp_path / "table" / "rows"
    rows.write_bytes(rows.read_bytes()[:-1])
    assert list(Table.kept(tmp_path / "table", "key", many(9))) == list(Table.of(many(9)))


def test_some_of_a_table_are_a_table() -> None:
    table = Table.of(many(50))
    kept = table.seconds != table.seconds
    kept[::2] = False
    assert list(table.taken(kept)) == list(table)[1::2]
    assert list(table[10:20]) == list(table)[10:20]
    assert table[-1] == list(table)[-1]
    with pytest.raises(IndexError):
        table[50]


def test_an_id_that_comes_twice_is_told() -> None:
    with pytest.raises(DataError, match=r"id c3 is in the data twice: .*3\.tar and .*3\.tar"):
        Table.of([*many(5), *many(5)[3:4]])


def test_a_place_beyond_all_files_is_kept_as_beyond_all_files() -> None:
    (one,) = Table.of([replace(many(1)[0], offset=10**20, size=10**20)])
    assert (one.offset or 0) + one.size == 2**62
