"""The laws of training order, on the plan alone: no file is read and no process started."""

import hashlib
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsprep.pipeline.table import key_of
from dsprep.trainer.config import BatchConfig, MixConfig
from dsprep.trainer.order.clips import Clips
from dsprep.trainer.order.plan import Plan, plan_reading, share
from dsprep.trainer.order.windows import Batch

KEYS = np.array([key_of(f"clip-{number}") for number in range(5000)], np.uint64)


def clips_like(seconds: Sequence[float], shards: int = 1, sets: int = 1) -> Clips:
    """Clips of these lengths, dealt out to shards and sets."""
    numbers = np.arange(len(seconds))
    return Clips(
        keys=KEYS[: len(seconds)],
        seconds=np.array(seconds, float),
        shards=(numbers * 7919 % shards).astype(np.int32),
        sets=(numbers * 104729 % sets).astype(np.int32),
        places=tuple(f"set {number}" for number in range(sets)),
    )


def speech(count: int, shards: int = 1, sets: int = 1) -> Clips:
    """Clips of 0.5 to 30 s, most of them shorter than 16 s."""
    chance = random.Random(count)
    return clips_like([0.5 + min(chance.expovariate(0.15), 29.5) for _ in range(count)], shards, sets)


lengths = st.lists(st.floats(0, 60), min_size=1, max_size=60)
batches = st.builds(
    BatchConfig, seconds=st.floats(0.5, 200), samples=st.integers(1, 20), window=st.sampled_from([0, 1, 2, 3, 200])
)
shard_counts = st.sampled_from([1, 7, 146])


def flat(plan: Sequence[Batch]) -> list[int]:
    return [clip for batch in plan for clip in batch.tolist()]


@given(lengths, shard_counts, batches, st.integers(0, 5), st.integers(0, 5))
def test_every_clip_is_in_exactly_one_batch(
    seconds: list[float], shards: int, batch: BatchConfig, seed: int, epoch: int
) -> None:
    clips = clips_like(seconds, shards)
    for plan in (Plan(clips, batch, seed).epoch(epoch), plan_reading(clips, batch)):
        assert sorted(flat(plan)) == list(range(len(clips)))
        assert all(len(one) for one in plan)


@given(lengths, shard_counts, batches)
def test_no_batch_is_larger_than_allowed_but_for_a_clip_alone(
    seconds: list[float], shards: int, batch: BatchConfig
) -> None:
    clips = clips_like(seconds, shards)
    for plan in (Plan(clips, batch, 1).epoch(1), plan_reading(clips, batch)):
        for one in plan:
            assert len(one) <= batch.samples
            assert len(one) == 1 or clips.seconds[one].max() * len(one) <= batch.seconds


@given(lengths, batches, st.randoms(use_true_random=False))
def test_the_order_depends_on_ids_and_not_on_where_they_stand(
    seconds: list[float], batch: BatchConfig, chance: random.Random
) -> None:
    """Nor on the numbers that shards and sets have, as long as they are not asked for."""
    clips = clips_like(seconds)
    moved = np.array(chance.sample(range(len(clips)), len(clips)))
    other = Clips(
        keys=clips.keys[moved],
        seconds=clips.seconds[moved],
        shards=clips.shards + 5,
        sets=clips.sets + 1,
        places=("a", "b"),
    )
    batch = BatchConfig(seconds=batch.seconds, samples=batch.samples)
    plan = [one.tolist() for one in Plan(clips, batch, 1).epoch(2)]
    assert plan == [moved[one].tolist() for one in Plan(other, batch, 1).epoch(2)]


@pytest.mark.parametrize(("window", "mix"), [(0, MixConfig()), (2, MixConfig()), (2, MixConfig(hours=5.0))])
def test_epochs_and_seeds_differ_in_batches_and_in_their_order(window: int, mix: MixConfig) -> None:
    clips, batch = speech(5000, shards=7, sets=2), BatchConfig(seconds=100, window=window)
    plans = [
        [tuple(one.tolist()) for one in Plan(clips, batch, seed, mix).epoch(epoch)]
        for seed, epoch in ((1, 0), (1, 1), (2, 0))
    ]
    for one in plans:
        for other in plans:
            if one is not other:
                assert one != other
                assert len(set(map(frozenset, one)) & set(map(frozenset, other))) < len(one) / 4


