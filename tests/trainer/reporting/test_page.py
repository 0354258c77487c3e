"""The page in a real browser: it plays, sorts and searches, asks nobody for anything, and no text changes its tree."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dsprep.manifests import Sample
from dsprep.trainer.decoding.hypothesis import Hypothesis
from dsprep.trainer.loading.data import read_data
from dsprep.trainer.reporting.report import write_report
from dsprep.trainer.reporting.visible import visible
from dsprep.trainer.scoring.errors import Errors, count_characters, count_words
from dsprep.trainer.scoring.heard import Evaluation, Heard

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Make = Callable[..., Heard]
CHROMIUM = Path("/usr/bin/chromium")
if not CHROMIUM.exists():
    pytest.skip(f"there is no {CHROMIUM}", allow_module_level=True)

TREE = """() => {
    const walk = (node) => [node.tagName, ...node.getAttributeNames().sort(), ...[...node.children].map(walk)];
    return JSON.stringify(walk(document.documentElement));
}"""
IDS = "() => [...document.querySelectorAll('#utterances tbody tr')].map((row) => row.cells[0].textContent)"


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    flags = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required", "--mute-audio"]
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=str(CHROMIUM), args=flags)
        yield opened
        opened.close()


@pytest.fixture
def show(browser: "Browser", tmp_path: Path) -> "Iterator[Callable[..., Page]]":
    """Write an evaluation's page and open it; at the end nothing was complained of, nothing fetched, nothing run."""
    context = browser.new_context(viewport={"width": 1000, "height": 700})
    context.set_default_timeout(240_000)
    complaints: list[str] = []
    asked: list[str] = []

    def opened(evaluation: Evaluation, title: str = "digits", facts: dict[str, str] | None = None) -> "Page":
        home = tmp_path / "ein Bericht, größer"
        write_report(home, evaluation, title, facts or {})
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.on("dialog", lambda dialog: dialog.dismiss())
        page.on("request", lambda request: asked.append(request.url))
        page.goto((home / "report.html").as_uri())
        return page

    yield opened
    context.close()
    assert complaints == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert sum(url.startswith("file:") for url in asked) == sum(url.endswith("report.html") for url in asked)


def found(page: "Page", text: str) -> list[str]:
    """Ids of the rows that a search shows."""
    page.fill("#search", text)
    return list(page.evaluate(IDS))


@pytest.fixture
def few(heard: Make) -> Evaluation:
    return Evaluation(
        (
            heard("u-1", "five oh one", "nine oh one", 3.0, speaker="Ada", duration=2.0),
            heard("u-2", "one two", "one two", 0.5, speaker="Bo", duration=None),
            heard("u-9", "three", "three nine five", float("inf"), speaker="", duration=10.0),
            heard("u-10", "five", "", 1.0, speaker="Ada", duration=9.5),
        )
    )


def test_a_column_sorts_either_way_by_keyboard_and_unknown_values_come_last(few: Evaluation, show: Any) -> None:
    page = show(few)
    assert page.evaluate(IDS) == ["u-1", "u-2", "u-9", "u-10"]
    orders = {
        "WER %": ["u-9", "u-10", "u-1", "u-2"],
        "Seconds": ["u-9", "u-10", "u-1", "u-2"],
        "Loss": ["u-9", "u-1", "u-10", "u-2"],
        "Words": ["u-1", "u-2", "u-9", "u-10"],
    }
    for label, order in orders.items():
        head = page.locator("#utterances th", has_text=label)
        head.locator("button").press("Enter")
        assert page.evaluate(IDS) == order, label
        assert head.get_attribute("aria-sort") == "descending"
        assert page.locator("#utterances th[aria-sort]").count() == 1
    page.locator("#utterances th", has_text="Seconds").locator("button").press("Enter")
    page.locator("#utterances th", has_text="Seconds").locator("button").press("Space")
    assert page.evaluate(IDS) == ["u-1", "u-10", "u-9", "u-2"]
    assert page.locator("#utterances th", has_text="Seconds").get_attribute("aria-sort") == "ascending"


def test_a_search_looks_through_ids_speakers_and_texts_and_finds_errors(few: Evaluation, show: Any) -> None:
    page = show(few)
    assert found(page, "U-1") == ["u-1", "u-10"]
    assert found(page, "bo") == ["u-2"]
    assert found(page, "nine five") == ["u-9"]
    assert found(page, "five→nine") == ["u-1"]
    assert found(page, "→ Five") == ["u-9"]
    assert found(page, "five→") == ["u-10"]
    assert found(page, "nowhere") == []
    assert found(page, "") == ["u-1", "u-2", "u-9", "u-10"]
    page.check("#wrong")
    assert page.evaluate(IDS) == ["u-1", "u-9", "u-10"]
    page.click("button.find:has-text('five → nine')")
    assert page.evaluate(IDS) == ["u-1"]


def test_ten_thousand_utterances_come_a_hundred_at_a_time(heard: Make, show: Any) -> None:
    one = heard("u", "one two three four", "one two tree four")
    facts: dict[str, Any] = {"path": one.sample.path, "size": 1, "transcript": one.sample.transcript}

    lines = [
        Heard(Sample(id=f"u-{n:05d}", **facts), one.hypothesis, 1.0, one.words, one.characters) for n in range(10_000)
    ]
    page = show(Evaluation(tuple(lines)))
    assert page.inner_text("#found") == "10,000 of 10,000 utterances"
    assert len(page.evaluate(IDS)) < 1000
    page.locator("#utterances th.name button").click()
    assert page.evaluate(IDS)[:2] == ["u-09999", "u-09998"]
    assert found(page, "u-0123") == [f"u-0123{n}" for n in range(9, -1, -1)]


