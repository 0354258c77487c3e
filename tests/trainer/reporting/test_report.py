"""The page is whole, safe and the same for the same evaluation, whatever was heard."""

import hashlib
import json
import math
import re
from base64 import b64encode
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dsprep.manifests import OutputError
from dsprep.trainer.decoding.hypothesis import Hypothesis
from dsprep.trainer.loading.data import read_data
from dsprep.trainer.reporting.report import report_html, write_report
from dsprep.trainer.scoring.errors import count_characters, count_words
from dsprep.trainer.scoring.heard import Evaluation, Heard, Unscored

Make = Callable[..., Heard]


class Text(HTMLParser):
    """What a page says, tags and scripts left out."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.said: list[str] = []
        self._open: list[str] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1] == tag:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if not self._open:
            self.said.append(data)


def text_of(page: bytes) -> str:
    return " ".join(" ".join(Text(page).said).split())


def island(page: bytes) -> str:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.decode(), re.DOTALL)
    assert found
    return found[1]


@pytest.fixture(scope="module")
def evaluation(digits: Path) -> Evaluation:
    """Real clips, each second word heard wrongly."""
    lines = []
    for place, sample in enumerate(read_data([digits / "dev-clean.csv"]).samples):
        words = sample.transcript.split()
        got = " ".join("oh" if n % 2 else word for n, word in enumerate(words)) + (" uh" if place % 3 == 0 else "")
        errors = count_words(sample.transcript, got), count_characters(sample.transcript, got)
        lines.append(Heard(sample, Hypothesis(text=got), float(place), *errors))
    return Evaluation(tuple(lines))


def test_the_same_evaluation_makes_the_same_page(tmp_path: Path, evaluation: Evaluation) -> None:
    facts = {"model": "ds2-small", "decoder": "greedy"}
    for home in (tmp_path / "a", tmp_path / "ein Ort mit ä"):
        write_report(home, evaluation, "digits", facts)
    one, other = ((tmp_path / home / "report.html").read_bytes() for home in ("a", "ein Ort mit ä"))
    assert one == other
    assert str(tmp_path).encode() not in one
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["report.html"]


def test_the_page_tells_what_the_evaluation_holds(evaluation: Evaluation) -> None:
    page = report_html(evaluation, "digits on dev-clean", {"model": "ds2-small"})
    said = text_of(page).replace("\u00a0", " ")
    assert f"{100 * evaluation.words.rate:.2f} %" in said
    wer = evaluation.summary().wer
    assert f"{100 * wer.low:.2f} % to {100 * wer.high:.2f} %" in said
    assert f"{evaluation.words.total} of {evaluation.words.words} words" in said
    assert "digits on dev-clean" in said
    assert "ds2-small" in said
    assert {line[0] for line in json.loads(island(page))} == {one.sample.id for one in evaluation.heard}
    assert page.count(b"data:audio/mpeg;base64,") == len(evaluation.heard) + 1  # the script names it once


def test_the_page_cannot_be_written_where_a_file_stands(tmp_path: Path, evaluation: Evaluation) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="cannot write"):
        write_report(tmp_path / "file", evaluation, "digits", {})


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_leaves_no_half_page(tmp_path: Path, evaluation: Evaluation) -> None:
    with pytest.raises(OutputError, match="cannot write"):
        write_report(tmp_path, evaluation, "digits", {})
    assert not list(tmp_path.iterdir())


def test_the_browser_runs_our_script_and_style_alone(evaluation: Evaluation) -> None:
    page = report_html(evaluation, "digits", {}).decode()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    for directive, tag in (("script-src", "<script>"), ("style-src", "<style>")):
        content = page.split(tag)[1].split(tag.replace("<", "</"))[0]
        digest = b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_no_text_ends_the_embedded_json(heard: Make) -> None:
    words = "</script> <!-- <script> ]]> & ' \" \u2028 \\ </SCRIPT\t>"
    page = report_html(Evaluation((heard("u-1", words, "x\u2028y", speaker="</script><b>\u2029"),)), "t", {})
    told = island(page)
    assert not set("<>&'\u2028\u2029") & set(told)
    assert json.loads(told)[0][1] == "</script><b>[U+2029]"
    assert json.loads(told)[0][8] == " ".join(words.split())


def test_half_characters_do_not_stop_the_page(heard: Make) -> None:
    page = report_html(Evaluation((heard("u-1", "a", "b\ud800 c\udfffd\0"),)), "\udcff", {"x\udcff": "y\0"})
    assert "[U+D800]" in text_of(page)
    assert b"\0" not in page


def test_without_an_utterance_the_page_says_so() -> None:
    page = report_html(Evaluation(()), "nothing", {"model": "ds1"})
    said = text_of(page)
    assert "nothing was evaluated" in said
    assert "ds1" in said
    assert json.loads(island(page)) == []


def test_where_all_is_right_the_page_says_so(heard: Make) -> None:
    said = text_of(report_html(Evaluation((heard("u-1", "a b", "a b"),)), "t", {}))
    assert "Not a single word is wrong." in said
    assert "1 of 1 utterances are right." in said


@pytest.mark.parametrize("got", ["", "x", "x y z"])
@pytest.mark.parametrize("said", ["", "a b"])
@pytest.mark.parametrize("loss", [math.inf, math.nan, 0.0])
def test_any_outcome_of_one_utterance_makes_a_page(heard: Make, said: str, got: str, loss: float) -> None:
    one = heard("u-1", said, got, loss, duration=None)
    page = report_html(Evaluation((one,)), "t", {})
    assert "1 utterances, 1 of unknown length" in text_of(page)
    for figure in ("NaN", "Infinity", "nan", "inf<", "inf "):
        assert figure.encode() not in page.split(b"<script>")[0].split(b"</style>")[1], figure


def test_audio_that_is_gone_costs_the_player_and_is_told(heard: Make) -> None:
    said = text_of(report_html(Evaluation((heard("u-1", "a b", "a c"),)), "t", {}))
    assert "No audio." in said
    assert "The audio of 1 could not be read: u-1." in said


def test_utterances_that_count_nowhere_are_told(heard: Make) -> None:
    unscored = (Unscored(id="u-2", why="it is in no STM", hypothesis="a"),)
    said = text_of(report_html(Evaluation((heard("u-1", "a b", "a c"),), unscored), "t", {}))
    assert "1 utterances have no reference and count nowhere." in said
