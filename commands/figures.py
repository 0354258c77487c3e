"""Figures: what a command found, as JSON for machines.

    dsprep stats train.csv --json - | jq .total.hours

Where they go to standard output, what is for people goes to standard error.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from .options import Decorator, path_type


def json_option(what: str) -> Decorator:
    """The option --json, for a command that gives its file to `save`."""
    return click.option("--json", "json_file", type=path_type, help=f"Write {what} to this file.")


def save(path: Path | None, facts: Any) -> bool:
    """Write JSON to a file, or into what is there already if that is a pipe or a device; `-` is standard output.

    Whether it is, so that what is for people must go elsewhere.
    """
    from ..pipeline.commit import write_whole, writing

    if path is None:
        return False
    data = json.dumps(facts, indent=1, ensure_ascii=False).encode() + b"\n"
    if str(path) == "-":
        click.echo(data.decode(), nl=False)
    elif path.exists() and not path.is_file():
        with writing(path), path.open("wb") as file:
            file.write(data)
    else:
        write_whole(path.resolve(), data)
    return str(path) == "-"