@given(st.integers(1, 5000), st.integers(0, 3))
def test_the_steps_of_every_epoch_are_the_same_without_windows_and_known_with_them(count: int, window: int) -> None:
    clips, batch = speech(count, shards=7), BatchConfig(seconds=300, window=window)
    epochs = [Plan(clips, batch, 1).epoch(number) for number in range(3)]
    steps = [len(epoch) for epoch in epochs]
    assert steps == [sum(1 for _ in epoch) for epoch in epochs]
    assert window or len(set(steps)) == 1


@given(st.integers(0, 400), st.integers(1, 9))
def test_a_batch_is_shared_out_among_all_ranks_in_its_order_and_alike(count: int, ranks: int) -> None:
    batch = np.arange(count)
    parts = [share(batch, rank, ranks) for rank in range(ranks)]
    assert np.concatenate(parts).tolist() == batch.tolist()
    assert {len(part) for part in parts} <= {count // ranks, -(-count // ranks)}


@pytest.mark.parametrize("rank", [-1, 2])
def test_there_is_no_rank_beyond_the_last(rank: int) -> None:
    with pytest.raises(ValueError, match=f"rank {rank} of 2"):
        share(np.arange(4), rank, 2)


def transitions(count: int) -> int:
    """Runs over all of an epoch that stop at a step and go on with another number of ranks; how many were made.

    Each number of ranks has a plan of its own, as processes have. What every rank is given is written down, and must
    be the epoch, each clip of it once (in a mix, as often as it was taken), in the order of a run that never stopped.
    """
    chance, made = random.Random(4567), 0
    while made < count:
        samples = min(5000, int(1 + chance.expovariate(1 / 150))) if made % 500 else 5000
        clips = speech(samples, shards=chance.choice([1, 7, 146]), sets=chance.choice([1, 2]))
        batch = BatchConfig(
            seconds=max(40.0, samples * chance.choice([0.3, 0.6])), samples=10_000, window=chance.choice([0, 0, 1, 3])
        )
        mix = MixConfig(hours=chance.uniform(1, 3) * 300 / 3600) if chance.random() < 0.2 else MixConfig()
        seed, number = chance.randrange(5), chance.randrange(5)
        whole = list(Plan(clips, batch, seed, mix).epoch(number))
        order = np.concatenate(whole)
        if not mix.hours:
            assert np.array_equal(np.sort(order), np.arange(samples))
        worlds = [Plan(clips, batch, seed, mix).epoch(number) for _ in range(9)]
        for _ in range(min(100, count - made)):
            ranks = chance.randint(1, 9), chance.randint(1, 9)
            stop = chance.randint(0, len(whole))
            before = [worlds[ranks[0] - 1].of(rank, ranks[0])[:stop] for rank in range(ranks[0])]
            after = [worlds[ranks[1] - 1].of(rank, ranks[1])[stop:] for rank in range(ranks[1])]
            assert {len(one) for one in before} == {stop}
            assert {len(one) for one in after} == {len(whole) - stop}
            steps = [*zip(*before, strict=True), *zip(*after, strict=True)]
            assert np.array_equal(np.concatenate([part for step in steps for part in step]), order)
            made += 1
    return made


def test_stopped_at_any_step_and_gone_on_with_other_ranks_every_clip_comes_once_and_in_order() -> None:
    assert transitions(2_000) == 2_000


@pytest.mark.long
def test_so_it_is_in_a_hundred_thousand_transitions() -> None:
    assert transitions(100_000) == 100_000


PRINT = """
import hashlib, sys
sys.path.insert(0, {folder!r})
from test_plan import speech
from dsprep.trainer.config import BatchConfig, MixConfig
from dsprep.trainer.order.plan import Plan
found = hashlib.sha256()
for window, hours in ((0, 0.0), (2, 0.0), (0, 3.0), (2, 3.0)):
    for epoch in (0, 7):
        plan = Plan(speech(1000, 7, 2), BatchConfig(window=window), 3, MixConfig(hours=hours))
        found.update(b"".join(one.tobytes() + b"|" for one in plan.epoch(epoch)))
print(found.hexdigest())
"""


def test_other_processes_with_other_hash_seeds_and_instructions_have_the_same_order() -> None:
    """The last one sorts and multiplies without the vector instructions of this machine."""
    compiled = np._core._multiarray_umath  # type: ignore[attr-defined]
    vectors = " ".join(name for name in compiled.__cpu_dispatch__ if compiled.__cpu_features__[name])
    command = [sys.executable, "-c", PRINT.format(folder=str(Path(__file__).parent))]
    prints = {
        subprocess.run(command, env={**os.environ, **extra}, check=True, capture_output=True, text=True).stdout
        for extra in (
            {"PYTHONHASHSEED": "1"},
            {"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo"},
            {"NPY_DISABLE_CPU_FEATURES": vectors},
        )
    }
    assert len(prints) == 1


def test_windows_are_read_one_after_another_and_are_drawn_anew_each_epoch() -> None:
    clips = speech(3000, shards=146)
    met = []
    for number in range(2):
        epoch = Plan(clips, BatchConfig(window=10), 1).epoch(number)
        seen: dict[int, list[int]] = {}
        for step, batch in enumerate(epoch):
            for shard in clips.shards[batch].tolist():
                seen.setdefault(shard, []).append(step)
        spans = sorted((min(steps), max(steps)) for steps in seen.values())
        at_once = [sum(begin <= step <= end for begin, end in spans) for step in range(len(epoch))]
        assert len(seen) == 146
        assert max(at_once) <= 10
        met.append({frozenset(one for one in seen if seen[one][0] <= step <= seen[one][-1]) for step in (0, 50)})
    assert met[0] != met[1]


def test_windows_differ_by_one_shard_at_most() -> None:
    """146 shards in windows of up to 20 are eight of 18 or 19: seven of 20 and one of 6 would pad more."""
    clips = speech(1460, shards=146)
    epoch = Plan(clips, BatchConfig(window=20, seconds=1e9, samples=10**9), 1).epoch(0)
    assert Counter(len(set(clips.shards[batch].tolist())) for batch in epoch) == {18: 6, 19: 2}


def test_a_slice_of_an_epoch_is_what_its_steps_are() -> None:
    epoch = Plan(speech(300, shards=7), BatchConfig(seconds=60, window=2), 1).epoch(0)
    whole = [one.tolist() for one in epoch]
    assert [one.tolist() for one in epoch[7:]] == whole[7:]
    assert [one.tolist() for one in epoch[7:][3:9]] == whole[10:16]
    assert epoch[-1].tolist() == whole[-1]
    assert [one.tolist() for one in reversed(epoch)] == whole[::-1]
    with pytest.raises(IndexError):
        epoch[len(epoch)]


@pytest.mark.parametrize(("window", "bound"), [(0, 1.07), (7, 1.07), (2, 1.09)])
def test_padding_is_small(window: int, bound: float) -> None:
    clips = speech(5000, shards=7)
    plan = Plan(clips, BatchConfig(seconds=200, window=window), 1).epoch(1)
    padded = sum(clips.seconds[one].max() * len(one) for one in plan)
    assert padded < bound * clips.seconds.sum()


def test_clips_of_one_length_are_mixed_over_the_whole_of_it() -> None:
    """The mates of a clip in two epochs are no more alike than chance has them."""
    clips, batch = clips_like([1.0] * 1000), BatchConfig(seconds=50)
    mates = []
    for epoch in range(2):
        held = {clip: set(one.tolist()) for one in Plan(clips, batch, 1).epoch(epoch) for clip in one.tolist()}
        mates.append(held)
    again = [len(mates[0][clip] & mates[1][clip]) - 1 for clip in range(1000)]
    assert sum(again) / 1000 == pytest.approx(49 * 49 / 999, rel=0.15)


def test_an_order_once_drawn_is_drawn_for_ever() -> None:
    """These orders are a promise: a run of today goes on with the dsprep of tomorrow."""
    few = Plan(clips_like([1.0] * 6), BatchConfig(samples=2), 4567).epoch(3)
    assert [one.tolist() for one in few] == [[4, 2], [0, 3], [5, 1]]
    found = hashlib.sha256()
    for window, hours in ((0, 0.0), (2, 0.0), (2, 3.0)):
        clips = clips_like([0.5 + number * 37 % 100 / 8 for number in range(1000)], 7, 2)
        for batch in Plan(clips, BatchConfig(window=window), 3, MixConfig(hours=hours)).epoch(5):
            found.update(batch.astype("<i8").tobytes() + b"|")
    assert found.hexdigest() == "93fe954893c81feff22a287b5ed740797f512cadcc3b52aed934ab0218cece3b"


def test_evaluation_begins_with_the_longest() -> None:
    clips = speech(50)
    plan = plan_reading(clips, BatchConfig(seconds=60))
    longest = [clips.seconds[one].max() for one in plan]
    assert longest == sorted(longest, reverse=True)
    assert all(clips.seconds[one[0]] >= clips.seconds[other].max() for one, other in pairwise(plan))
