"""The folder that a command writes: whose it is, and whether it is done.

OUT/.begun.json                    while the command runs, or after it was killed: what it makes
OUT/import.json, OUT/shards.json   its mark, written last: what it made
"""

import hashlib
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..manifests import DataError, OutputError
from .commit import (
    TEMPORARY,
    FileDigest,
    alive,
    digest_of,
    file_size,
    read_record,
    seal,
    sweep,
    temporary_name,
    unseal,
    write_whole,
    writing,
)

BEGUN = ".begun.json"
MADE_BY = "made by"
RECORDS = 100
"""To look at before a folder is not ours."""
IMPORTED = "import.json"
"""The mark of an import."""
CONVERTED = "convert.json"
"""The mark of a conversion."""
SHARDED = "shards.json"
"""The mark of shards."""
REJECTED = "rejected.csv"
"""Of an import and of shards: the rows that were left out."""


Check = Callable[[dict[str, Any]], None]


def begin(out: Path, mark: str, facts: dict[str, Any], check: Check = lambda earlier: None) -> None:
    """Claim `out` for the command `facts["made by"]`; `check` may refuse by what an earlier run has left there.

    Raises:
        OutputError: it cannot be written, or holds something that this command did not make.
    """
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        empty = all(TEMPORARY.fullmatch(path.name) for path in out.iterdir())
    earlier = [found for name in (mark, BEGUN) if (found := read_mark(out / name)) is not None]
    # Without a mark that can be read, records of ours are what tells: somebody may have removed a damaged mark.
    marks = [found for name in (SHARDED, IMPORTED, CONVERTED, BEGUN) if (found := read_mark(out / name))]
    ours = empty or any(one.get(MADE_BY) == facts[MADE_BY] for one in marks) or (not marks and _has_records(out, mark))
    if not ours:
        raise OutputError(f"{out} is not empty and was not made by {facts[MADE_BY]}: name another folder, or empty it")
    for one in earlier:
        check(one)
    claim(out, facts)
    sweep(out)


def claim(out: Path, facts: dict[str, Any]) -> None:
    """Say in `out` what is being made there."""
    write_whole(out / BEGUN, seal(facts))


@contextmanager
def alone(out: Path, work: object) -> Iterator[None]:
    """Let others work in `out` at the same time only if their `work`, a JSON value, is the same and so are its bytes.

    Raises:
        OutputError: somebody is at other work there.
    """
    ours = f"claim-{digest_of(work)[:16]}"
    path = temporary_name(out / ours)
    with writing(path):
        path.touch()
    try:
        for other in out.glob(".claim-*.tmp"):
            match = TEMPORARY.fullmatch(other.name)
            if match and match["name"] != ours and alive(int(match["pid"]), match["process"]):
                raise OutputError(
                    f"another command with other settings, parts or sources is at work in {out}: wait until it has "
                    "ended, or name another folder"
                )
        yield
    finally:
        path.unlink(missing_ok=True)


def unclaim(out: Path) -> None:
    """Leave no trace of a command that ended before it made anything, in a folder that was empty or not there."""
    with suppress(OSError):
        if all(path.name == BEGUN or TEMPORARY.fullmatch(path.name) for path in out.iterdir()):
            end(out)
            out.rmdir()


def reopen(out: Path, mark: str) -> None:
    """Take the mark away before the first byte changes: from here on the folder is not what it says."""
    with suppress(FileNotFoundError):
        if (out / BEGUN).exists():
            (out / mark).unlink()
        else:  # a run beside ours has just ended; the folder must not be without a sign of whose it is
            (out / mark).replace(out / BEGUN)


def end(out: Path) -> None:
    """Take the sign of work in progress away, and what killed runs left, for their last workers have ended by now."""
    (out / BEGUN).unlink(missing_ok=True)
    sweep(out)


def file_facts(root: Path, name: str) -> dict[str, Any]:
    """Name, size and sha256 of a small file below `root`."""
    data = (root / name).read_bytes()
    return asdict(FileDigest(name, len(data), hashlib.sha256(data).hexdigest()))


def _has_records(out: Path, mark: str) -> bool:
    """Whether the command of that mark made something in `out`: a file of the mark's name alone is anybody's."""
    patterns = ("*.tar.json",) if mark == SHARDED else ("audio/*.json", "audio/*/*.json")
    places = itertools.chain(*(out.glob(pattern) for pattern in patterns))
    return any(read_record(path.with_suffix("")) for path in itertools.islice(places, RECORDS))


def read_mark(place: Path) -> dict[str, Any] | None:
    """What a mark says; nothing if it is damaged: it is ours, and the records say what of the rest may stay."""
    if file_size(place) is None:
        return {} if place.exists() else None  # a pipe or folder in its place: nobody waits for it to tell
    try:
        return unseal(place.read_bytes(), place)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, DataError):
        return {}
