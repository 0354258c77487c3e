from hypothesis import given
from hypothesis import strategies as st

from dsprep.trainer.config import BatchConfig
from dsprep.trainer.plan import Clip, draw, plan_epoch, plan_reading

clips = st.lists(
    st.builds(Clip, st.text("abc123", min_size=1, max_size=6), st.floats(0.01, 60)), unique_by=lambda one: one.id
)
batches = st.builds(BatchConfig, seconds=st.floats(0.5, 200), samples=st.integers(1, 20))


@given(clips, batches, st.integers(0, 5), st.integers(0, 5))
def test_every_clip_is_in_exactly_one_batch(found: list[Clip], batch: BatchConfig, seed: int, epoch: int) -> None:
    for plan in (plan_epoch(found, batch, seed, epoch), plan_reading(found, batch)):
        assert sorted(index for one in plan for index in one) == list(range(len(found)))


@given(clips, batches)
def test_no_batch_is_larger_than_allowed_but_for_a_clip_alone(found: list[Clip], batch: BatchConfig) -> None:
    for plan in (plan_epoch(found, batch, 1, 1), plan_reading(found, batch)):
        for one in plan:
            assert len(one) <= batch.samples
            assert len(one) == 1 or max(found[index].seconds for index in one) * len(one) <= batch.seconds


@given(clips, batches, st.randoms())
def test_the_order_depends_on_ids_and_not_on_where_they_stand(
    found: list[Clip], batch: BatchConfig, chance: object
) -> None:
    from random import Random

    assert isinstance(chance, Random)
    other = found[:]
    chance.shuffle(other)
    plan = [[found[index].id for index in one] for one in plan_epoch(found, batch, 1, 2)]
    assert plan == [[other[index].id for index in one] for one in plan_epoch(other, batch, 1, 2)]


def many(count: int) -> list[Clip]:
    return [Clip(f"clip-{number}", 1 + (number * 37 % 100) / 10) for number in range(count)]


def test_epochs_and_seeds_differ_in_batches_and_in_their_order() -> None:
    plans = [plan_epoch(many(500), BatchConfig(seconds=60), seed, epoch) for seed, epoch in ((1, 0), (1, 1), (2, 0))]
    for one in plans:
        for other in plans:
            if one is not other:
                assert one != other
                assert len(set(map(frozenset, one)) & set(map(frozenset, other))) < len(one) / 4


def test_padding_is_small() -> None:
    found = many(2000)
    plan = plan_epoch(found, BatchConfig(seconds=100, samples=64), 1, 1)
    padded = sum(max(found[index].seconds for index in one) * len(one) for one in plan)
    assert padded < 1.07 * sum(clip.seconds for clip in found)


def test_an_order_once_drawn_is_drawn_for_ever() -> None:
    """These bytes are a promise: a run of today goes on with the dsprep of tomorrow."""
    assert draw(4567, 0, "LDC93S1").hex() == "455247f1f5568bc1"
    plan = plan_epoch([Clip(f"c{number}", 1.0) for number in range(6)], BatchConfig(samples=2), 4567, 3)
    assert plan == [(2, 5), (3, 1), (4, 0)]


def test_evaluation_begins_with_the_longest() -> None:
    found = many(50)
    plan = plan_reading(found, BatchConfig(seconds=60))
    longest = [max(found[index].seconds for index in one) for one in plan]
    assert longest == sorted(longest, reverse=True)
