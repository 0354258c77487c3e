"""sclite's files: what was said and heard, for NIST's sclite to score and for other people's tools.

    ref.trn, hyp.trn    zero one two (19-1988-24833-0000)                  sclite -r ref.trn trn -h hyp.trn trn -i rm -s
    ref.stm             1988-24833-0000 1 19 0.000 2.340 zero one two      sclite -r ref.stm stm -h hyp.ctm ctm -D -s
    hyp.ctm             1988-24833-0000 1 0.120 0.240 zero 0.9876

Texts are as they were compared. In the ctm each utterance is a recording of its own, named by its id. Where the
references came from an STM, that is the one to score by, and hyp.ctm has its recordings, channels and times.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ...pipeline.commit import write_whole, writing
from ...pipeline.formats import trn
from ...pipeline.formats.format import Entry
from .heard import Heard

CHANNEL = "1"
UNKNOWN = "unknown"
"""The speaker of utterances without one: sclite wants some."""
SHORTEST = 0.001
"""Seconds of a word, or of an utterance of unknown length, which sclite wants to be some."""


def write_sclite_files(home: Path, heard: Sequence[Heard]) -> None:
    """The files, in a folder that is made.

    Raises:
        DataError: a text holds sclite's own mark-up.
        OutputError: they cannot be written.
    """
    samples = [replace(one.sample, speaker=one.sample.speaker or UNKNOWN) for one in heard]
    said = trn.write([Entry(sample=sample) for sample in samples], home)
    texts = zip(samples, heard, strict=True)
    understood = [replace(sample, transcript=one.hypothesis.text) for sample, one in texts]
    files = {
        "ref.trn": said[trn.MAIN],
        "hyp.trn": trn.write([Entry(sample=one) for one in understood], home)[trn.MAIN],
        "hyp.ctm": _lines(sorted(mark for one in heard for mark in _marks(one))),
    }
    if not any(one.segment for one in heard):
        files["ref.stm"] = _lines(_segment(one) for one in heard)
    with writing(home):
        home.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        write_whole((home / name).resolve(), data)


def _lines(rows: Iterable[Iterable[object]]) -> bytes:
    return "".join(f"{' '.join(map(str, row))}\n" for row in rows).encode()


def _segment(one: Heard) -> tuple[str, ...]:
    ends = [one.sample.duration or 0.0, *(word.end for word in one.hypothesis.words), SHORTEST]
    speaker = "".join(one.sample.speaker.split()) or UNKNOWN
    return (one.sample.id, CHANNEL, speaker, "0.000", f"{max(ends):.3f}", *one.sample.transcript.split())


class _Seconds(float):
    """Seconds that sort as numbers and are written with three decimals."""

    def __str__(self) -> str:
        return f"{self:.3f}"


def _marks(one: Heard) -> Iterator[tuple[object, ...]]:
    """The words as they were compared, if there are as many as the decoder timed; else the decoder's own."""
    texts, timed = one.hypothesis.text.split(), one.hypothesis.words
    names = texts if len(texts) == len(timed) else [word.text for word in timed]
    file, channel, begin = one.sample.id, CHANNEL, 0.0
    if one.segment:
        file, channel, begin = one.segment.file, one.segment.channel, one.segment.start
    for name, word in zip(names, timed, strict=True):
        length = _Seconds(max(SHORTEST, word.end - word.start))
        yield file, channel, _Seconds(begin + word.start), length, name, f"{word.confidence:.4f}"
