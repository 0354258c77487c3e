"""Caching: the options of commands that read from URLs or index other people's shards.

    --cache /scratch/dsprep --cache-bytes 50GB

What lies there may be thrown away: it is fetched or indexed again.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from ..manifests import Progress
from ..pipeline.places import Cache
from .options import path_type, size_of
from .showing import notice


def cached(command: Callable[..., None]) -> Callable[..., None]:
    """Options for where what can be made or fetched again is kept; the command gets them as one `Cache`."""

    @click.option(
        "--cache",
        "folder",
        type=path_type,
        help="Folder for what comes from URLs, and for indexes of other people's shards.  [default: ~/.cache/dsprep]",
    )
    @click.option("--cache-bytes", "most", default="10GB", show_default=True, help="Largest size of the clips in it.")
    @functools.wraps(command)
    def with_cache(folder: Path | None, most: str, **others: Any) -> None:
        cache = Cache(folder=folder or _home(), bytes=size_of("--cache-bytes", most), on_notice=notice)
        command(**others, cache=cache)

    return with_cache


def _home() -> Path:
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # A relative one is to be ignored (XDG Base Directory Specification 0.8).
    return (named if named.is_absolute() else Path.home() / ".cache") / "dsprep"


def indexing(cache: Cache, progress: Progress, workers: int | None = None) -> Cache:
    """The cache for a command that indexes: by as many processes, and showing how far it is."""
    from ..pipeline.workers import available

    return replace(cache, workers=workers or available(), progress=progress)
