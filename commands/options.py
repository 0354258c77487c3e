"""Options: what several commands take, and how words on a command line become values.

    --workers 4  --shard-bytes 256MB  --alphabet labels.json  data/train.csv  s3://speech/train

A decorator is one option; a type or a function is what its words mean.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ..manifests import Alphabet, UsageError, english, read_alphabet
from ..pipeline.places import REMOTE, Place, place_of, url_text

SIZES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
MOST_WORKERS = 1024

Decorator = Callable[[Callable[..., None]], Callable[..., None]]
"""What gives a command one more option."""


class LocalPath(click.Path):
    """A path on this machine: a URL would be taken for one with a folder called `s3:`, and nothing for this folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            raise UsageError(f"{param.get_error_hint(ctx) if param else 'a path'} is empty: name one, or `.`")
        if isinstance(value, str) and REMOTE.match(value):
            raise UsageError(f"{url_text(value)}: this takes a path on this machine, not a URL")
        return super().convert(value, param, ctx)


class PlaceType(click.ParamType[Place]):
    """A path on this machine, or a URL."""

    name = "place"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Place:
        if value == "":
            raise UsageError(f"{param.get_error_hint(ctx) if param else 'a place'} is empty: name one, or `.`")
        return place_of(value) if isinstance(value, str) else value


path_type = LocalPath(path_type=Path)
place_type = PlaceType()


def _or_a_core_each(context: click.Context, option: click.Parameter, workers: int | None) -> int:
    from ..pipeline.workers import available

    return workers or available()


workers_option = click.option(
    "--workers",
    type=click.IntRange(1, MOST_WORKERS),
    callback=_or_a_core_each,
    help="Processes at a time.  [default: one a core]",
)
readers_option = click.option(
    "--workers",
    type=click.IntRange(0, MOST_WORKERS),
    default=1,
    show_default=True,
    help="Threads that read and decode ahead; they change no result.",
)
alphabet_option = click.option(
    "--alphabet",
    "alphabet_file",
    type=path_type,
    help="alphabet.txt or labels.json.  [default: a-z, apostrophe, space]",
)
device_option = click.option("--device", help="cpu, cuda ...  [default: cuda if there is one]")


def threads_asked() -> int | None:
    """Threads that OMP_NUM_THREADS asks for, if it does: torch heeds it by itself, onnxruntime does not."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    return int(told) if told.isdecimal() and int(told) > 0 else None


def alphabet_of(file: Path | None) -> Alphabet:
    """The alphabet that `alphabet_option` names.

    Raises:
        DataError: the file cannot be read.
    """
    return read_alphabet(file) if file else english()


def size_of(option: str, text: str) -> int:
    """The bytes that the value of an option means: 256000000 for `256MB`, 2**30 for `1GiB`.

    Raises:
        UsageError: it is no size.
    """
    number = text.upper().rstrip("BIKMG")
    unit = text.upper().removeprefix(number).strip() or "B"
    try:
        size = int(float(number) * SIZES[unit if unit.endswith("B") else unit + "B"])
    except (ValueError, KeyError, OverflowError):
        size = 0
    if size <= 0:
        raise UsageError(f"{option} {text}: a size is a number and a unit, as 256MB or 1GiB")
    return size
