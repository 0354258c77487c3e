import math
import sys
from pathlib import Path

import pytest

from dsprep.manifests import Alphabet, MissingExtraError, UsageError
from dsprep.trainer.decoding.decoding import ALPHA, BETA, Decoding
from dsprep.trainer.decoding.greedy import Greedy

LM = Path("folder/3gram.arpa")


def test_nothing_asked_for_is_greedy() -> None:
    assert isinstance(Decoding().decoder(Alphabet(("a",), 0)), Greedy)
    assert Decoding().facts() == {"name": "greedy"}


@pytest.mark.parametrize(
    "asked",
    [Decoding(beam=1), Decoding(lm=LM), Decoding(words=LM), Decoding(nbest=2), Decoding(hot_words=(("a", 1.0),))],
)
def test_anything_else_is_a_search(asked: Decoding) -> None:
    assert not asked.greedy
    assert asked.facts()["name"] == "beam"


def test_weights_are_as_asked_else_deepspeechs_with_a_model_and_none_without() -> None:
    assert Decoding(lm=LM).weights == (ALPHA, BETA)
    assert Decoding(lm=LM, alpha=0.0, beta=-1.0).weights == (0.0, -1.0)
    assert Decoding(words=LM).weights == (0.0, 0.0)
    assert Decoding(lm=LM).facts()["lm"] == {"path": str(LM), "sha256": None}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"beam": 0}, "--beam 0: it is a number from 1 to 100000"),
        ({"beam": 10**20}, "--beam 1"),
        ({"nbest": 10**6}, "--nbest 1"),
        ({"tokens": 5}, "are for a search: ask for one too"),
        ({"beam_threshold": 5.0}, "are for a search: ask for one too"),
        ({"lm": LM, "beta": -1e9}, "--beta -1000000000.0: a weight is a number from -1000 to 1000"),
        ({"hot_words": (("a", 1.0), ("b", 1.0), ("a", 2.0))}, "--hot-word a is there twice"),
        ({"tokens": 0}, "--tokens 0"),
        ({"nbest": 0}, "--nbest 0"),
        ({"beam_threshold": 0.0}, "--beam-threshold"),
        ({"beam_threshold": math.nan}, "--beam-threshold"),
        ({"lm": LM, "alpha": math.nan}, "--alpha nan"),
        ({"lm": LM, "alpha": -0.1}, "--alpha -0.1"),
        ({"lm": LM, "beta": math.inf}, "--beta inf"),
        ({"alpha": 1.0}, "name it with --lm"),
        ({"beta": 1.0}, "name them with --lm FILE or --words FILE"),
        ({"hot_words": (("a", math.inf),)}, "--hot-word a inf"),
    ],
)
def test_numbers_out_of_bounds_cannot_be_asked_for(given: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        Decoding(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("version", "told"), [((3, 12), "pip install flashlight-text"), ((3, 13), "Python 3.11 and 3.12")]
)
def test_where_flashlight_is_missing_the_way_out_is_told(
    version: tuple[int, int], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "flashlight", None)
    monkeypatch.setattr(sys, "version_info", version)
    with pytest.raises(MissingExtraError, match=told):
        Decoding(beam=5).decoder(Alphabet(("a",), 0))