def test_clips_play_from_the_page_and_from_the_table(digits: Path, show: Any) -> None:
    lines = [
        Heard(sample, Hypothesis(text="oh"), 1.0, count_words(sample.transcript, "oh"), Errors())
        for sample in read_data([digits / "dev-clean.csv"]).samples
    ]
    page = show(Evaluation(tuple(lines)))
    assert page.locator("audio").count() == len(lines)
    page.evaluate("() => document.querySelector('audio').play()")
    page.wait_for_function("() => document.querySelector('audio').currentTime > 0.1")
    page.locator("#utterances button.play").first.click()
    page.wait_for_function("() => document.querySelector('#utterances audio').currentTime > 0.1")
    assert page.evaluate("() => document.querySelector('.cards audio').paused"), "one at a time"


def test_script_and_template_show_an_alignment_alike(few: Evaluation, show: Any) -> None:
    page = show(few)
    skeleton = "(nodes) => nodes.map((node) => node.innerHTML.replace(/\\s+/g, ' ').trim()).sort()"
    cards = page.eval_on_selector_all(".cards .alignment", skeleton)
    assert page.eval_on_selector_all("#utterances .alignment", skeleton) == cards


def test_right_to_left_texts_read_from_right_to_left(heard: Make, show: Any) -> None:
    page = show(Evaluation((heard("u-1", "שלום עולם", "שלום", speaker="דנה"),)))
    edges = page.eval_on_selector_all(
        "#utterances .place", "(nodes) => nodes.map((node) => node.getBoundingClientRect().left)"
    )
    assert edges == sorted(edges, reverse=True)


@pytest.mark.parametrize("width", [320, 1280])
def test_no_word_makes_the_page_wider_than_the_screen_or_endless(heard: Make, show: Any, width: int) -> None:
    word = "x" * 100_000
    said: dict[str, Any] = {"transcript": f"{word} a", "speaker": word, "extras": (("y" * 5000, "z" * 5000),)}
    short = heard("u", "b a", "a b")
    lines = [
        replace(
            short, sample=replace(short.sample, id=f"u-{n}" + "-" * 90, **said), hypothesis=Hypothesis(text=f"a {word}")
        )
        for n in range(3)
    ]
    page = show(Evaluation(tuple(lines)), word, {word: word})
    page.set_viewport_size({"width": width, "height": 700})
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    assert page.evaluate("() => document.documentElement.scrollHeight") < 20_000


HOSTILE = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<img/src=x/onerror=alert(1)>",
    '"onmouseover="alert(1)',
    "'autofocus/onfocus='alert(1)",
    "<svg/onload=alert(1)>",
    "javascript:alert(1)",
    "{{7*7}}{%raw%}{#x#}",
    "${alert(1)}",
    "<!--",
    "-->",
    "<![CDATA[x]]>",
    "</style><style>*{display:none}",
    "</td></tr></table><h1>",
    "<base/href=http://example.org/>",
    "<iframe/srcdoc='<script>alert(1)</script>'>",
    "&lt;b&gt;&#60;b&#62;&amp;&quot;",
    "&#x202e;\u202eevil",
    "\u2066isolated\u2069",
    "\ufeff\x01\x07\x1b[31m\x7f\x9b",
    "</noscript></textarea></title><b>",
    "<template><p></template>",
    "<math><mtext></form><form><mglyph><style></math>",
    "__proto__",
    "constructor",
    "=cmd|'/c'!A1",
    "\\u003cscript\\u003e\\",
    "`${1}`",
    "x" * 100_000,
    "🏴\u200d☠\ufe0f",
)


def tamed(texts: list[str]) -> dict[str, str]:
    """A harmless word for each, in the same order."""
    return {text: f"w{place:05d}" for place, text in enumerate(sorted(set(texts), key=visible))}


def made(name: Callable[[str], str]) -> tuple[Evaluation, str, dict[str, str]]:
    """300 utterances, a title and facts of hostile texts, each as `name` writes it."""
    count = len(HOSTILE)
    lines = []
    for n in range(300):
        said = [HOSTILE[n % count], HOSTILE[(n * 7 + 3) % count]]
        got = [HOSTILE[n % count], HOSTILE[(n * 11 + n // count) % count]]
        quiet = [" ".join(str(HOSTILE.index(word)) for word in words) for words in (said, got)]
        sample: dict[str, Any] = {
            "transcript": " ".join(map(name, said)),
            "speaker": name(HOSTILE[n % 25]),
            "extras": tuple((name(HOSTILE[c]), name(HOSTILE[(n + c) % 20])) for c in range(12)),
        }
        errors = count_words(*quiet), count_characters(*quiet)
        lines.append((f"u-{n:03d}", sample, " ".join(map(name, got)), errors))
    return (
        Evaluation(
            tuple(
                Heard(Sample(id=id, path=Path("gone.wav"), size=1, **sample), Hypothesis(text=got), 1.0, *errors)
                for id, sample, got, errors in lines
            )
        ),
        name(HOSTILE[1]),
        {name(text): name(text) for text in HOSTILE},
    )


def whole_tree(page: "Page") -> Any:
    # The button clicks itself when it is scrolled to, so that a click by hand may find it gone.
    page.evaluate("() => { while (!document.getElementById('more').hidden) document.getElementById('more').click() }")
    return json.loads(page.evaluate(TREE))


def test_no_text_changes_the_element_tree(show: Any) -> None:
    quiet = tamed(list(HOSTILE))
    hostile = show(*made(str))
    tree = whole_tree(hostile)
    body = hostile.inner_text("main")
    assert len(hostile.evaluate(IDS)) == 300
    assert tree == whole_tree(show(*made(quiet.__getitem__)))
    for text in HOSTILE:
        assert " ".join(visible(text).split()) in " ".join(body.split()), text[:40]
