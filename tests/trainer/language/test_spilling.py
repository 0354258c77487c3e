from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsprep.trainer.language.ngrams import by_context, by_suffix, firsts, keys_of, matches, record, whole_groups
from dsprep.trainer.language.spilling import Room, Sorter, merged, ordered

Rows = list[list[int]]


def records(rows: Rows, order: int) -> np.ndarray:
    made = np.zeros(len(rows), record(order, raw="<u8"))
    made["words"] = np.array(rows, np.uint32).reshape(len(rows), order)
    made["raw"] = np.arange(len(rows))
    return made


rows3 = st.lists(st.lists(st.integers(0, 2**31), min_size=3, max_size=3), max_size=50)


@given(rows3, st.sampled_from([32, 40]))
def test_records_are_put_in_order(rows: Rows, bits: int) -> None:
    for columns in (by_suffix(3), by_context(3)):
        found = ordered(records(rows, 3), columns, bits)["words"].tolist()
        assert found == sorted(rows, key=lambda row: [row[column] for column in columns])


@given(
    st.lists(st.lists(st.lists(st.integers(0, 5), min_size=2, max_size=2), max_size=20), max_size=5), st.integers(1, 5)
)
def test_merged_runs_are_all_of_them_in_order(runs: list[Rows], size: int) -> None:
    columns = by_suffix(2)

    def pieces(rows: Rows):  # type: ignore[no-untyped-def]
        unique = [list(one) for one in sorted(set(map(tuple, rows)), key=lambda row: row[::-1])]
        for start in range(0, len(unique), size):
            yield records(unique[start : start + size], 2)

    found = [row for block in merged(map(pieces, runs), columns, 8) for row in block["words"].tolist()]
    expected = [list(one) for rows in runs for one in set(map(tuple, rows))]
    assert found == sorted(expected, key=lambda row: row[::-1])


def test_a_sorter_gives_what_it_was_given_however_little_memory_there_is(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    given = records(draw.permutation(10_000)[:, None].tolist(), 1)
    for memory in (1, 10**9):
        sorter = Sorter(Room(tmp_path, memory), given.dtype, by_suffix(1), 14)
        for start in range(0, len(given), 777):
            sorter.add(given[start : start + 777])
        found = np.concatenate(list(sorter.sorted()))
        assert found.tobytes() == given[np.argsort(given["words"][:, 0])].tobytes()
        assert not list(tmp_path.iterdir())


@given(st.lists(st.integers(0, 5), max_size=30), st.lists(st.integers(1, 10), max_size=30))
def test_whole_groups_are_whole(values: list[int], sizes: list[int]) -> None:
    rows = records([[value] for value in sorted(values)], 1)
    cuts = np.cumsum(sizes).tolist()
    blocks = list(whole_groups(iter(np.split(rows, cuts)), [0]))
    together = np.concatenate([*blocks, records([], 1)])
    assert together.tobytes() == rows.tobytes()
    assert len(firsts(together["words"], [0])) == sum(len(firsts(block["words"], [0])) for block in blocks)


@pytest.mark.parametrize("bits", [8, 32])
@given(st.sets(st.tuples(*[st.integers(0, 6)] * 3)), st.lists(st.tuples(*[st.integers(0, 6)] * 3)))
def test_matches_finds_each_where_it_stands(
    bits: int, among: set[tuple[int, ...]], asked: list[tuple[int, ...]]
) -> None:
    columns = (0, 1, 2)
    table, wanted = sorted(among), sorted(asked)
    keys = [keys_of(records(list(map(list, rows)), 3)["words"], columns, bits) for rows in (wanted, table)]
    expected = [table.index(one) if one in among else -1 for one in wanted]
    assert matches(keys[0], keys[1]).tolist() == expected
