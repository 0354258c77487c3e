"""Lines of JSON that tell each step once, however often a run is stopped and goes on.

    {"epoch": 3, "step": 41, "kind": "step", "loss": 12.7}
    {"epoch": 3, "step": null, "kind": "epoch", "loss": 12.1}

Each begins with its place in the run, by which it is known whether a checkpoint has it behind it: what comes after
(epochs done, steps done in the next) will come again, so it is taken out when the run goes on. The end of an epoch
has no step and comes after all of them. Lines are appended as they come and not fsynced: what a power cut takes
is taken out, and comes again or was told.
"""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...manifests import DataError
from ...pipeline.commit import file_size, write_all, write_whole, writing

PLACE = re.compile(rb'\{"epoch": (\d+), "step": (\d+|null)[,}]')


class Lines:
    """A file of such lines, open at its end."""

    def __init__(self, path: Path, after: tuple[int, int]) -> None:
        """Open it, without what comes after so many epochs and so many steps of the next.

        Raises:
            OutputError: it cannot be read or written.
        """
        self.path = path
        trim(path, after)
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab", buffering=0)

    def add(self, epoch: int, step: int | None, facts: dict[str, Any]) -> None:
        """Append a line at once; None for the end of the epoch. Numbers that are none become null.

        Raises:
            OutputError: the disk is full or failed.
        """
        line = json.dumps({"epoch": epoch, "step": step, **_finite(facts)}, allow_nan=False)
        with writing(self.path):
            write_all(self._file, line.encode() + b"\n")

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def trim(path: Path, after: tuple[int, int]) -> None:
    """Take out of a file, if it is there, what comes after so many epochs and so many steps, and what is torn.

    Raises:
        OutputError: it cannot be read or written.
    """
    if file_size(path) is None:
        return
    with writing(path):
        with path.open("rb") as file:
            whole = all(_kept(line, after) for line in file)
        if not whole:
            with path.open("rb") as file:
                write_whole(path, (line for line in file if _kept(line, after)))


def read_lines(path: Path, epoch: int | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
    """The number of each line, or of each of one epoch, and what it says; a last one that is half written is left out.

    Raises:
        DataError: there is no such file, or a line of it is none of these.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.endswith(b"\n") and (epoch is None or line.startswith(b'{"epoch": %d,' % epoch)):
                    yield number, _parsed(path, number, line)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error


def _parsed(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        facts = json.loads(line)
    except ValueError as error:
        raise DataError.at(path, number, f"this is no line of JSON ({error}): take it out") from error
    if not isinstance(facts, dict):
        raise DataError.at(path, number, "this is no JSON object: take it out")
    return facts


def _kept(line: bytes, after: tuple[int, int]) -> bool:
    place = _place(line)
    return place is not None and place <= (after[0] + 1, after[1])


def _place(line: bytes) -> tuple[int, float] | None:
    """Where in the run a line stands; None for one that is torn, or has a hole of zeros as crashes leave them."""
    found = PLACE.match(line)
    if not found or not line.endswith(b"}\n") or b"\0" in line:
        return None
    return int(found[1]), math.inf if found[2] == b"null" else int(found[2])


def _finite(facts: dict[str, Any]) -> dict[str, Any]:
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in facts.items()
    }
