import itertools
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsprep.pipeline.text import PROFILES, Profile, Unspoken, explain

ANCESTORS = ("deepspeech-0.1", "deepspeech-0.9", "deepspeech.pytorch", "raw")
OURS = [name for name in PROFILES if name not in ANCESTORS]
ANYTHING = st.text(st.characters(exclude_categories=["Cs"]))
AWKWARD = st.text("aΣİẞé \u0301'\u2018\u2019\u00ad\u200b\u200c\u200d\ufe0f\u0940\u094d\u3007❤“-_.<>[]{}()%2½Ⅷ\t\u2028")
TEXTS = st.one_of(ANYTHING, AWKWARD)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("She had your dark suit.", "she had your dark suit"),
        ("\u201cMister O\u2019Hara\u2014well,\u201d", "mister o'hara well"),
        ("  two   words\t", "two words"),
        ("Twenty-one cafe\u0301s", "twenty one caf\u00e9s"),
        ("rock 'n' roll", "rock 'n' roll"),
        ("'Tis the season", "'tis the season"),
        ("the dogs' home", "the dogs' home"),
        ('"Zero', "zero"),
        ("«Oui», „ja“ \u201ano\u2018 「はい」", "oui ja no はい"),
        ("\u2018Hello there,\u2019 he said. \u2018Don\u2019t!\u2019", "hello there he said don't"),
        ("He said 'yes' and 'no, never'\u2026", "he said yes and no never"),
        ("' ''", ""),
        ("\u0928\u092e\u0938\u094d\u0924\u0947!", "\u0928\u092e\u0938\u094d\u0924\u0947"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645\u200c.", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
        ("co\u00adoperate \ufeffI \u2764\ufe0f you", "cooperate i you"),
        ("二\u3007年", "二\u3007年"),
        ("葛\U000e0100 a\ufe0fb \u0301 c", "葛 ab c"),
        ("H\u0331", "\u1e96"),
        ("'Tis 'so' here", "'tis so here"),
        ("a\u2028b\u0085c\u200bd", "a b c d"),
        ("", ""),
        ("...", ""),
    ],
)
def test_plain_leaves_words(text: str, expected: str) -> None:
    assert PROFILES["plain"](text) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("room 101", r"'1' \(U\+0031\): numbers"),
        ("\u0661\u0662", r"U\+0661"),
        ("x\u00b2", r"U\+00B2"),
        ("\u00bd a cup", r"U\+00BD"),
        ("Henry \u2167", r"U\+2167"),
        ("[noise] yes", r"'\[noise\]': mark-up"),
        ("yes <unk>", "'<unk>': mark-up"),
        ("{a / b}", "mark-up"),
    ],
)
def test_plain_refuses_what_was_not_said_so(text: str, told: str) -> None:
    with pytest.raises(Unspoken, match=told):
        PROFILES["plain"](text)


@pytest.mark.parametrize("word", ["'", "\u2018", "\u2019", "\u201b", "\u02bc", "\u00b4", "`", "\uff07"])
def test_an_apostrophe_is_one_however_it_is_typed(word: str) -> None:
    assert PROFILES["plain"](f"O{word}Hara") == "o'hara"


def test_keep_changes_spaces_and_composition_alone() -> None:
    assert PROFILES["keep"]("  She  had:\u2028CAFE\u0301 101 <b> ") == "She had: CAF\u00c9 101 <b>"


def test_librispeech_is_its_own_text_in_lower_case() -> None:
    assert PROFILES["librispeech"]("MISTER QUILTER'S  MANNER 'TIS ") == "mister quilter's manner 'tis"


@pytest.mark.parametrize("character", [".", "-", "1", "\u00c9", "\u2019", "<"])
def test_librispeech_refuses_by_name_what_its_text_has_not(character: str) -> None:
    with pytest.raises(Unspoken, match=rf"U\+{ord(character):04X}"):
        PROFILES["librispeech"](f"MISTER {character}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "{COUGH} but <sil> i was so utterly unqualified for(2) this {SMACK} <sil> (PaulaScher_2008P-12)",
            "but i was so utterly unqualified for this",
        ),
        ("it 's what we don 't (2) know <unk> they 're", "it's what we don't know they're"),
        ("it(2)'s the dogs ' home", "it's the dogs home"),
        ("[NOISE] um %hesitation (%hesitation) well (AlGore_2009-1)  ", "um well"),
        ("<F0_M> Yes -- twenty-one", "yes twenty one"),
        ("start(2) <unk>", "start"),
        ("<unk> {NOISE} [BREATH] <sil> (3)", ""),
    ],
)
def test_tedlium_takes_out_what_was_not_spoken(text: str, expected: str) -> None:
    assert PROFILES["tedlium"](text) == expected


