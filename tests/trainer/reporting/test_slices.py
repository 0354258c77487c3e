"""The groups of a slice hold every utterance once."""

import random
from collections.abc import Callable

import pytest

from dsprep.trainer.reporting.slices import COLUMNS, GROUPS, Slice, by_column, by_duration, by_speaker
from dsprep.trainer.scoring.errors import Errors
from dsprep.trainer.scoring.heard import Heard

Make = Callable[..., Heard]


def made(heard: Make, count: int, speakers: int) -> list[Heard]:
    draw = random.Random(1)
    words = ["one", "two", "three"]
    return [
        heard(
            f"u-{number:03d}",
            " ".join(draw.choices(words, k=3)),
            " ".join(draw.choices(words, k=3)),
            speaker=draw.choice(["", *(f"s{n}" for n in range(speakers))]),
            duration=draw.choice([None, 0.5, 1.0, 7.0, 30.0, 500.0]),
            extras=(("accent", draw.choice(["", "us", "india"])), ("locale", "en"), ("sentence", f"{number}")),
        )
        for number in range(count)
    ]


def whole(slice: Slice) -> tuple[int, Errors]:
    return sum(group.utterances for group in slice.groups), sum((group.words for group in slice.groups), Errors())


@pytest.mark.parametrize("speakers", [1, 5, 30, 31, 90])
def test_groups_add_up_to_the_whole(heard: Make, speakers: int) -> None:
    lines = made(heard, 300, speakers)
    total = 300, sum((one.words for one in lines), Errors())
    speaker = by_speaker(lines)
    assert speaker is not None
    for slice in (by_duration(lines), speaker, *by_column(lines).slices):
        assert whole(slice) == total, slice.name
        assert len({(group.name, group.merged) for group in slice.groups}) == len(slice.groups)


def test_durations_come_in_their_order_and_unknown_ones_last(heard: Make) -> None:
    times = [7.0, None, 500.0, 0.0, 1.0, 0.999, 30.0, 29.999]
    lines = [heard(f"u-{place}", "a", "b", duration=time) for place, time in enumerate(times)]
    found = [(group.name, group.utterances) for group in by_duration(lines).groups]
    assert found == [
        ("under 1 s", 2),
        ("1 to 2 s", 1),
        ("5 to 8 s", 1),
        ("20 to 30 s", 1),
        ("30 s and more", 2),
        ("", 1),
    ]


def test_without_speakers_there_is_no_slice_of_them(heard: Make) -> None:
    assert by_speaker([heard("u-1", "a", "a"), heard("u-2", "a", "a")]) is None
    assert by_speaker([]) is None


def test_of_many_speakers_those_with_most_words_are_shown_and_the_others_together(heard: Make) -> None:
    lines = [heard(f"u-{n:02d}", "a " * (n + 1), "a", speaker=f"s{n:02d}") for n in range(GROUPS + 5)]
    speaker = by_speaker(lines)
    assert speaker is not None
    assert len(speaker.groups) == GROUPS + 1
    assert speaker.groups[-1].merged == 5
    assert {f"s{n:02d}" for n in range(5)}.isdisjoint(group.name for group in speaker.groups)
    rates = [group.words.rate for group in speaker.groups[:-1]]
    assert rates == sorted(rates, reverse=True)


def test_a_column_with_few_values_has_a_slice_and_others_are_named(heard: Make) -> None:
    columns = by_column(made(heard, 40, 2))
    assert [slice.name for slice in columns.slices] == ["accent"]
    assert columns.alike == (("locale", "en"),)
    assert columns.skipped == ("sentence",)


def test_a_column_that_some_manifests_lack_tells_nothing_of_theirs(heard: Make) -> None:
    lines = [heard(f"u-{n}", "a", "a", extras=(("accent", "us"),) if n % 2 else ()) for n in range(6)]
    (slice,) = by_column(lines).slices
    assert [(group.name, group.utterances) for group in slice.groups] == [("us", 3), ("", 3)]


def test_many_columns_make_no_endless_page(heard: Make) -> None:
    extras = [tuple((f"c{column}", str(n % 2)) for column in range(COLUMNS + 7)) for n in range(4)]
    columns = by_column([heard(f"u-{n}", "a", "a", extras=extras[n]) for n in range(4)])
    assert (len(columns.slices), len(columns.skipped)) == (COLUMNS, 7)


def test_bars_have_a_finite_length_whatever_the_rates(heard: Make) -> None:
    lines = [heard("u-1", "", "put in", speaker="x"), heard("u-2", "a", "a", speaker="y")]
    speaker = by_speaker(lines)
    assert speaker is not None
    assert speaker.scale == 1.0
    assert by_duration([]).scale == 1.0
