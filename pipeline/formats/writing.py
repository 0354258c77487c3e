"""What the writers share: paths, lines of JSON, and names that a format keeps for itself.

{"audio_filepath": "../audio/a.wav", "duration": 1.5, "text": "zero one", "id": "a"}
"""

import gzip
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...manifests import DataError
from .format import Entry


def relative(path: Path, home: Path) -> str:
    """`path` seen from the folder `home`, with `/` between folders."""
    return os.path.relpath(path, home).replace(os.sep, "/")


def absolute(path: Path) -> str:
    """`path` from the root, links in it left as they are."""
    return str(path.absolute()) if ".." not in path.parts else os.path.abspath(path)  # noqa: PTH100


def json_lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """One JSON object a line."""
    return b"".join(json.dumps(row, ensure_ascii=False, allow_nan=False).encode() + b"\n" for row in rows)


def zipped(data: bytes) -> bytes:
    """Gzipped, without the time: the same data, the same bytes."""
    return gzip.compress(data, compresslevel=6, mtime=0)


def free_columns(entries: Sequence[Entry], taken: Iterable[str], name: str) -> list[str]:
    """The names of all extras, sorted.

    Raises:
        DataError: one is in `taken`, because it means something else in the format `name`.
    """
    columns = sorted({column for entry in entries for column, _ in entry.sample.extras})
    if clash := sorted(set(columns) & set(taken)):
        raise DataError(f"column {clash[0]!r} means something else in {name}: rename it in the manifest first")
    return columns
