"""Leaks: what rows share that should have nothing in common, by joins of one table of all rows.

manifest  id       speaker  sentence    audio
0         9000-1   9000     five six    2c26b46b68ff...
1         9000-7   9000     nine        fcde2b2edba5...
"""

from collections.abc import Iterator, Sequence
from typing import Any

from ..samples import DataSet
from ..text import PROFILES
from .findings import EXAMPLES, SHOWN, Finding, Kind, Leak, Shared
from .measure import Sound

LEAKS = {
    "audio": Kind.AUDIO_LEAK,
    "speaker": Kind.SPEAKER_LEAK,
    "sentence": Kind.SENTENCE_LEAK,
    "id": Kind.ID_LEAK,
}
"""Columns of the table, and what it is if two manifests share a value of one."""

Table = Any
"""A pandas DataFrame: all cells are text, and an empty one is not known."""


def table_of(sets: Sequence[DataSet], sounds: Sequence[Sequence[Sound | None]]) -> Table:
    """One row a sample of `sets`; the `sounds` that are known, of each."""
    import pandas

    rows = [
        (
            number,
            sample.id,
            sample.speaker,
            PROFILES["keep"](sample.transcript).casefold(),
            sound.digest.hex() if sound and sound.samples else "",
        )
        for number, (data, heard) in enumerate(zip(sets, sounds, strict=True))
        for sample, sound in zip(data.samples, heard, strict=True)
    ]
    return pandas.DataFrame(rows, columns=["manifest", "id", "speaker", "sentence", "audio"])


def repeats(table: Table, names: Sequence[str]) -> Iterator[Finding]:
    """Rows with the sound of one before them in the same manifest, and what one speaker says several times there."""
    known = _known(table, ["audio"])
    same = known.groupby(["manifest", "audio"], sort=False)
    firsts = known.assign(first=same["id"].transform("first"), text=same["sentence"].transform("first"))
    for row in firsts[firsts["id"] != firsts["first"]].itertuples():
        detail = f"the same sound as {row.first}, with {'the same' if row.sentence == row.text else 'another'} text"
        yield Finding(kind=Kind.SAME_AUDIO, manifest=names[row.manifest], id=row.id, detail=detail)
    keys = ["manifest", "speaker", "sentence"]
    known = _known(table, keys[1:])
    for (manifest, _, sentence), rows in known[known.duplicated(keys, keep=False)].groupby(keys, sort=False):
        ids = list(rows["id"])
        detail = f"{len(ids)} times by one speaker, {sentence[:SHOWN]!r}: {', '.join(ids[:EXAMPLES])}"
        yield Finding(kind=Kind.SAME_TEXT, manifest=names[manifest], id=ids[0], detail=detail)


def leaks(table: Table, names: Sequence[str]) -> Iterator[Leak]:
    """What each two manifests share."""
    for column, kind in LEAKS.items():
        known = _known(table, [column])
        valued = known.assign(value=known[column]).groupby(["manifest", "value"], sort=False)
        held = valued.agg(first=("id", "first"), clips=("id", "size")).reset_index()
        both = held.merge(held, on="value", suffixes=("_one", "_other"))
        both = both[both["manifest_one"] < both["manifest_other"]].sort_values(
            ["clips_one", "clips_other", "value"], ascending=[False, False, True]
        )
        for (one, other), rows in both.groupby(["manifest_one", "manifest_other"]):
            shared = tuple(
                Shared(row.value, (row.first_one, row.clips_one), (row.first_other, row.clips_other))
                for row in rows.itertuples()
            )
            yield Leak(kind=kind, one=names[one], other=names[other], shared=shared)


def _known(table: Table, columns: Sequence[str]) -> Table:
    return table[(table[columns] != "").all(axis=1)]
