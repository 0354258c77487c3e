"""Nothing in a text can hide, and figures are for people."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsprep.trainer.reporting.visible import HIDDEN, hours, percent, visible


@given(st.text(st.characters()))
def test_what_is_shown_can_be_seen_and_written(text: str) -> None:
    shown = visible(text)
    assert not HIDDEN.search(shown)
    assert visible(shown) == shown
    shown.encode()


def test_words_of_all_scripts_stay_as_they_are() -> None:
    text = "zwölf שלום مرحبا می‌خواهم 你好 नमस्ते 👩‍🔬 e\u0301 <b> & {{ x }}"
    assert visible(text) == text


def test_hidden_characters_are_named() -> None:
    assert visible("a\u202eb\0c\ud800") == "a[U+202E]b[U+0000]c[U+D800]"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0, "0.0 s"), (59.94, "59.9 s"), (90.0, "1.5 min"), (3600.0, "1.00 h"), (4e6, "1,111.11 h")]
)
def test_a_length_has_the_unit_that_people_use(seconds: float, text: str) -> None:
    assert hours(seconds).replace("\u00a0", " ") == text


def test_a_rate_that_is_not_finite_is_a_sign() -> None:
    assert (percent(math.inf), percent(0.0407).replace("\u00a0", " ")) == ("∞", "4.07 %")
