"""Text profiles: named lists of small rules from a corpus's own words to a transcript.

    plain               “Mister O'Hara—well,”             ->  "mister o'hara well"
    librispeech         MISTER QUILTER'S MANNER           ->  "mister quilter's manner"
    tedlium             {COUGH} but it 's for(2) <sil>    ->  "but it's for"
    deepspeech-0.1      Twenty-one cafés.                 ->  "twentyone cafés"
    deepspeech.pytorch  She had your dark suit            ->  "SHE HAD YOUR DARK SUIT"

A profile never drops a row: text that cannot be a transcript raises Unspoken, and the row is a counted rejection.
What a character is, a letter or a mark, is asked of Python's own Unicode tables.
"""

import functools
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from ..manifests import describe

APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u02bc\uff07\u00b4`", "'"))
"""What is typed for an apostrophe or a single quotation mark; which of the two it is, its words tell."""
JOINERS = "\u200c\u200d"
"""Zero-width non-joiner and joiner: part of the spelling within Persian, Hindi or Sinhala words."""
ZERO = "\u3007"
"""The Chinese zero, which Unicode has among numbers: it is a word as the others are, and is spoken as written."""


class Unspoken(ValueError):
    """The text is not what was said: it holds digits or mark-up."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One change to a text."""

    name: str
    what: str
    """What it does, in words."""
    apply: Callable[[str], str]
    """The change; raises Unspoken where the text cannot be a transcript."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Rules in their order. A profile is called with a text and returns the transcript.

    Raises:
        Unspoken: a rule refuses the text.
    """

    name: str
    title: str
    rules: tuple[Rule, ...]

    def __call__(self, text: str) -> str:
        for rule in self.rules:
            text = rule.apply(text)
        return text


@dataclass(frozen=True, slots=True)
class Step:
    """What one rule did to a text: changed it, or refused it."""

    rule: Rule
    text: str
    """After the rule; if it refused, what it was given."""
    refused: str | None = None
    """Why the rule refused, if it did."""


def explain(profile: Profile, text: str) -> tuple[Step, ...]:
    """The rules of `profile` that changed `text`, in their order; the last may be one that refused it.

    Without steps the text is a transcript as it stands; else the last step's `text` is, unless it was refused.
    """
    steps = list[Step]()
    for rule in profile.rules:
        try:
            after = rule.apply(text)
        except Unspoken as error:
            return (*steps, Step(rule, text, str(error)))
        if after != text:
            steps.append(Step(rule, after))
        text = after
    return tuple(steps)


@functools.cache
def _kind(character: str) -> str:
    """The first letter of its Unicode category: L letter, M mark, N number, P punctuation, S symbol ..."""
    return unicodedata.category(character)[0]


def _visible(text: str) -> str:
    if text.isascii():
        return text
    text = "".join(map(_shown, text))
    return re.sub(f"[{JOINERS}]+", _within_word, text)


@functools.cache
def _shown(character: str) -> str:
    if character == "\u200b":  # the zero-width space, which parts words in Thai and Khmer
        return " "
    selector = "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"
    hidden = selector or unicodedata.category(character) == "Cf"
    return "" if hidden and character not in JOINERS else character


def _within_word(joiners: re.Match[str]) -> str:
    text, start, end = joiners.string, joiners.start(), joiners.end()
    within = start > 0 and end < len(text) and _kind(text[start - 1]) in "LM" and _kind(text[end]) in "LM"
    return joiners[0] if within else ""


def _lower(text: str) -> str:
    # Some letters are one character in lower case alone: H with a line below (U+0048 U+0331) becomes U+1E96.
    return unicodedata.normalize("NFC", text.lower())


def _numbers(text: str) -> str:
    for character in text:
        if _kind(character) == "N" and character != ZERO:
            raise Unspoken(f"{describe(character)}: numbers must be written as spoken")
    return text


def _words_and_breaks(text: str) -> str:
    return "".join(map(_letter_or_space, text))


@functools.cache
def _letter_or_space(character: str) -> str:
    return character if _kind(character) in "LM" or character in "'" + JOINERS + ZERO else " "


def _lettered(text: str) -> str:
    return " ".join(word for word in text.split() if any(_kind(c) in "LN" for c in word))


def _unquoted(text: str) -> str:
    """Pairs as brackets pair: a word that begins with an apostrophe opens, the next that ends with one closes."""
    words, opened = text.split(), list[int]()
    for index, word in enumerate(words):
        letters = len(word.strip("'"))
        if letters == 1 and word[0] == word[-1]:  # the 'n' of rock 'n' roll
            continue
        if word.startswith("'") and (letters or not opened):  # alone, it closes what is open: there,' is there '
            opened.append(index)
        if word.endswith("'") and opened:
            opener = opened.pop()
            words[index] = words[index].rstrip("'")
            words[opener] = words[opener].lstrip("'")
    return text if words == text.split() else " ".join(words)


def _refuse(pattern: str, why: str) -> Callable[[str], str]:
    """A rule that raises Unspoken where `pattern` is found, and changes nothing."""
    search = re.compile(pattern).search

    def apply(text: str) -> str:
        if found := search(text):
            what = describe(found[0]) if len(found[0]) == 1 else repr(found[0])
            raise Unspoken(f"{what}: {why}")
        return text

    return apply


def _put(pattern: str, instead: str) -> Callable[[str], str]:
    """A rule that puts `instead` wherever `pattern` is found."""
    return functools.partial(re.compile(pattern).sub, instead)


NFC = Rule(
    "nfc", "a letter and its accent are one character (Unicode NFC)", functools.partial(unicodedata.normalize, "NFC")
)
SPACES = Rule("spaces", "one space between words, none around them", lambda text: " ".join(text.split()))
VISIBLE = Rule("visible", "soft hyphens and other invisible characters go; joiners within words stay", _visible)
TAGS = Rule("tags", "refused: <...>, [...] or {...}", _refuse(r"<[^<>]*>|\[[^][]*\]|\{[^{}]*\}", "mark-up, not speech"))
SPOKEN = (
    Rule(
        "apostrophes",
        "what is typed for an apostrophe or single quote is one",
        lambda text: text.translate(APOSTROPHES),
    ),
    Rule("numbers", "refused: digits, fractions, Roman numerals", _numbers),
    Rule("lower", "lower-case", _lower),
    Rule("punctuation", "what is no letter, mark or apostrophe parts words", _words_and_breaks),
)
WORDS = Rule("words", "one space between words; what has no letter is no word", _lettered)
QUOTES = Rule("quotes", "apostrophes that quote, before one word and after it or a later one, go", _unquoted)

IGNORED = "ignore_time_segment_in_scoring"
"""What an STM has for text where nothing is to be transcribed."""
# The clean-up of TED-LIUM's STM in Kaldi (egs/tedlium/s5_r3/local/prepare_data.sh) and Lhotse (recipes/utils.py).
# A space takes the place of what goes: it(2)'s is it 's, and joined with the other suffixes.
TEDLIUM = (
    Rule("ignored", f"refused: {IGNORED}", _refuse(rf"(?i:{IGNORED})", "not speech")),
    Rule("utterance name", "(AlGore_2009-1) at the end goes", _put(r"\([^()\s]+-\d+\)\s*$", " ")),
    Rule("noises", "<unk>, <sil>, [NOISE], {BREATH} go", _put(r"<[^<>\s]*>|\[[^][]*\]|\{\s*\w+\s*\}", " ")),
    Rule("variants", "the number of a pronunciation, (2), goes", _put(r"\(\d+\)", " ")),
    Rule("hesitations", "%hesitation and the like go", _put(r"\(\s*%\w+\s*\)|%\w+", " ")),
    Rule("mark-up", "refused: brackets that are left", _refuse(r"[][<>{}()]", "mark-up that is none of TED-LIUM's")),
)
# Kaldi joins where the whole is in its dictionary; there is none here.
SUFFIXES = Rule("suffixes", "a word that begins with an apostrophe joins the one before it", _put(r"(?<=\S) (?=')", ""))

STRIP = Rule("strip", "no space around the text", str.strip)
LOWER_ALONE = Rule("lower", "lower-case", str.lower)
LIBRISPEECH = Rule(
    "letters", "refused: all but A to Z, apostrophe and space", _refuse("[^A-Za-z' ]", "LibriSpeech's text has none")
)

# validate_label of mozilla/DeepSpeech: util/text.py in 0.1 and 0.2, util/importers.py in 0.9.3.
ANCESTOR_REFUSES = Rule("refused", "refused: 0 to 9 and ( < [ ] & * {", _refuse(r"[0-9(<\[\]&*{]", "validate_label"))
ANCESTOR_0_1 = (
    ANCESTOR_REFUSES,
    Rule("deleted", "- _ . , ? go", _put("[-_.,?]", "")),
    STRIP,
    LOWER_ALONE,
)
ANCESTOR_0_9 = (
    ANCESTOR_REFUSES,
    Rule("hyphens", "- and _ are spaces", _put("[-_]", " ")),
    Rule("spaces", "one space where there were several, so far", _put(" {2,}", " ")),
    Rule("deleted", '. , ; ? ! : " go', _put('[.,;?!:"]', "")),
    STRIP,
    LOWER_ALONE,
    Rule("empty", "refused: nothing left", _refuse(r"\A\Z", "nothing is left")),
)
# data/{librispeech,common_voice,ted}.py of SeanNaren/deepspeech.pytorch.
ANCESTOR_PYTORCH = (STRIP, Rule("upper", "upper-case", str.upper))

PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile("plain", "lower-case words of any script", (NFC, VISIBLE, TAGS, *SPOKEN, QUOTES, WORDS)),
        Profile("keep", "as it is written", (NFC, SPACES)),
        Profile("librispeech", "LibriSpeech's own text, lower-case", (NFC, SPACES, LIBRISPEECH, LOWER_ALONE)),
        Profile("tedlium", "TED-LIUM's words", (NFC, VISIBLE, *TEDLIUM, *SPOKEN, WORDS, SUFFIXES)),
        Profile("deepspeech-0.1", "validate_label of DeepSpeech 0.1 and 0.2", ANCESTOR_0_1),
        Profile("deepspeech-0.9", "validate_label of DeepSpeech 0.9.3", ANCESTOR_0_9),
        Profile("deepspeech.pytorch", "as deepspeech.pytorch has every corpus", ANCESTOR_PYTORCH),
        Profile("raw", "untouched, as DeepSpeech 0.1 took Common Voice", ()),
    )
}
