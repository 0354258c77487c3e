"""The folder that an import writes: whose it is, and whether it is done.

OUT/.dsprep/begun.json    while an import runs, or after it was killed: which corpus and parts
OUT/import.json           when it is done
"""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..manifests import DataError, OutputError
from .commit import FileDigest, seal, unseal, write_whole, writing

MARK = "import.json"
BEGUN = ".dsprep/begun.json"


def begin(out: Path, corpus: str, parts: Sequence[str]) -> None:
    """Claim `out` for an import.

    Raises:
        OutputError: it holds something that dsprep import did not make, another corpus, or other parts.
    """
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        names = {path.name for path in out.iterdir()}
    if names and not names & {MARK, ".dsprep"}:
        raise OutputError(f"{out} is not empty and was not made by dsprep import: name another folder, or empty it")
    for place in (out / MARK, out / BEGUN):
        _check_same(out, place, corpus, parts)
    write_whole(out / BEGUN, seal({"corpus": corpus, "parts": list(parts)}))


def end(out: Path) -> None:
    """Take the mark of work in progress away; another run's, if there is one, stays."""
    (out / BEGUN).unlink(missing_ok=True)
    with suppress(OSError):
        (out / BEGUN).parent.rmdir()


def file_facts(root: Path, name: str) -> dict[str, Any]:
    """Name, size and sha256 of a small file below `root`."""
    data = (root / name).read_bytes()
    return asdict(FileDigest(name, len(data), hashlib.sha256(data).hexdigest()))


def _check_same(out: Path, place: Path, corpus: str, parts: Sequence[str]) -> None:
    try:
        before = unseal(place.read_bytes(), place)
    except (FileNotFoundError, DataError):
        return  # a damaged mark is made anew; the keys of the chunks say what may stay
    if before["corpus"] != corpus:
        raise OutputError(f"{out} holds {before['corpus']}: name another folder for {corpus}")
    if lost := sorted(set(before["parts"]) - set(parts)):
        raise OutputError(
            f"{out} also holds {', '.join(lost)}: name these parts too (what is done is not done again), "
            "or name another folder"
        )
