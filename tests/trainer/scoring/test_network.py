"""References that offer a choice, as the NIST document has them, and as sclite scores them."""

import random
from typing import Any

import pytest

from dsprep.trainer.scoring.errors import Errors
from dsprep.trainer.scoring.network import Reading, network_of, read

NIST = "i've { um / uh / @ } as far as i'm concerned"
"""SCTK, doc/infmts.htm."""


def reading(reference: str, hypothesis: str) -> Reading:
    return read(network_of(reference), hypothesis.split())


def scores(errors: Errors) -> tuple[int, int, int, int]:
    """As sclite tells them: right, substituted, left out, put in."""
    right = errors.words - errors.substitutions - errors.deletions
    return right, errors.substitutions, errors.deletions, errors.insertions


@pytest.mark.parametrize("said", ["i've um as far as i'm concerned", "i've uh as far as i'm concerned"])
def test_a_word_of_any_alternative_is_right(said: str) -> None:
    assert scores(reading(NIST, said).errors) == (7, 0, 0, 0)
    assert " ".join(reading(NIST, said).words) == said


def test_a_null_word_costs_nothing_and_is_no_word() -> None:
    found = reading(NIST, "i've as far as i'm concerned")
    assert scores(found.errors) == (6, 0, 0, 0)
    assert " ".join(found.words) == "i've as far as i'm concerned"


def test_another_word_is_put_in_beside_a_null_word_and_else_a_substitution() -> None:
    assert scores(reading(NIST, "i've ah as far as i'm concerned").errors) == (6, 0, 0, 1)
    assert scores(reading(NIST.replace(" / @", ""), "i've ah as far as i'm concerned").errors) == (6, 1, 0, 0)


def test_sclite_scores_the_document_s_example_the_same(sclite: Any) -> None:
    """Each of its readings, one with another word, one with two fillers, and one without the end."""
    rest = "as far as i'm concerned"
    said = [f"i've um {rest}", f"i've uh {rest}", f"i've {rest}", f"i've ah {rest}", f"i've um uh {rest}", "i've um as"]
    assert pairs_by(sclite, [NIST] * len(said), said) == [scores(reading(NIST, one).errors) for one in said]


def test_an_optional_word_may_be_left_out_and_counts_as_right() -> None:
    found = reading("as (far) as", "as as")
    assert scores(found.errors) == (3, 0, 0, 0)
    assert found.words == ("as", "as")
    assert scores(reading("as (far) as", "as far as").errors) == (3, 0, 0, 0)
    assert scores(reading("as (far) as", "as fur as").errors) == (2, 1, 0, 0)


@pytest.mark.parametrize("said", ["a", "b c", "d"])
def test_alternatives_are_nested_and_of_any_length(said: str) -> None:
    assert reading("x { a / { b c / d } } y", f"x {said} y").errors.total == 0
    assert reading("x { a / { b c / d } }", f"x {said}").errors.total == 0
    assert reading("x { a / { b c / d } }", f"x {said} y").errors.total == 1


def test_words_alone_are_scored_as_words() -> None:
    assert scores(reading("the cat sat", "the bat").errors) == (1, 1, 1, 0)
    assert scores(reading("", "a b").errors) == (0, 0, 0, 2)
    assert scores(reading("a b", "").errors) == (0, 0, 2, 0)
    assert scores(reading("", "").errors) == (0, 0, 0, 0)
    assert scores(reading("and/or / x", "and/or / x").errors) == (3, 0, 0, 0)


def test_a_profile_is_for_the_words_and_may_join_or_drop_them() -> None:
    def profile(text: str) -> str:
        return text.lower().replace(" 'm", "'m").replace("<unk>", "")

    network = network_of("I 'm { THE / <unk> } (ONE) <unk>", profile)
    assert read(network, ["i'm", "the", "one"]).errors == Errors(words=3)
    assert read(network, ["i'm"]).errors == Errors(words=2)


@pytest.mark.parametrize("text", ["{ a / b", "a }", "{ a { b }"])
def test_a_brace_without_a_partner_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="brace"):
        network_of(text)


def made(chance: random.Random, depth: int = 0) -> str:
    """A transcript of every kind of mark, its words few, so that many ways cost the same."""
    parts = []
    for _ in range(chance.randint(1, 4 if depth else 7)):
        luck, word = chance.random(), chance.choice("abcde")
        if luck < 0.2 and depth < 2:
            inner = (made(chance, depth + 1) if chance.random() < 0.8 else "@" for _ in range(chance.randint(2, 3)))
            parts.append(f"{{ {' / '.join(inner)} }}")
        else:
            parts.append(f"({word})" if luck < 0.35 else word)
    return " ".join(parts)


def test_sclite_scores_a_thousand_networks_the_same(sclite: Any) -> None:
    chance = random.Random(11)
    # Longer alternations overflow a buffer of sclite's.
    references = [text for text in (made(chance) for _ in range(1300)) if len(text) < 90]
    hypotheses = [" ".join(chance.choices("abcdef", k=chance.randint(0, 8))) for _ in references]
    theirs = pairs_by(sclite, references, hypotheses)
    assert len(theirs) == len(references) > 1000
    assert [scores(reading(*pair).errors) for pair in zip(references, hypotheses, strict=True)] == theirs


def pairs_by(sclite: Any, references: list[str], hypotheses: list[str]) -> list[tuple[int, int, int, int]]:
    """The scores of segments of ten seconds, the words in the middle of each; a last one, which takes all that is
    left, is put to them."""
    stm, ctm = [], []
    for number, (reference, hypothesis) in enumerate(zip([*references, "z"], [*hypotheses, "z"], strict=True)):
        words = hypothesis.split()
        stm.append(f"f 1 s {10 * number} {10 * number + 10} {reference}")
        places = (10 * number + (place + 1) * 9 / (len(words) + 1) for place in range(len(words)))
        ctm += [f"f 1 {place:.3f} 0.001 {word}" for place, word in zip(places, words, strict=True)]
    found: list[tuple[int, int, int, int]] = sclite.scores(sclite.stm(stm, ctm))
    return found[:-1]
