"""The curves of a run, RUN/curves.svg: losses, error rates and learning rate by epoch, the best epoch marked.

Told apart by line and mark, not by colour alone, so that it can be printed. The same history gives the same bytes,
with one version of matplotlib: no date, no random names, none of the user's own settings.
"""

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...pipeline.commit import write_whole
from .watcher import EpochReport, best_of

SETTINGS: Mapping[Any, Any] = {
    "svg.hashsalt": "dsprep",  # names within the file are drawn from it
    "svg.fonttype": "none",  # text stays text
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": "0.9",
    "legend.frameon": False,
    "path.simplify": False,
}
MARKED = 40
"""Epochs up to which each has a mark."""
WIDE = 20
"""Times its lowest value that a curve's highest must be for a logarithmic scale."""
INCHES = (7.0, 7.0)
LOOKS = (("#1f4e79", "-", "o"), ("#c55a11", "--", "s"))
"""Colour, dashes and mark of a first and a second curve."""


def write_curves(run: Path, history: Sequence[EpochReport]) -> Path:
    """Draw RUN/curves.svg, of one epoch or more.

    Raises:
        OutputError: it cannot be written.
    """
    path = run / "curves.svg"
    write_whole(path, curves_svg(history))
    return path


def curves_svg(history: Sequence[EpochReport]) -> bytes:
    """The curves of one epoch or more, as an SVG file; where a figure is not finite, its curve has a gap."""
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(SETTINGS)
        figure = Figure(figsize=INCHES, layout="constrained")
        losses, errors, rates = rooms = figure.subplots(3, 1, sharex=True, height_ratios=(3, 3, 1.5))
        epochs = [one.epoch for one in history]
        _draw(losses, epochs, {"training": [one.loss for one in history], "dev": [one.dev_loss for one in history]})
        _draw(errors, epochs, {"WER": [100 * one.wer for one in history], "CER": [100 * one.cer for one in history]})
        _draw(rates, epochs, {"rate": [one.rate for one in history]})
        for axes, name in zip(rooms, ("loss in nats", "errors in %, dev", "learning rate"), strict=True):
            _scale(axes)
            axes.set_ylabel(name)
        figure.align_ylabels()
        rates.set_xlabel("epoch")
        rates.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=(1, 2, 5, 10)))
        rates.set_xlim(epochs[0] - 0.5, epochs[-1] + 0.5)
        _mark_best(rooms, best_of(history))
        file = io.BytesIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": "dsprep"})
    return file.getvalue()


def _draw(axes: Any, epochs: Sequence[int], curves: Mapping[str, Sequence[float]]) -> None:
    """Curves in one room, with a legend above it if there are several; of a few epochs, each with a mark."""
    for (name, values), (color, dashes, mark) in zip(curves.items(), LOOKS, strict=False):
        gapped = [value if math.isfinite(value) else math.nan for value in values]
        axes.plot(
            epochs,
            gapped,
            color=color,
            linestyle=dashes,
            linewidth=1.4,
            marker=mark if len(epochs) <= MARKED else None,
            markersize=3.5,
            label=name,
        )
    if len(curves) > 1:
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(curves), borderaxespad=0.2)


def _scale(axes: Any) -> None:
    """Logarithmic where values differ much, else from 0 on."""
    from matplotlib.ticker import LogLocator, NullLocator

    found = [value for line in axes.lines for value in line.get_ydata() if math.isfinite(value)]
    if found and min(found) > 0 and max(found) > WIDE * min(found):
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(
            LogLocator(subs=(1, 2, 5) if max(found) < 1000 * min(found) else (1,), numticks=10)
        )
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        axes.set_ylim(0, 1.08 * max(found, default=1) or 1)


def _mark_best(rooms: Sequence[Any], best: EpochReport) -> None:
    if not math.isfinite(best.wer):
        return
    for axes in rooms:
        axes.axvline(best.epoch, color="0.4", linestyle=":", linewidth=1, zorder=0)
    told = f"best: epoch {best.epoch}, WER {best.wer:.2%}, CER {best.cer:.2%}"
    rooms[1].set_title(told, loc="right", fontsize=9)
