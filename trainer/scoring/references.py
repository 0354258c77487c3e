"""References: what was said by somebody's STM files, instead of by a manifest's transcripts.

    talks/dev.stm    AlGore_2009 1 AlGore_2009 15.24 27.35 <o,f0,male> { and / @ } one of them is ...

An utterance that was imported from a segment has the segment's id. A recording that was taken whole has the name in
the first column: its words are shared out among its segments by their middles, as sclite shares out a CTM's.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO

from ...importers.corpus import TextFile
from ...importers.stm_lines import Segment, segments
from ...manifests import BadRow, DataError
from ..decoding.hypothesis import Word


def read_stm(paths: Iterable[Path]) -> list[Segment]:
    """The segments of some STM files, in their order.

    Raises:
        DataError: a file cannot be read, holds no segment, or a line is none (named).
    """
    found = list[Segment]()
    for path in paths:
        try:
            mine = [_good(one) for one in segments(TextFile(str(path), partial(_open, path)).lines())]
        except OSError as error:
            raise DataError(f"cannot read {path}: {error.strerror}; name an STM file with --stm") from error
        if not mine:
            raise DataError(f"{path} holds no segment: name an STM file with --stm")
        found += mine
    return found


def _open(path: Path) -> BinaryIO:
    return path.open("rb")


def _good(row: Segment | BadRow) -> Segment:
    if isinstance(row, BadRow):
        raise DataError(f"{row.place}: {row.detail}: mend it, or name another file with --stm")
    if any("\ud800" <= character <= "\udfff" for character in row.transcript + row.speaker + row.file):
        raise DataError(f"{row.place}: this line is not UTF-8: mend it, or name another file with --stm")
    return row


def shared_out(words: Iterable[Word], among: Sequence[Segment]) -> Iterator[tuple[Segment, list[Word]]]:
    """The words of a recording by its segments, in their order: each takes those that are left whose middle comes
    before its end, the last all that are left."""
    left = sorted(words, key=lambda word: word.start)
    for number, segment in enumerate(among, 1):
        mine = left if number == len(among) else list(_before(left, segment.end))
        left = left[len(mine) :]
        yield segment, mine


def _before(words: Sequence[Word], end: float) -> Iterator[Word]:
    for word in words:
        if (word.start + word.end) / 2 >= end:
            return
        yield word
