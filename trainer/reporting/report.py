"""Report: an evaluation as one HTML file, which needs no network, no server and no other file.

    write_report(Path("report"), evaluation, "digits on test-other", {"checkpoint": "epoch 12", "decoder": "greedy"})
    -> report/report.html

`report.html.j2` is the page, `report.css` its looks, `report.js` the table of all utterances. What other people wrote
(texts, speakers, columns, facts) reaches the page escaped by jinja2 or as JSON that the script puts there as text.
A Content-Security-Policy lets the browser run our script alone, by its digest, and load nothing. The same evaluation
makes the same page, with one version of libsndfile, which writes its MP3s.
"""

import hashlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from importlib.resources import files
from itertools import chain
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from ...pipeline.commit import write_whole
from ..scoring.alignment import Kind
from ..scoring.heard import Evaluation
from .clips import Clips, clips_of
from .confusions import confusions
from .examples import Examples, examples, worst_first
from .histogram import histogram
from .lines import Line, lines_of, row_of
from .slices import FEW, by_column, by_duration, by_speaker
from .visible import count, hours, percent, plain, visible


def write_report(home: Path, evaluation: Evaluation, title: str, facts: Mapping[str, str]) -> None:
    """Write HOME/report.html: what was heard, how well, and `facts` of how it was measured.

    A clip that cannot be read has no player; the page says how many.

    Raises:
        OutputError: it cannot be written.
    """
    write_whole(home / "report.html", report_html(evaluation, title, facts))


def report_html(evaluation: Evaluation, title: str, facts: Mapping[str, str]) -> bytes:
    """The page."""
    lines = lines_of(evaluation.heard)
    shown = examples(lines)
    played = dict.fromkeys(line.heard.sample for line in chain(*(one.lines for one in shown), worst_first(lines)))
    clips, summary = clips_of(played), evaluation.summary()
    columns = by_column(evaluation.heard)
    speakers = by_speaker(evaluation.heard)
    page = _template().render(
        title=title,
        facts=facts,
        summary=summary,
        words=summary.words,
        characters=summary.characters,
        unscored=evaluation.unscored,
        loss=evaluation.loss,
        wrong=summary.wrong,
        seconds=sum(one.sample.duration or 0.0 for one in evaluation.heard),
        timed=sum(one.sample.duration is not None for one in evaluation.heard),
        unfit=sum(not one.loss < float("inf") for one in evaluation.heard),
        slices=[by_duration(evaluation.heard), *([speakers] if speakers else []), *columns.slices],
        columns=columns,
        few=FEW,
        confusions=[confusions(lines, kind) for kind in (Kind.SUBSTITUTION, Kind.DELETION, Kind.INSERTION)],
        histogram=histogram(evaluation.heard),
        examples=shown,
        clips=clips,
        rows=_rows(lines, shown, clips),
    )
    return page.encode()


def _rows(lines: Sequence[Line], shown: Sequence[Examples], clips: Clips) -> list[Any]:
    """All utterances for the script; the sound of an example is in the page already."""
    there = {line.id for one in shown for line in one.lines}
    return [row_of(line, "" if line.id in there else clips.sound.get(line.id, "")) for line in lines]


def _template() -> Template:
    home = files(__package__)
    css, js = ((home / name).read_text("utf-8") for name in ("report.css", "report.js"))
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_finalize,
    )
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "separators": (",", ":")}
    environment.filters |= {"percent": percent, "count": count, "hours": hours, "plain": plain}
    environment.globals |= {"css": Markup(css), "js": Markup(js), "css_hash": _digest(css), "js_hash": _digest(js)}
    return environment.from_string((home / "report.html.j2").read_text("utf-8"))


def _finalize(value: Any) -> Any:
    """What is put in the page of a value: of a text only what can be seen."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _digest(text: str) -> str:
    """As a Content-Security-Policy names a script or a style."""
    return "sha256-" + b64encode(hashlib.sha256(text.encode()).digest()).decode()
