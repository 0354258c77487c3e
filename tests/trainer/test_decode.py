import itertools

import torch
from hypothesis import given
from hypothesis import strategies as st

from dsprep.manifests import Alphabet
from dsprep.trainer.decode import greedy


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.integers(0, 3), st.integers(0, 5))
def test_repeats_collapse_then_blanks_go(path: list[int], blank: int, padding: int) -> None:
    alphabet = Alphabet(("a", "b", " "), blank)
    logits_BTV = torch.nn.functional.one_hot(torch.tensor([path + [1] * padding]), 4).float()
    collapsed = [label for label, _ in itertools.groupby(path) if label != blank]
    assert greedy(logits_BTV, [len(path)], alphabet) == [alphabet.decode(collapsed)]
