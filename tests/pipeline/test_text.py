import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsprep.pipeline.text import PROFILES, Unspoken, deepspeech_0_1, plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("She had your dark suit.", "she had your dark suit"),
        ("\u201cMister O\u2019Hara\u2014well,\u201d", "mister o'hara well"),
        ("  two   words\t", "two words"),
        ("Twenty-one cafe\u0301s", "twenty one caf\u00e9s"),
        ("rock 'n' roll", "rock 'n' roll"),
        ("' ''", ""),
        ("\u0928\u092e\u0938\u094d\u0924\u0947!", "\u0928\u092e\u0938\u094d\u0924\u0947"),
        ("a\u2028b\u0085c", "a b c"),
        ("", ""),
        ("...", ""),
    ],
)
def test_plain_leaves_words(text: str, expected: str) -> None:
    assert plain(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "She had your dark suit in greasy wash water all year.",
            "she had your dark suit in greasy wash water all year",
        ),
        ("Twenty-one, caf\u00e9s?", "twentyone cafes"),
        ("under_score!", "underscore!"),
    ],
)
def test_deepspeech_0_1_is_the_ancestor_s_rule(text: str, expected: str) -> None:
    assert deepspeech_0_1(text) == expected


@pytest.mark.parametrize("text", ["a(b", "a<b", "[noise]", "a&b", "a*", "{x}", "route 66"])
def test_deepspeech_0_1_refuses_what_validate_label_refuses(text: str) -> None:
    with pytest.raises(Unspoken):
        deepspeech_0_1(text)


@pytest.mark.parametrize("text", ["room 101", "\u0661\u0662"])
def test_plain_refuses_digits_for_they_were_not_said_so(text: str) -> None:
    with pytest.raises(Unspoken, match="digit"):
        plain(text)


@pytest.mark.parametrize("name", PROFILES)
@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_a_second_time_changes_nothing(name: str, text: str) -> None:
    profile = PROFILES[name]
    try:
        once = profile(text)
    except Unspoken:
        return
    assert profile(once) == once