@pytest.mark.parametrize(
    "text", ["{ a / b }", "the (optional) word", "a < b", "in 1991", "Ignore_Time_Segment_In_Scoring"]
)
def test_tedlium_refuses_what_it_does_not_know(text: str) -> None:
    with pytest.raises(Unspoken):
        PROFILES["tedlium"](text)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("She had your dark suit.", "she had your dark suit", "she had your dark suit"),
        ("Twenty-one, caf\u00e9s?", "twentyone caf\u00e9s", "twenty one caf\u00e9s"),
        ("under_score!", "underscore!", "under score"),
        (' "Well;  so - it: is" ', '"well;  so  it: is"', "well so it is"),
        ("a - , b", "a   b", "a  b"),
        ("\u2019tis \u201cso\u201d) }", "\u2019tis \u201cso\u201d) }", "\u2019tis \u201cso\u201d) }"),
        ("cafe\u0301 \u0661", "cafe\u0301 \u0661", "cafe\u0301 \u0661"),
    ],
)
def test_deepspeech_0_1_and_0_9_are_the_ancestor_s_rules(text: str, first: str, last: str) -> None:
    assert PROFILES["deepspeech-0.1"](text) == first
    assert PROFILES["deepspeech-0.9"](text) == last


@pytest.mark.parametrize("name", ["deepspeech-0.1", "deepspeech-0.9"])
@pytest.mark.parametrize("text", ["a(b", "a<b", "[noise]", "a]", "a&b", "a*", "{x}", "route 66"])
def test_validate_label_s_refusals_are_kept(name: str, text: str) -> None:
    with pytest.raises(Unspoken, match="validate_label"):
        PROFILES[name](text)


def test_of_nothing_left_0_1_makes_an_empty_text_and_0_9_a_refusal() -> None:
    assert PROFILES["deepspeech-0.1"](" ,.") == ""
    with pytest.raises(Unspoken, match="nothing is left"):
        PROFILES["deepspeech-0.9"](" ,.")


def test_deepspeech_pytorch_strips_and_shouts() -> None:
    assert PROFILES["deepspeech.pytorch"](" She  had: cafe\u0301 1\n") == "SHE  HAD: CAFE\u0301 1"


@given(text=TEXTS)
def test_raw_changes_nothing(text: str) -> None:
    assert PROFILES["raw"](text) == text


def attempt(profile: Profile, text: str) -> str | None:
    """The transcript, or None if it is refused; any other error is the test's."""
    try:
        return profile(text)
    except Unspoken:
        return None


@pytest.mark.parametrize("name", OURS)
@given(text=TEXTS)
def test_a_second_time_changes_nothing(name: str, text: str) -> None:
    once = attempt(PROFILES[name], text)
    assert once is None or PROFILES[name](once) == once


@pytest.mark.parametrize("name", OURS)
@given(text=TEXTS)
def test_a_transcript_is_composed_and_has_single_spaces_within(name: str, text: str) -> None:
    once = attempt(PROFILES[name], text)
    assert once is None or once == " ".join(unicodedata.normalize("NFC", once).split())


@pytest.mark.parametrize("name", OURS)
@given(text=TEXTS)
def test_text_that_differs_in_composition_alone_has_one_transcript(name: str, text: str) -> None:
    forms = {attempt(PROFILES[name], unicodedata.normalize(form, text)) for form in ("NFC", "NFD")}
    assert len(forms) == 1


@pytest.mark.parametrize("name", PROFILES)
@given(text=TEXTS)
def test_an_explanation_ends_where_the_profile_does(name: str, text: str) -> None:
    steps = explain(PROFILES[name], text)
    refused = bool(steps) and steps[-1].refused is not None
    assert attempt(PROFILES[name], text) == (None if refused else steps[-1].text if steps else text)
    texts = [text, *(step.text for step in steps)]
    assert all(before != after for before, after in itertools.pairwise(texts[: len(texts) - refused]))


def test_an_explanation_names_each_rule_that_changed_something() -> None:
    steps = explain(PROFILES["plain"], "\u201cO\u2019Hara\u201d")
    assert [(step.rule.name, step.text) for step in steps] == [
        ("apostrophes", "\u201cO'Hara\u201d"),
        ("lower", "\u201co'hara\u201d"),
        ("punctuation", " o'hara "),
        ("words", "o'hara"),
    ]


def test_an_explanation_ends_with_the_refusal() -> None:
    *_, last = explain(PROFILES["plain"], "Room 101")
    assert (last.rule.name, last.text) == ("numbers", "Room 101")
    assert last.refused == "'1' (U+0031): numbers must be written as spoken"


@pytest.mark.parametrize("piece", ["'a ", "(a-1", "{ ", "<", "a\u200c", "a' 'b ", "(%"])
@pytest.mark.parametrize("name", ["plain", "tedlium"])
def test_a_long_text_takes_time_in_proportion(name: str, piece: str) -> None:
    """It takes about a tenth of a second; in proportion to the square of its length it would take minutes."""
    began = time.process_time()
    attempt(PROFILES[name], piece * 100_000)
    assert time.process_time() - began < 5
