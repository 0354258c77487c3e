import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsprep.manifests import Alphabet
from dsprep.trainer.decoding.greedy import Greedy


def certain(path: list[int]) -> np.ndarray:
    """Log-probabilities of which a path has 0.9 at each step."""
    return np.log(np.full((len(path), 4), 0.1 / 3) + np.eye(4)[path] * (0.9 - 0.1 / 3)).astype(np.float32)


@given(st.lists(st.integers(0, 3), max_size=12), st.integers(0, 3))
def test_repeats_collapse_then_blanks_go(path: list[int], blank: int) -> None:
    alphabet = Alphabet(("a", "b", " "), blank)
    collapsed = [label for label, _ in itertools.groupby(path) if label != blank]
    (found,) = Greedy(alphabet).decode(certain(path).reshape(-1, 4))
    assert found.text == alphabet.decode(collapsed)
    assert [word.text for word in found.words] == found.text.split()
    assert found.score == pytest.approx(len(path) * np.log(0.9), abs=1e-4)


def test_a_word_has_the_place_of_its_characters() -> None:
    (found,) = Greedy(Alphabet(("a", "b", " "), 3)).decode(certain([3, 0, 0, 3, 1, 3, 2, 2, 3, 1]))
    assert [(one.text, one.start, one.end) for one in found.words] == [("ab", 0.02, 0.1), ("b", 0.18, 0.2)]
    assert [one.confidence for one in found.words] == pytest.approx([0.9, 0.9], abs=1e-5)
