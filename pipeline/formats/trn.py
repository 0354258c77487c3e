"""trn: transcripts as NIST's sclite scores them, without audio.

    zero one two (19-1988-24833-0000)

The id stands last, in parentheses, the speaker first in it: sclite (`-i rm`) takes what is before the first `-` or `_`
for the speaker (SCTK, doc/infmts.htm). Unless all ids begin with their speakers, all get them put before.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from pathlib import Path

from ...manifests import DataError, Sample
from .format import Audio, Entry, Format, Holds

MAIN = "text.trn"


def write(entries: Sequence[Entry], home: Path) -> Mapping[str, bytes]:
    samples = [entry.sample for entry in entries]
    names = {one.id: one.id for one in samples}
    plain = _plain({one.speaker for one in samples if one.speaker})
    if not all(re.match(rf"{re.escape(plain[one.speaker])}[-_]", one.id) for one in samples if one.speaker):
        names = {one.id: f"{plain[one.speaker]}-{one.id}" if one.speaker else one.id for one in samples}
    if len(set(names.values())) < len(names):
        raise DataError("some samples have speakers and some have none, and their ids get mixed up: name all speakers")
    return {MAIN: "".join(_line(one, names[one.id]) for one in samples).encode()}


def _plain(speakers: Set[str]) -> dict[str, str]:
    """Speakers' names of what sclite keeps together; where two would be one, or nothing is left, a digest is put to."""
    plain = {one: re.sub(r"[^A-Za-z0-9.]+", "", one) for one in speakers}
    often = Counter(plain.values())
    return {
        one: name if name and often[name] == 1 else f"{name}x{hashlib.sha256(one.encode()).hexdigest()[:8]}"
        for one, name in plain.items()
    }


def _line(sample: Sample, name: str) -> str:
    words = " ".join(sample.transcript.split())
    if words.startswith(";;") or any(character in words for character in "(){}"):
        raise DataError(f"{sample.id}: {words!r} holds mark-up of sclite: take (), {{}} and ;; out of the text first")
    return f"{words} ({name})\n".lstrip()


FORMAT = Format(
    name="trn",
    title="NIST sclite's transcripts",
    mains=(MAIN,),
    holds=Holds(audio=Audio.NONE, id=True, speaker=True, spacing=False),
    write=write,
)
