"""What the writers share: paths, lines of JSON, and names that a format keeps for itself.

{"audio_filepath": "../audio/a.wav", "duration": 1.5, "text": "zero one", "id": "a"}
"""

import functools
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
    # By true folders: `..` behind a link leads out of what the link leads to, not back to where the link lies.
    return os.path.relpath(settled(path), home.resolve()).replace(os.sep, "/")


def absolute(path: Path) -> str:
    """`path` from the root, links in it left as they are, unless it goes up from one."""
    return str(path.absolute() if ".." not in path.parts else settled(path))


def settled(path: Path) -> Path:
    """`path` in its true folder, under its own name."""
    return _true_folder(path.parent) / path.name


@functools.lru_cache(maxsize=1024)
def _true_folder(folder: Path) -> Path:
    return folder.resolve()


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
