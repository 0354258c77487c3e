"""`dsprep export`: a trained model as ONNX files that need neither torch nor dsprep.

    file                MB     WER
    model.onnx        5.73   0.38%
    model.int8.onnx   1.88   0.38%

What it says is held against PyTorch first: docs/exporting.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..pipeline.places import Cache, Place
from .caching import cached, indexing
from .extras import EXPORT, need
from .options import NumberRange, path_type, place_type
from .progress import show_progress
from .showing import notice, show_table

if TYPE_CHECKING:
    from ..trainer.exporting.exporting import Exported


@click.command()
@click.argument("run", type=path_type)
@click.argument("out", type=path_type)
@click.option("--data", multiple=True, type=place_type, help="Manifest or shard folder of clips to check it on.")
@click.option("--int8", is_flag=True, help="Files with 8-bit weights too; what that costs is measured on --data.")
@click.option(
    "--most-change",
    type=NumberRange(0, 100),
    default=0.5,
    show_default=True,
    help="Percentage points of WER by which 8 bits may be worse.",
)
@cached
def export(run: Path, out: Path, data: tuple[Place, ...], int8: bool, most_change: float, cache: Cache) -> None:
    """Write RUN's best checkpoint as ONNX into the folder OUT: samples in, log-probabilities out.

    `dsprep transcribe OUT` needs no torch; onnxruntime has it from Python, Node.js and other languages.
    """
    need("export", *EXPORT)
    from ..trainer.exporting.exporting import export as export_run
    from ..trainer.loading.data import read_data

    with show_progress() as progress:
        read = read_data(data, indexing(cache, progress)) if data else None
        found = export_run(run, out, read, int8, most_change / 100, progress, notice)
    notice(f"checked on {found.check.clips} clips: within {found.check.difference:.1e} of PyTorch, texts equal")
    if found.whole_only:
        notice(f"it hears no stream, for {found.whole_only}")
    show_table([("file", "MB", "WER"), *_rows(found)])


def _rows(found: Exported) -> list[tuple[str, str, str]]:
    rows = []
    for name, size in found.files:
        rate = found.quantised.wer_int8 if found.quantised and "int8" in name else found.words
        rows.append((name, f"{size / 1e6:.2f}", "" if rate is None else f"{rate:.2%}"))
    return rows
