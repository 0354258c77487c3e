"""Rows: the text of a part joined with its audio, and what goes no further."""

from dataclasses import dataclass
from pathlib import Path

from ..importers import Corpus, Part
from ..manifests import BadRow, Utterance
from .screen import Reason, Rejection
from .source import Survey, shown


@dataclass(frozen=True, slots=True)
class ReadRows:
    """The rows of a part, joined with its audio files."""

    count: int
    by_audio: dict[str, list[Utterance]]
    """By name of an audio file that is there."""
    rejections: tuple[Rejection, ...]
    """Rows that go no further, and audio files without a row."""


def read_rows(corpus: Corpus, part: Part, found: Survey) -> ReadRows:
    """All rows of a part: each either goes with an audio file that is there, or is rejected with a reason."""
    audio, ids = found.audio, set[str]()
    by_audio: dict[str, list[Utterance]] = {}
    rejections: list[Rejection] = []

    def reject(name: str, reason: Reason, detail: str) -> None:
        rejections.append(Rejection(id=shown(name), part=part.name, reason=reason, detail=shown(detail[:300])))

    count = 0
    for row in corpus.read(found.texts):
        count += 1
        if isinstance(row, BadRow):
            reject(row.place, Reason.BAD_ROW, row.detail)
        elif row.id in ids:
            reject(row.id, Reason.DUPLICATE_ID, f"again for {row.audio}")
        elif row.audio not in audio:
            reject(row.id, Reason.NO_AUDIO, f"there is no {row.audio}")
        else:
            by_audio.setdefault(row.audio, []).append(row)
        if isinstance(row, Utterance):
            ids.add(row.id)
    orphans = [name for name in found.audio if name not in by_audio]
    for name in orphans:
        reject(Path(name).stem, Reason.NO_TEXT, f"no row names {name}")
    return ReadRows(count + len(orphans), by_audio, tuple(rejections))
