"""The picture of a run: the same for the same history, and one for any."""

import math
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from dsprep.trainer.watching.curves import curves_svg, write_curves

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: bytes) -> list[str]:
    return ["".join(one.itertext()) for one in ET.fromstring(svg).iter(f"{SVG}text")]


def lines(svg: bytes) -> list[str]:
    """The paths of lines that are drawn in one of our colours, training or WER or rate first."""
    found = []
    for one in ET.fromstring(svg).iter(f"{SVG}path"):
        if re.search(r"fill: none;.*stroke: #(1f4e79|c55a11); stroke-width: 1\.4", one.get("style", "")):
            found.append(one.get("d", ""))
    return found


def test_the_same_history_gives_the_same_bytes(told: Any) -> None:
    assert curves_svg(told.history(12)) == curves_svg(told.history(12))
    assert curves_svg(told.history(12)) != curves_svg(told.history(13))


def test_another_process_with_other_settings_gives_the_same_bytes(tmp_path: Path, told: Any) -> None:
    (tmp_path / "matplotlibrc").write_text("axes.facecolor: red\nfont.size: 20\nxtick.top: True\n")
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from conftest import Told
from dsprep.trainer.watching.curves import curves_svg
sys.stdout.buffer.write(curves_svg(Told.history(12)))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=True)
    assert done.stdout == curves_svg(told.history(12))


def test_the_user_s_own_drawing_goes_on_as_before(told: Any) -> None:
    import matplotlib

    matplotlib.rcParams["font.size"] = 17
    before = dict(matplotlib.rcParams)
    curves_svg(told.history(3))
    assert dict(matplotlib.rcParams) == before
    matplotlib.rcdefaults()


def test_what_is_shown_is_named_and_the_best_epoch_marked(told: Any) -> None:
    history = told.history(9)
    history[5] = told.epoch(6, wer=0.0123, cer=0.0045)
    shown = texts(curves_svg(history))
    assert "best: epoch 6, WER 1.23%, CER 0.45%" in shown
    assert {"training", "dev", "WER", "CER", "loss in nats", "learning rate", "epoch"} <= set(shown)


def test_of_equal_epochs_the_earlier_is_the_best(told: Any) -> None:
    assert "best: epoch 1, WER 50.00%, CER 20.00%" in texts(curves_svg(told.history(4, wer=0.5, cer=0.2)))


@pytest.mark.parametrize("epochs", [2, 75, 1000])
def test_every_epoch_is_a_point_of_each_curve(told: Any, epochs: int) -> None:
    svg = curves_svg(told.history(epochs))
    assert sum(path.count("L") == epochs - 1 for path in lines(svg)) == 5
    assert len(svg) < 300_000


def test_an_epoch_alone_is_seen(told: Any) -> None:
    marks = [one.get("style", "") for one in ET.fromstring(curves_svg(told.history(1))).iter(f"{SVG}use")]
    ours = [style for style in marks if re.search("fill: #(1f4e79|c55a11)", style)]
    assert len(ours) == 5 + 4, "a mark in each curve, and in the legends"


def test_a_figure_that_is_not_finite_is_a_gap(told: Any) -> None:
    history = told.history(9)
    whole = lines(curves_svg(history))
    history[4] = told.epoch(5, dev_loss=math.inf)
    gapped = lines(curves_svg(history))
    assert sum(path.count("M") for path in gapped) == sum(path.count("M") for path in whole) + 1


@pytest.mark.parametrize("value", [math.inf, math.nan, 0.0])
def test_a_history_without_a_figure_is_drawn_still(told: Any, value: float) -> None:
    shown = texts(curves_svg(told.history(5, dev_loss=value, loss=value, wer=value, cer=value, rate=0.0)))
    assert any(text.startswith("best: ") for text in shown) == (value == 0.0)


def test_the_file_is_written_where_the_run_is(tmp_path: Path, told: Any) -> None:
    path = write_curves(tmp_path / "Lauf für José 林", told.history(3))
    assert path == tmp_path / "Lauf für José 林" / "curves.svg"
    assert path.read_bytes() == curves_svg(told.history(3))
