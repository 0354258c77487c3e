"""STM: any folder of NIST segment time marks with the recordings that they speak of.

    talks/stm/JoinedTalk_2026.stm
        JoinedTalk_2026 1 mwhw 0.50 1.50 <o,f0,unknown> start(2) <unk>
    talks/sph/JoinedTalk_2026.sph

A recording is the audio file of the name in the first column, in the folder that is nearest to the table's. The
text is one reading of the transcript; where it offers a choice, the column `stm` keeps it as it was, for scoring.
"""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import PurePosixPath

from ..manifests import BadRow, Utterance
from .corpus import TARS, AudioFiles, Corpus, Found, Part, Rows, TextFile, nearest, row
from .stm_lines import Segment, channel_number, has_choices, reading, segment_id, segments

_ENDS = ("sph", "wav", "flac", "mp3", "ogg", "opus", "m4a", "aif", "aiff", "au", "wv1", "wv2")
AUDIO = tuple(f"*.{end}" for one in _ENDS for end in (one, one.upper()))


def read(found: Found) -> Rows:
    """One row a line of each table."""
    (part,) = found.parts
    for file in found.texts:
        for one in read_talks(file, found.audio):
            yield part, one


def read_talks(file: TextFile, audio: AudioFiles) -> Iterator[Utterance | BadRow]:
    """The segments of one table; what the corpus says not to score is excluded, and said to be."""

    @lru_cache(maxsize=64)
    def recording(name: str) -> str:
        talk = PurePosixPath(name)
        known = audio.with_stem(talk.name)
        if talk.suffix[1:].lower() in _ENDS:
            known = known or audio.with_stem(talk.stem)
        near = nearest([one for one in known if _within(one, talk.parent)], file.path.parent)
        return near or str(file.path.with_name(f"{talk.name}.sph"))

    for one in segments(file.lines()):
        yield one if isinstance(one, BadRow) else _row(one, recording(one.file))


def _within(audio: str, folder: PurePosixPath) -> bool:
    """Whether an audio file lies in the folders that the first column gives before a name; none are no condition."""
    parts = [part for part in folder.parts if part not in (".", "..", "/")]
    return not parts or list(PurePosixPath(audio).parent.parts[-len(parts) :]) == parts


def _row(segment: Segment, audio: str) -> Utterance | BadRow:
    if segment.ignored or segment.gap:
        what = "a gap between segments" if segment.gap else "marked as not to be scored"
        return BadRow(place=segment.place, detail=what, reason="excluded", audio=audio)
    try:
        text, channel = reading(segment.transcript), channel_number(segment.channel)
    except ValueError as error:
        return BadRow(place=segment.place, detail=str(error), audio=audio)
    extras = (("label", segment.label), ("stm", segment.transcript if has_choices(segment.transcript) else ""))
    return row(
        segment.place,
        id=segment_id(segment),
        audio=audio,
        text=text,
        start=segment.start,
        end=segment.end,
        channel=channel,
        speaker=segment.speaker,
        extras=extras,
    )


STM = Corpus(
    name="stm",
    title="any recordings with NIST STM transcripts",
    homepage="",
    licence="its own",
    size="its own",
    needs="your own folder or archive of .stm files and recordings: name it with --source PATH",
    parts=(Part(name="stm"),),
    layout="NAME.stm, and NAME.sph, .wav, .flac ... beside it or in a folder near it",
    texts=("*.stm", "*.STM"),
    audio=AUDIO,
    archives=tuple(f"*{end}" for end in (*TARS, ".zip")),
    read=read,
    profile="tedlium",
)
