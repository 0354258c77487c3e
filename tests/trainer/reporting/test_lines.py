"""A row of the table holds all of an alignment."""

import json
import math
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from dsprep.trainer.reporting.histogram import histogram
from dsprep.trainer.reporting.lines import LETTERS, lines_of, row_of
from dsprep.trainer.scoring.heard import Heard

Make = Callable[..., Heard]
TEXTS = st.text(st.sampled_from("ab \u202e\u2028"), max_size=12)


@given(said=TEXTS, got=TEXTS)
def test_words_and_letters_of_a_row_tell_each_place_again(heard: Make, said: str, got: str) -> None:
    (line,) = lines_of([heard("u-1", said, got)])
    *_, there, here, letters, _ = row_of(line, "")
    left, right = iter(there.split(" ")), iter(here.split(" "))
    told = [(letter, "" if letter == "i" else next(left), "" if letter == "d" else next(right)) for letter in letters]
    assert told == [(LETTERS[edit.kind], edit.reference, edit.hypothesis) for edit in line.edits]


def test_a_row_is_json_whatever_the_loss(heard: Make) -> None:
    for loss in (math.inf, math.nan, -math.inf, 1e308):
        (line,) = lines_of([heard("u-1", "a", "b", loss)])
        assert json.loads(json.dumps(row_of(line, ""), allow_nan=False))[0] == "u-1"


def test_each_utterance_is_in_one_bar_of_the_histogram(heard: Make) -> None:
    ten = "a b c d e f g h i j"
    texts = [(ten, ten), (ten, ten[:-2]), (ten, ten[:-4]), ("a", "b"), ("a", "b c"), ("", "b"), ("", "")]
    bars = histogram([heard(f"u-{n}", said, got) for n, (said, got) in enumerate(texts)])
    assert {bar.label: bar.utterances for bar in bars if bar.utterances} == {
        "0": 2,
        "≤10": 1,
        "≤20": 1,
        "≤100": 1,
        ">100": 2,
    }
