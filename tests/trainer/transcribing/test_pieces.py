"""Pieces are the steps in their order, bounded, cut in silence, and do not depend on how the steps came."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsprep.manifests import Alphabet
from dsprep.trainer.decoding.decoder import LogProbs
from dsprep.trainer.transcribing.pieces import Piece, Pieces

ALPHABET = Alphabet(("a", "b", " "), 3)


def steps_of(text: str) -> LogProbs:
    """`a`, `b`, the space, and `_` for the blank."""
    return np.log(np.eye(4)[["ab _".index(one) for one in text]] * 0.9 + 0.025).astype(np.float32)


def text_of(piece: Piece) -> str:
    return "".join("ab _"[label] for label in piece.log_probs_TV.argmax(1))


def cut(text: str, at: list[int], pause: int | None, most: int) -> list[tuple[int, str]]:
    pieces, found = Pieces(ALPHABET, pause, most), list[Piece]()
    for part in np.split(steps_of(text), at):
        found += pieces.take(part)
    rest = pieces.pending
    return [(piece.first, text_of(piece)) for piece in [*found, *([rest] if rest else [])]]


TEXTS = st.text(alphabet="ab ___", min_size=1, max_size=120)


@given(text=TEXTS, at=st.lists(st.integers(0, 120), max_size=8), pause=st.sampled_from([None, 2, 5]))
def test_how_the_steps_came_changes_nothing(text: str, at: list[int], pause: int | None) -> None:
    cuts = sorted(one for one in at if one <= len(text))
    assert cut(text, cuts, pause, 20) == cut(text, [], pause, 20) == cut(text, list(range(len(text))), pause, 20)


@given(text=TEXTS, pause=st.sampled_from([None, 2, 5]))
def test_nothing_that_was_said_is_lost_or_longer_than_allowed(text: str, pause: int | None) -> None:
    found = cut(text, [], pause, 20)
    assert all(text[first : first + len(piece)] == piece and 0 < len(piece) <= 20 for first, piece in found)
    said = [place for place, one in enumerate(text) if one not in "_ "]
    covered = {place for first, piece in found for place in range(first, first + len(piece))}
    assert set(said) <= covered
    if pause is None:
        assert "".join(piece for _, piece in found) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ab" * 5, ["ab" * 5]),
        ("a" * 12 + "____" + "b" * 30, ["a" * 12 + "__", "__" + "b" * 18, "b" * 12]),
        ("a__" + "a" * 10 + "_" + "b" * 8, ["a__" + "a" * 10, "_" + "b" * 8]),
        ("a" * 10 + "_ _" + "b" * 3 + "____" + "a" * 5, ["a" * 10 + "_", " _" + "b" * 3 + "____" + "a" * 5]),
        ("a" * 25, ["a" * 20, "a" * 5]),
    ],
)
def test_what_is_too_long_is_cut_in_the_longest_silence_of_its_second_half(text: str, expected: list[str]) -> None:
    assert [piece for _, piece in cut(text, [], None, 20)] == expected


def test_a_pause_ends_a_piece_and_silence_before_speech_is_left_out() -> None:
    found = cut("_" * 50 + "ab" + "_" * 30 + "ba", [], 4, 20)
    assert [piece.strip("_ ") for _, piece in found] == ["ab", "ba"]
    assert all(len(piece) <= 2 + 4 + 3 for _, piece in found)


def test_silence_alone_is_no_piece_in_a_stream_and_one_in_a_file() -> None:
    assert cut("_" * 10, [], 4, 20) == []
    assert cut("_" * 10, [], None, 20) == [(0, "_" * 10)]


def test_a_stream_of_silence_is_not_held() -> None:
    pieces = Pieces(ALPHABET, 40)
    for _ in range(100):
        assert list(pieces.take(steps_of("_" * 500))) == []
    assert len(pieces._held_TV) < 40
