"""Hashing: digests of a file as it lies on disk, by one reading of it."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from ..manifests import Progress

BLOCK = 1 << 20
"""Bytes to read at a time."""


def sha256_of(path: Path) -> str:
    """sha256 of the file at `path` in hexadecimal; OSError if it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digests(path: Path, algorithms: Iterable[str], stage: str, progress: Progress) -> dict[str, str]:
    """Digests of the file at `path` in hexadecimal, by algorithm; OSError if it cannot be read."""
    hashes = {name: hashlib.new(name) for name in sorted(algorithms)}
    done = 0
    with path.open("rb") as file:
        total = os.fstat(file.fileno()).st_size
        while block := file.read(BLOCK):
            for one in hashes.values():
                one.update(block)
            done += len(block)
            progress(stage, done, total, "B")
    return {name: one.hexdigest() for name, one in hashes.items()}
