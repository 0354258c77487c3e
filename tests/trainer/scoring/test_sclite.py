"""sclite itself on what dsprep scores and writes."""

import random
import re
from itertools import accumulate
from typing import Any

import pytest

from dsprep.trainer.scoring.errors import Errors, added, count_words

VOCABULARY = [f"w{number}" for number in range(5000)]
OFTEN = list(accumulate(1 / (rank + 1) for rank in range(len(VOCABULARY))))


def made(count: int, share: float, seed: int) -> tuple[list[str], list[str]]:
    """Texts of up to 40 words, the common ones often, and the same with about that share of errors."""
    chance = random.Random(seed)
    references, hypotheses = [], []
    for _ in range(count):
        said = chance.choices(VOCABULARY, cum_weights=OFTEN, k=chance.randint(0, 40))
        heard = list[str]()
        for word in said:
            other, luck = chance.choices(VOCABULARY, cum_weights=OFTEN)[0], chance.random() / share
            heard += [other] if luck < 0.6 else [] if luck < 0.8 else [word, other] if luck < 1 else [word]
        references.append(" ".join(said))
        hypotheses.append(" ".join(heard) if said else " ".join(chance.choices(VOCABULARY, k=chance.randint(0, 2))))
    return references, hypotheses


@pytest.mark.parametrize("share", [0.05, 0.15, 0.3, 0.5])
def test_sclite_counts_the_same_of_3000_pairs(sclite: Any, share: float) -> None:
    references, hypotheses = made(3000, share, seed=7)
    theirs = sclite.trn([one.split() for one in references], [one.split() for one in hypotheses])
    ours = [count_words(*pair) for pair in zip(references, hypotheses, strict=True)]
    whole = added(ours)
    sums = [sum(column) for column in zip(*theirs, strict=True)]
    assert [whole.substitutions, whole.deletions, whole.insertions] == pytest.approx(sums[1:], rel=0.001)
    assert whole.words == sum(sums[:3])
    different = sum(kinds(one) != other[1:] for one, other in zip(ours, theirs, strict=True))
    assert different <= (0 if share < 0.4 else 3), "sclite takes one edit more for one word right more"


def kinds(errors: Errors) -> tuple[int, int, int]:
    return errors.substitutions, errors.deletions, errors.insertions


def test_sclite_s_sentences_are_those_with_an_error(sclite: Any) -> None:
    pairs = [("", "u v"), ("", ""), ("x y", ""), ("x y z", "x y q"), ("x", "x")]
    theirs = sclite.trn(*([pair[side].split() for pair in pairs] for side in (0, 1)))
    assert [kinds(count_words(*pair)) for pair in pairs] == [one[1:] for one in theirs]
    told = sclite.run("-r", "r.trn", "trn", "-h", "h.trn", "trn", "-i", "rm", "-o", "rsum", "stdout")
    (line,) = re.findall(r"^.*\| Sum .*$", told, re.MULTILINE)
    assert line.replace("|", " ").split() == ["Sum", "5", "6", "3", "1", "2", "2", "5", "3"]
