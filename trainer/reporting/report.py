"""Report: an evaluation as one HTML file. (A stand-in: the page itself is written elsewhere.)"""

from collections.abc import Mapping
from pathlib import Path

from ...pipeline.commit import write_whole
from ..evaluation import Evaluation


def write_report(home: Path, evaluation: Evaluation, title: str, facts: Mapping[str, str]) -> None:
    """Write HOME/report.html."""
    write_whole(home / "report.html", title.encode())
