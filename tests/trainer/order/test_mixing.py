"""What a mix of sets takes in an epoch, over many of them."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dsprep.manifests import UsageError
from dsprep.trainer.config import BatchConfig, MixConfig
from dsprep.trainer.order.clips import Clips
from dsprep.trainer.order.mixing import Mixture
from dsprep.trainer.order.plan import Plan


def sets_of(*lengths: list[float]) -> Clips:
    """A set of clips for each list of seconds."""
    seconds = np.array([one for each in lengths for one in each], float)
    return Clips(
        keys=np.arange(len(seconds), dtype=np.uint64) + np.uint64(5),
        seconds=seconds,
        shards=np.zeros(len(seconds), np.int32),
        sets=np.repeat(np.arange(len(lengths), dtype=np.int32), [len(each) for each in lengths]),
        places=tuple(f"set{number}.csv" for number in range(len(lengths))),
    )


lengths = st.lists(st.floats(0, 20), min_size=1, max_size=30)
weights = st.floats(0.01, 10)


@given(lengths, lengths, st.tuples(weights, weights), st.floats(1, 20), st.integers(1, 12))
def test_no_clip_is_taken_twice_more_than_another_of_its_set(
    one: list[float], other: list[float], shares: tuple[float, float], size: float, epochs: int
) -> None:
    clips, hours = sets_of(one, other), size * 40 / 3600
    assume(min(sum(one), sum(other)) * 1000 > hours * 3600)
    mix = Mixture(clips, MixConfig(hours=hours, weights=shares), 3)
    met = np.concatenate([mix.taken(epoch).rows for epoch in range(epochs)])
    times = np.bincount(met, minlength=len(clips))
    for number in range(2):
        assert np.ptp(times[clips.sets == number]) <= 1


@given(lengths, lengths, st.tuples(weights, weights), st.floats(1, 20), st.integers(0, 10**6))
def test_hours_are_within_a_clip_a_set_of_what_was_asked_in_any_epoch_at_once(
    one: list[float], other: list[float], shares: tuple[float, float], size: float, epoch: int
) -> None:
    clips, hours = sets_of(one, other), size * 40 / 3600
    assume(min(sum(one), sum(other)) * 1000 > hours * 3600)
    rows = Mixture(clips, MixConfig(hours=hours, weights=shares), 3).taken(epoch).rows
    for number in range(2):
        asked = hours * 3600 * shares[number] / sum(shares)
        found = clips.seconds[rows[clips.sets[rows] == number]].sum()
        assert abs(found - asked) < clips.seconds[clips.sets == number].max() + 0.001


def test_epochs_take_the_tape_piece_by_piece_and_leave_nothing_between_them() -> None:
    """Pieces of any length make the same tape: 60 epochs of a minute, or one of an hour."""
    clips = sets_of([1.5 + number % 7 for number in range(100)], [3.0] * 10)
    short, long = (Mixture(clips, MixConfig(hours=hours, weights=(2.0, 1.0)), 3) for hours in (1 / 60, 1.0))
    for number in range(2):
        pieces = [short.taken(epoch).rows for epoch in range(60)]
        tape = np.concatenate([rows[clips.sets[rows] == number] for rows in pieces])
        whole = long.taken(0).rows
        assert tape.tolist() == whole[clips.sets[whole] == number].tolist()


def test_passes_over_a_set_differ_in_order_and_are_told_apart() -> None:
    taken = Mixture(sets_of([1.0] * 100), MixConfig(hours=300 / 3600), 3).taken(0)
    assert taken.turns is not None
    passes = [taken.rows[taken.turns == turn].tolist() for turn in range(3)]
    assert len({tuple(one) for one in passes}) == 3
    assert {tuple(sorted(one)) for one in passes} == {tuple(range(100))}


def test_a_clip_that_is_taken_three_times_is_not_three_times_in_one_batch() -> None:
    """Its draws differ by pass. Were they alike, its copies would stand side by side."""
    plan = Plan(sets_of([1.0] * 100), BatchConfig(seconds=30), 1, MixConfig(hours=300 / 3600))
    often = [max(Counter(batch.tolist()).values()) for batch in plan.epoch(0)]
    assert sum(often) < 2 * len(often)


def test_without_weights_a_set_is_taken_by_its_own_hours() -> None:
    clips = sets_of([1.0] * 300, [1.0] * 100)
    rows = Mixture(clips, MixConfig(hours=200 / 3600), 1).taken(4).rows
    assert np.bincount(clips.sets[rows]).tolist() == [150, 50]


def test_the_order_of_the_sets_decides_nothing_but_which_weight_is_whose() -> None:
    """The clips of two sets, named in either order: the same clips, the same batches."""
    clips = sets_of([1.0 + number % 3 for number in range(90)], [2.0] * 50)
    other = Clips(keys=clips.keys, seconds=clips.seconds, shards=clips.shards, sets=1 - clips.sets, places=("b", "a"))
    one = Plan(clips, BatchConfig(seconds=30), 1, MixConfig(hours=0.1, weights=(3.0, 1.0))).epoch(2)
    two = Plan(other, BatchConfig(seconds=30), 1, MixConfig(hours=0.1, weights=(1.0, 3.0))).epoch(2)
    assert [batch.tolist() for batch in one] == [batch.tolist() for batch in two]


def test_a_set_of_weight_nothing_is_left_out() -> None:
    clips = sets_of([1.0] * 30, [1.0] * 30)
    rows = Mixture(clips, MixConfig(hours=0.1, weights=(0.0, 2.0)), 1).taken(0).rows
    assert set(clips.sets[rows].tolist()) == {1}


@pytest.mark.parametrize(
    ("mix", "told"),
    [
        (MixConfig(hours=1.0, weights=(1.0,)), r"mix\.weights has 1 numbers and --train 2 places"),
        (MixConfig(hours=1.0, weights=(1.0, 1.0, 1.0)), r"mix\.weights has 3 numbers and --train 2 places"),
        (
            MixConfig(hours=1.0, weights=(1.0, 1.0)),
            r"an epoch of set1\.csv, which has no clips: give it the weight 0",
        ),
        (MixConfig(hours=0.001), r"mix\.hours = 0\.001 is less than a clip may have: give more hours"),
        (MixConfig(hours=1000.0), r"takes 3\.6e\+06 s an epoch of set0\.csv, which has 20 s: take at most 10000"),
    ],
)
def test_what_makes_no_sense_is_refused(mix: MixConfig, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        Plan(sets_of([10.0, 10.0], []), BatchConfig(), 1, mix)
