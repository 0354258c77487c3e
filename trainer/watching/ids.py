"""What each process has trained on, RUN/ids/RANK.jsonl: asked for where the order of the data is to be checked.

    {"epoch": 3, "step": 41, "rank": 1, "ranks": 2, "ids": ["1272-128104-0004", "2412-153948-0011"]}

Each step of the run is told once by each process of its time. A run that goes on may have fewer or more of them: a
process looks after the files of those numbers that are its own modulo the processes there are now.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ...manifests import DataError
from .lines import Lines, read_lines, trim


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Share:
    """What one process had of a batch."""

    epoch: int
    """Counted from 1."""
    step: int
    """In the epoch, counted from 1."""
    rank: int
    ranks: int
    """Processes that shared the batch."""
    ids: tuple[str, ...]


class Ids:
    """The file of one process, open at its end."""

    def __init__(self, run: Path, rank: int, ranks: int, after: tuple[int, int]) -> None:
        """Go on after so many epochs and so many steps of the next, as process `rank` of `ranks`.

        Raises:
            OutputError: a file cannot be read or written.
        """
        for path in (run / "ids").glob("*.jsonl"):
            if path.stem.isdecimal() and int(path.stem) % ranks == rank:
                trim(path, after)
        self._lines = Lines(run / "ids" / f"{rank}.jsonl", after)
        self._rank, self._ranks = rank, ranks

    def add(self, epoch: int, step: int, ids: Sequence[str]) -> None:
        """Tell of a step that this process has taken, both counted from 1."""
        share = Share(epoch=epoch, step=step, rank=self._rank, ranks=self._ranks, ids=tuple(ids))
        facts = asdict(share)
        self._lines.add(facts.pop("epoch"), facts.pop("step"), facts)

    def close(self) -> None:
        """Let go of the file."""
        self._lines.close()


def read_ids(run: Path) -> Iterator[Share]:
    """What each process had of each step, by step, then process.

    Raises:
        DataError: a file is none of ours.
    """
    found = []
    for path in (run / "ids").glob("*.jsonl"):
        for number, facts in read_lines(path):
            try:
                found.append(Share(**{**facts, "ids": tuple(facts["ids"])}))
            except (KeyError, TypeError) as error:
                raise DataError.at(path, number, f"this is no line of what was trained on: {error!r}") from error
    yield from sorted(found)
