"""Hashing: digests of a file as it lies on disk, by one reading of it, and of words, as random numbers."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from ..manifests import Progress

BLOCK = 1 << 20
"""Bytes to read at a time."""


def draw(*parts: int | str) -> bytes:
    """Eight random-looking bytes that belong to these numbers and words for ever, on every machine: BLAKE2b."""
    return hashlib.blake2b("\0".join(map(str, parts)).encode(), digest_size=8).digest()


def sha256_of(path: Path) -> str:
    """sha256 of the file at `path` in hexadecimal; OSError if it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_if_there(path: Path) -> str | None:
    """The same, or None if it cannot be read."""
    try:
        return sha256_of(path)
    except OSError:
        return None


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
