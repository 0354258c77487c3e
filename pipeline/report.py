"""Report: what an import made of a corpus, row for row."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..manifests.ctc import RATE
from .coverage import Coverage
from .source import SourceFile


@dataclass(slots=True)
class Tally:
    """Rows and samples at 16 kHz that add up."""

    rows: int = 0
    frames: int = 0

    def add(self, frames: int | None) -> None:
        """One row more."""
        self.rows += 1
        self.frames += frames or 0

    @property
    def seconds(self) -> float:
        """Of audio."""
        return self.frames / RATE

    def facts(self) -> dict[str, Any]:
        """As JSON."""
        return {"rows": self.rows, "frames": self.frames}


@dataclass(slots=True)
class PartReport:
    """What an import made of one part; a part without a name is what is of none."""

    name: str
    rows: int
    """Of the source, audio files that no row names among them."""
    kept: Tally = field(default_factory=Tally)
    rejected: dict[str, Tally] = field(default_factory=dict)
    """By reason."""
    splits: dict[str, Tally] = field(default_factory=dict)

    @property
    def left_out(self) -> Tally:
        """All rejected rows."""
        return Tally(sum(one.rows for one in self.rejected.values()), sum(one.frames for one in self.rejected.values()))

    @property
    def reasons(self) -> dict[str, int]:
        """Rejected rows by reason, most frequent first."""
        return dict(Counter({reason: tally.rows for reason, tally in self.rejected.items()}).most_common())

    @property
    def efficiency(self) -> float:
        """Share of the rows that were kept."""
        return self.kept.rows / self.rows if self.rows else 0.0

    def check(self) -> None:
        """The law of conservation: rows in = rows kept + rows rejected."""
        if self.rows != self.kept.rows + self.left_out.rows:
            raise AssertionError(f"{self.name}: {self.rows} rows in, {self.kept.rows} + {self.left_out.rows} out")

    def facts(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "rows": self.rows,
            "kept": self.kept.facts(),
            "rejected": {reason: tally.facts() for reason, tally in sorted(self.rejected.items())},
            "splits": {name: tally.facts() for name, tally in self.splits.items()},
        }

    @classmethod
    def of(cls, name: str, facts: Mapping[str, Any]) -> "PartReport":
        """Inverse of `facts`."""
        return cls(
            name,
            facts["rows"],
            Tally(**facts["kept"]),
            {reason: Tally(**tally) for reason, tally in facts["rejected"].items()},
            {split: Tally(**tally) for split, tally in facts["splits"].items()},
        )


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import made of all that it read."""

    parts: tuple[PartReport, ...]
    sources: tuple[SourceFile, ...]
    decoders: tuple[str, ...]
    """What read the audio, by name and version."""
    coverage: Coverage | None = None
    """The characters of all transcripts, if they were asked for and are new."""
