import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dsprep.pipeline.hashing import draw
from dsprep.pipeline.table import key_of
from dsprep.trainer.order.draws import STRIDE, mixed, order, salt_of

numbers = st.lists(st.integers(0, 2**64 - 1), max_size=60)


def test_what_was_drawn_once_is_drawn_for_ever() -> None:
    """These bytes are a promise: a run of today goes on with the dsprep of tomorrow."""
    assert draw(4567, 0, "LDC93S1").hex() == "455247f1f5568bc1"
    assert int(salt_of(4567, 0, "LDC93S1")) == 0xC18B56F5F1475245


def test_numbers_are_those_that_splitmix64_is_known_for() -> None:
    """The first of its stream from seed 0, and the first from 1234567: java.util.SplittableRandom gives them too."""
    first = mixed(np.array([0, 1234567], np.uint64), np.uint64(0), np.array([1, 1], np.uint64))
    assert [f"{one:x}" for one in first.tolist()] == ["e220a8397b1dcdaf", f"{6457827717110365317:x}"]


@given(numbers, st.integers(0, 2**64 - 1))
def test_keys_that_differ_get_numbers_that_differ(keys: list[int], salt: int) -> None:
    found = mixed(np.array(keys, np.uint64), np.uint64(salt))
    assert len(set(found.tolist())) == len(set(keys))


@given(numbers, st.data())
def test_order_sorts_by_group_then_number_but_for_the_lowest_bits(drawn: list[int], data: st.DataObject) -> None:
    groups = data.draw(st.lists(st.integers(0, 300), min_size=len(drawn), max_size=len(drawn)))
    for given_groups in (groups, [0] * len(drawn), None):
        found = order(np.array(drawn, np.uint64), None if given_groups is None else np.array(given_groups, np.int16))
        spared = len(drawn).bit_length() + max(given_groups or [0]).bit_length()
        ranks = [(given_groups[place] if given_groups else 0, drawn[place] >> spared, place) for place in found]
        assert sorted(found.tolist()) == list(range(len(drawn)))
        assert ranks == sorted(ranks)


def test_orders_under_two_salts_have_nothing_to_do_with_each_other() -> None:
    """The correlation of ranks of n clips has a standard deviation of 1 / sqrt(n), here 0.01."""
    keys = np.array([key_of(f"1272-128104-{number:04d}") for number in range(10_000)], np.uint64)
    drawn = [mixed(keys, salt_of(1, epoch, "clips")) for epoch in range(6)]
    drawn += [mixed(keys, salt_of(1, 0, "clips"), np.full(len(keys), turn, np.uint64)) for turn in (1, 2, 3)]
    drawn += [mixed(np.arange(10_000, dtype=np.uint64), salt_of(1, epoch, "batches")) for epoch in range(4)]
    ranks = np.array([np.argsort(order(one)) for one in drawn])
    apart = np.corrcoef([*ranks, np.arange(10_000)]) - np.eye(len(drawn) + 1)
    assert abs(apart).max() < 0.05


def test_a_turn_more_is_a_stride_further() -> None:
    key = np.array([7], np.uint64)
    assert mixed(key, np.uint64(0), np.array([2], np.uint64)) == mixed(key + STRIDE + STRIDE, np.uint64(0))
