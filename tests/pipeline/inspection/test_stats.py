"""Stats count every clip once, and tables align whatever the script."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsprep.manifests import DataError, Sample, csv_bytes, manifest_bytes
from dsprep.pipeline.inspection.stats import BARS, histogram, stats
from dsprep.pipeline.inspection.summary import stats_lines
from dsprep.pipeline.shards.placement import Sharding
from dsprep.pipeline.shards.sharding import shard
from dsprep.pipeline.tables import WIDEST, bars, cut, table, width


def sample(name: str, text: str, seconds: float | None, speaker: str = "", **extras: str) -> Sample:
    return Sample(
        id=name, path=Path("/x.wav"), size=1, transcript=text, duration=seconds, speaker=speaker,
        extras=tuple(extras.items()),
    )  # fmt: skip


def write(path: Path, *samples: Sample) -> Path:
    path.write_bytes(manifest_bytes(samples, path.parent))
    return path


def test_what_a_manifest_holds_is_counted(tmp_path: Path) -> None:
    train = write(
        tmp_path / "train.csv",
        sample("a", "null", 1.0, "ann", gender="f"),
        sample("b", "cafe\u0301 bar", 2.0, "ann", gender="f"),
        sample("c", "", 6.0, "bob", gender=""),
    )
    dev = write(tmp_path / "dev.csv", sample("d", "x", 3.0, "bob"))
    found = stats([train, dev])
    one = found.sets[0]
    assert (one.name, one.clips, one.words, one.characters) == ("train", 3, 3, 12)
    assert one.durations is not None
    timed = one.durations
    assert (timed.total, timed.shortest, timed.median, timed.mean, timed.longest) == (9.0, 1.0, 2.0, 3.0, 6.0)
    assert timed.characters_per_second == 12 / 9
    assert [(share.value, share.clips, share.seconds) for share in one.speakers.shares] == [
        ("bob", 1, 6.0), ("ann", 2, 3.0),
    ]  # fmt: skip
    assert [(share.value, share.clips) for share in one.columns[0].shares] == [("", 1), ("f", 2)]
    assert (found.total.clips, found.total.speakers.named) == (4, 2)
    assert json.loads(json.dumps(found.facts()))["sets"][0]["durations"]["total"] == 9.0


def test_a_plain_deepspeech_csv_has_no_durations_and_is_told_what_measures_them(tmp_path: Path) -> None:
    plain = tmp_path / "old.csv"
    plain.write_bytes(csv_bytes(("wav_filename", "wav_filesize", "transcript"), [("a.wav", "1", "one two")]))
    found = stats([plain])
    assert found.sets[0].durations is None
    assert (found.sets[0].words, found.sets[0].speakers.named) == (2, 0)
    lines = list(stats_lines(found))
    assert "old: 1 of 1 clips have no duration; dsprep check DATA measures them" in lines
    assert ["hours", "-"] in [line.split() for line in lines]


def test_shards_hold_what_their_manifests_held(digits: Path, tmp_path: Path) -> None:
    shard([digits / "dev-clean.csv"], tmp_path / "dev-clean", Sharding(shard_bytes=100_000), 1)
    assert stats([tmp_path / "dev-clean"]).sets == stats([digits / "dev-clean.csv"]).sets


def test_nothing_at_all_is_refused_and_one_empty_manifest_is_not(tmp_path: Path) -> None:
    none, some = write(tmp_path / "none.csv"), write(tmp_path / "some.csv", sample("a", "one", 1.0))
    with pytest.raises(DataError, match="no samples in there"):
        stats([none])
    assert [one.clips for one in stats([none, some]).sets] == [0, 1]
    assert list(stats_lines(stats([none, some])))


def test_ten_values_of_a_column_are_shown_and_the_others_summed(tmp_path: Path) -> None:
    clips = [sample(f"{number}", "x", 3600.0, accent=f"accent {number % 13:02}") for number in range(39)]
    lines = list(stats_lines(stats([write(tmp_path / "a.csv", *clips)])))
    assert "(3 others)      9   9.00" in lines
    assert sum(line.startswith("accent ") for line in lines) == 10


def test_a_column_that_names_each_clip_is_not_listed(tmp_path: Path) -> None:
    clips = [sample(f"{number}", "x", 1.0, sentence_id=f"{number}") for number in range(30)]
    assert "a: sentence_id: 30 different values" in list(stats_lines(stats([write(tmp_path / "a.csv", *clips)])))


lengths_of = st.lists(st.floats(0, 10_000), min_size=1).map(sorted)


@given(lengths_of)
def test_every_clip_is_in_one_bar(lengths: list[float]) -> None:
    start, step, counts = histogram(lengths)
    assert sum(counts) == len(lengths)
    assert len(counts) <= BARS + 1
    for place, count in enumerate(counts[:-1]):
        low = round(start / step) + place
        assert count == sum(int(length / step) == low for length in lengths)
    assert counts[-1] <= len(lengths) / 100 + 1 + sum(int(one / step) == int(lengths[-1] / step) for one in lengths)


def test_one_long_clip_does_not_put_all_others_into_one_bar() -> None:
    start, step, counts = histogram([*(1 + number / 100 for number in range(400)), 3600.0])
    assert (start, step) == (1.0, 0.5)
    assert counts == (50, 50, 50, 50, 50, 50, 50, 50, 1)


cells = st.text(st.characters(codec="utf-8"), max_size=80)


@given(st.lists(st.tuples(cells, cells, st.integers()), max_size=5))
def test_columns_meet_in_any_script(rows: list[tuple[str, str, int]]) -> None:
    lines = list(table(("a", "b", "c"), rows, left=2))
    assert len({width(line) for line in lines}) == 1
    assert all(line.isprintable() for line in lines)


def test_wide_and_combining_characters_take_the_columns_of_a_terminal() -> None:
    texts = ("abc", "日本", "\uff21", "e\u0301", "é", "\uff71", "한", "\u1112\u1161\u11ab")
    assert [width(text) for text in texts] == [3, 4, 2, 1, 1, 1, 2, 2]
    assert list(table(("name", "clips"), [("日本", 1), ("e\u0301a", 22), ("abcd", 3)])) == [
        "name  clips", "日本      1", "e\u0301a       22", "abcd      3",
    ]  # fmt: skip


@given(cells)
def test_what_is_cut_fits(text: str) -> None:
    assert width(cut(text, WIDEST)) <= WIDEST
    assert cut(text, WIDEST) == text or width(text) > WIDEST


@given(st.lists(st.tuples(st.just("1 - 2"), st.integers(0, 10**6))), st.integers(40, 200))
def test_bars_fit_the_terminal(rows: list[tuple[str, int]], columns: int) -> None:
    lines = list(bars(rows, columns))
    assert all(len(line) <= columns for line in lines)
    assert [line.count("#") > 0 for line in lines] == [count > 0 for _, count in rows]


def test_only_clips_with_a_duration_count_for_speech_rate(tmp_path: Path, make: Any) -> None:
    path = write(tmp_path / "a.csv", sample("a", "1234567890", 2.0), sample("b", "12345", None))
    (one,) = stats([path]).sets
    assert one.durations is not None
    assert (one.durations.clips, one.durations.characters_per_second) == (1, 5.0)
