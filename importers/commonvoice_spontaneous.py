r"""Common Voice's spontaneous speech, since 2025: one table a language, which tells the part of each row.

    sps-corpus-5.0-2026-09-11-en/ss-corpus-en.tsv
        client_id  audio_id  audio_file  duration_ms  prompt_id  prompt  transcription  votes  age  gender ... split ...
    sps-corpus-5.0-2026-09-11-en/ss-reported-audios-en.tsv     clips that were taken out, though they lie in audios/
    sps-corpus-5.0-2026-09-11-en/audios/spontaneous-speech-en-1.mp3

`split` is train, dev, test or unassigned; most of the unassigned have no transcription. A transcription has tags,
as `[disfluency]`: they are not spoken, so the text goes without them, and the column `tagged` keeps it as it was.
"""

import re
from collections.abc import Iterator

from ..manifests import BadRow, Utterance
from .columns import TableRow, rows
from .corpus import Found, Rows, TextFile, made_id
from .corpus import row as utterance

UNASSIGNED = "unassigned"
SPLITS = ("train", "dev", "test", UNASSIGNED)
TEXTS = ("*/ss-corpus-*.tsv", "*/ss-reported-audios-*.tsv")
AUDIO = ("*/audios/*.mp3",)
TAG = re.compile(r"\[[^\[\]]*\]")


def read(found: Found) -> Rows:
    """One row a line of each table; those of reported clips are excluded, and of no part."""
    reported: set[str] = set()
    for file in found.texts:
        if file.path.name.startswith("ss-reported-audios-"):
            for bad in _reported(file):
                reported.add(bad.audio)
                yield "", bad
    for file in found.texts:
        if file.path.name.startswith("ss-corpus-"):
            for part, row in _rows(file):
                if row.audio in reported and isinstance(row, Utterance):
                    yield part, BadRow(place=row.id, detail="it was reported", reason="excluded", audio=row.audio)
                else:
                    yield part, row


def _rows(file: TextFile) -> Rows:
    locale = file.path.stem.removeprefix("ss-corpus-")
    for one in rows(file, ("client_id", "audio_file", "transcription", "split")):
        if not isinstance(one, TableRow):
            yield "", one
            continue
        split = one.cells["split"] or UNASSIGNED
        name, said = one.cells["audio_file"], one.cells["transcription"]
        audio = str(file.path.parent / "audios" / name)
        if split not in SPLITS:
            yield "", BadRow(place=one.place, detail=f"there is no split {split!r}", audio=audio)
            continue
        text = " ".join(TAG.sub(" ", said).split())
        tagged = (("tagged", said),) if TAG.search(said) else ()
        yield (
            split,
            utterance(
                one.place,
                id=made_id(name.removesuffix(".mp3")),
                audio=audio,
                text=text,
                speaker=one.cells["client_id"],
                extras=(*one.extras("client_id", "audio_file", "transcription", "split"), ("locale", locale), *tagged),
            ),
        )


def _reported(file: TextFile) -> Iterator[BadRow]:
    for one in rows(file, ("audio_file",)):
        if isinstance(one, TableRow):
            reason = one.cells.get("reason") or "no reason told"
            audio = str(file.path.parent / "audios" / one.cells["audio_file"])
            yield BadRow(place=one.place, detail=f"reported: {reason}", reason="excluded", audio=audio)
        else:
            yield one
