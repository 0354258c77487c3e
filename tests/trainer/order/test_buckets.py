from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsprep.manifests.sample import LONGEST
from dsprep.trainer.config import BatchConfig
from dsprep.trainer.order.buckets import BORDERS, SHORTEST, Buckets, cut, most

batches = st.builds(BatchConfig, seconds=st.floats(0.5, 200), samples=st.integers(1, 20))
lengths = st.lists(st.one_of(st.floats(0, 60), st.sampled_from([0.0, LONGEST - 1])), min_size=1, max_size=80)


def test_borders_are_eighths_of_a_doubling_and_reach_the_longest_sample() -> None:
    assert SHORTEST * 2 ** (np.arange(len(BORDERS)) / 8) == pytest.approx(BORDERS, rel=1e-12)
    assert BORDERS[-1] > LONGEST
    assert BORDERS[80].hex() == "0x1.000000000000ap+0", "it is the same to the last bit on every machine"


@given(lengths, batches)
def test_a_bucket_holds_lengths_that_are_alike_and_all_of_them(seconds: list[float], batch: BatchConfig) -> None:
    buckets = Buckets(np.array(seconds), batch)
    assert set(buckets.of.tolist()) == set(range(len(buckets)))
    for one in range(len(buckets)):
        held = [length for length, bucket in zip(seconds, buckets.of.tolist(), strict=True) if bucket == one]
        longer = [length for length, bucket in zip(seconds, buckets.of.tolist(), strict=True) if bucket > one]
        assert max(held) <= max(SHORTEST, min(held) * 2 ** (1 / 8) * (1 + 1e-9))
        assert max(held) < min(longer, default=LONGEST)
        assert buckets.most[one] == most(batch, max(held))


@given(lengths, batches)
def test_what_is_cut_is_everything_and_each_batch_is_the_largest_that_is_allowed(
    seconds: list[float], batch: BatchConfig
) -> None:
    buckets = Buckets(np.array(seconds), batch)
    row = sorted(buckets.of.tolist())
    edges = [0, *(edge for one in cut(np.bincount(row).tolist(), buckets.most) for edge in one)]
    assert edges[-1] == len(row)
    for begin, end in pairwise(edges):
        assert 0 < end - begin <= buckets.most[row[end - 1]]
        assert end == len(row) or end + 1 - begin > buckets.most[row[end]]


def test_nothing_is_cut_into_nothing() -> None:
    assert cut([], []) == []
    assert cut([0, 0], [3, 2]) == []
    assert cut([0, 3, 0], [3, 2, 1]) == [range(2, 3, 2), range(3, 4)]


@given(batches, st.floats(0, 1e9))
def test_most_is_as_many_as_the_bounds_allow_and_never_none(batch: BatchConfig, longest: float) -> None:
    count = most(batch, longest)
    assert count == 1 or (count <= batch.samples and count * longest <= batch.seconds)
    assert count == batch.samples or (count + 1) * longest > batch.seconds * (1 - 1e-12)
