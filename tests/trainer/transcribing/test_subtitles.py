"""Subtitles: cues follow one another, fit the screen, and can be read back."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsprep.pipeline.tables import width
from dsprep.trainer.decoding.hypothesis import Word
from dsprep.trainer.transcribing.subtitles import COLUMNS, LONGEST, PAUSE, SHORTEST, Cue, cues_of, srt, vtt

WORDS = st.lists(
    st.tuples(
        st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=30),
        st.floats(0, 2),
        st.floats(0, 3),
    ),
    max_size=40,
)


def words_of(said: list[tuple[str, float, float]]) -> list[Word]:
    found, now = [], 0.0
    for text, wait, lasts in said:
        found.append(Word(text=text, start=now + wait, end=now + wait + lasts, confidence=1.0))
        now = found[-1].end
    return found


@given(said=WORDS)
def test_cues_hold_all_words_in_order_and_fit(said: list[tuple[str, float, float]]) -> None:
    words = words_of(said)
    cues = cues_of(words)
    assert " ".join(line for cue in cues for line in cue.lines).replace(" ", "") == "".join(one.text for one in words)
    for cue, following in zip(cues, [*cues, None][1:], strict=True):
        assert 1 <= len(cue.lines) <= 2
        assert max(map(width, cue.lines)) <= COLUMNS
        assert cue.start <= cue.end <= cue.start + LONGEST + 1e-6
        assert following is None or cue.end <= following.start + 1e-6


def word(text: str, start: float, end: float) -> Word:
    return Word(text=text, start=start, end=end, confidence=0.5)


def test_a_pause_ends_a_cue_and_a_short_one_stays_while_there_is_room() -> None:
    cues = cues_of([word("one", 0.0, 0.2), word("two", 0.3, 0.4), word("three", 0.4 + PAUSE, 1.1), word("x", 9, 9.1)])
    assert [(cue.start, cue.end, cue.lines) for cue in cues] == [
        (0.0, 1.0, ("one two",)),
        (1.0, 1.0 + SHORTEST, ("three",)),
        (9, 10.0, ("x",)),
    ]


def test_long_cues_have_two_lines_of_like_length() -> None:
    said = ["the", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog", "and", "away"]
    (cue,) = cues_of([word(text, number / 10, number / 10 + 0.1) for number, text in enumerate(said)])
    assert cue.lines == ("the quick brown fox jumps", "over the lazy dog and away")


def test_a_text_without_spaces_is_cut_into_lines() -> None:
    cues = cues_of([word("你" * 100, 0.0, 20.0)])
    assert "".join(line for cue in cues for line in cue.lines) == "你" * 100
    assert max(width(line) for cue in cues for line in cue.lines) <= COLUMNS


CUES = [
    Cue(start=0.42, end=2.18, lines=("three & <b>nine",)),
    Cue(start=3723.0004, end=3725.9996, lines=("a", "b --> c")),
]


def test_srt_has_numbers_commas_and_the_text_as_it_is() -> None:
    assert srt(CUES).decode() == (
        "1\n00:00:00,420 --> 00:00:02,180\nthree & <b>nine\n\n2\n01:02:03,000 --> 01:02:06,000\na\nb --> c\n\n"
    )


def test_vtt_has_a_header_points_and_escapes() -> None:
    assert vtt(CUES).decode() == (
        "WEBVTT\n\n00:00:00.420 --> 00:00:02.180\nthree &amp; &lt;b&gt;nine\n\n"
        "01:02:03.000 --> 01:02:06.000\na\nb --&gt; c\n\n"
    )


@pytest.mark.parametrize("make", [srt, vtt])
@given(said=WORDS)
def test_a_blank_line_is_between_cues_alone(make: object, said: list[tuple[str, float, float]]) -> None:
    assert callable(make)
    cues = cues_of(words_of(said))
    text = make(cues).decode()
    assert len(re.findall(r"^\d\d:\d\d:\d\d[.,]\d{3} --> ", text, re.MULTILINE)) == len(cues)
    assert text.count("\n\n") == len(cues) + (make is vtt)


def test_nothing_said_is_no_cue() -> None:
    assert (srt(cues_of([])), vtt(cues_of([]))) == (b"", b"WEBVTT\n\n")
