"""What is written for sclite, as sclite itself scores it."""

import random
from pathlib import Path
from typing import Any

import pytest

from dsprep.importers.stm_lines import Segment, segment_id
from dsprep.manifests import DataError, Sample
from dsprep.trainer.decoding.hypothesis import Hypothesis, Word
from dsprep.trainer.scoring.heard import Evaluation, Heard, heard_of
from dsprep.trainer.scoring.rescoring import by_stm
from dsprep.trainer.scoring.sclite_files import write_sclite_files

WORDS = ["zero", "one", "two", "three", "four", "fünf", "six"]


def heard(name: str, reference: str, hypothesis: str, speaker: str = "19") -> Heard:
    words = tuple(
        Word(text=word, start=0.25 * place, end=0.25 * place + 0.2, confidence=0.5)
        for place, word in enumerate(hypothesis.split())
    )
    sample = Sample(id=name, path=Path("x.wav"), size=1, transcript=reference, duration=9.0, speaker=speaker)
    return heard_of(sample, Hypothesis(text=hypothesis, words=words), 1.0)


def made(count: int = 200) -> Evaluation:
    chance = random.Random(3)
    rows = []
    for number in range(count):
        said = chance.choices(WORDS, k=chance.randint(0, 12))
        known = [word if chance.random() < 0.8 else chance.choice(WORDS) for word in said]
        text = " ".join([word for word in known if chance.random() < 0.9] or ["one"])
        rows.append(heard(f"u{number:04d}", " ".join(said), text, f"s {number % 9}"))
    return Evaluation(tuple(rows))


def scores(evaluation: Evaluation) -> list[tuple[int, int, int, int]]:
    errors = [one.words for one in evaluation.heard]
    return [
        (one.words - one.substitutions - one.deletions, one.substitutions, one.deletions, one.insertions)
        for one in errors
    ]


def test_sclite_scores_the_files_exactly_so(sclite: Any) -> None:
    whole = made()
    write_sclite_files(sclite.home, whole.heard)
    by_trn = sclite.run("-r", "ref.trn", "trn", "-h", "hyp.trn", "trn", "-i", "rm", "-s", "-o", "pralign", "stdout")
    by_ctm = sclite.run("-r", "ref.stm", "stm", "-h", "hyp.ctm", "ctm", "-D", "-s", "-o", "pralign", "stdout")
    assert sorted(sclite.scores(by_trn)) == sorted(scores(whole))
    assert sorted(sclite.scores(by_ctm)) == sorted(scores(whole))
    assert "Speaker sentences   8:" in by_trn


def test_sclite_takes_utterances_whose_speaker_nobody_knows(sclite: Any) -> None:
    whole = Evaluation((heard("clip1", "one", "two", ""), heard("clip2", "six", "six", "a b")))
    write_sclite_files(sclite.home, whole.heard)
    by_trn = sclite.run("-r", "ref.trn", "trn", "-h", "hyp.trn", "trn", "-i", "rm", "-s", "-o", "pralign", "stdout")
    assert sclite.scores(by_trn) == scores(whole)


def test_the_lines_are_plain_to_read(tmp_path: Path) -> None:
    write_sclite_files(tmp_path / "ä b" / "c", [heard("a-1", "one two", "one  too"), heard("a-2", "", "")])
    texts = {path.name: path.read_text() for path in (tmp_path / "ä b" / "c").iterdir()}
    assert texts == {
        "ref.trn": "one two (19-a-1)\n(19-a-2)\n",
        "hyp.trn": "one too (19-a-1)\n(19-a-2)\n",
        "ref.stm": "a-1 1 19 0.000 9.000 one two\na-2 1 19 0.000 9.000\n",
        "hyp.ctm": "a-1 1 0.000 0.200 one 0.5000\na-1 1 0.250 0.200 too 0.5000\n",
    }


def test_by_an_stm_the_ctm_has_its_recordings_and_times(sclite: Any) -> None:
    segments = [
        Segment(file="f", channel="A", speaker="s", start=10.0, end=12.5, transcript="ONE { TWO / @ }", place="r:1"),
        Segment(file="f", channel="A", speaker="t", start=12.5, end=14.0, transcript="(SIX) four", place="r:2"),
    ]
    said = ["one", "four four"]
    rows = [heard(segment_id(one), "", text) for one, text in zip(segments, said, strict=True)]
    whole = by_stm(Evaluation(tuple(rows)), segments)
    write_sclite_files(sclite.home, whole.heard)
    assert not (sclite.home / "ref.stm").exists()
    assert (sclite.home / "hyp.ctm").read_text().splitlines()[1:] == [
        "f A 12.500 0.200 four 0.5000",
        "f A 12.750 0.200 four 0.5000",
    ]
    lines = [f"f A {one.speaker} {one.start} {one.end} {one.transcript}" for one in segments]
    told = sclite.stm(lines, (sclite.home / "hyp.ctm").read_text().splitlines())
    assert sclite.scores(told) == scores(whole) == [(1, 0, 0, 0), (1, 1, 0, 0)]


def test_sclite_s_own_marks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a: .* holds mark-up of sclite"):
        write_sclite_files(tmp_path / "new", [heard("a", "one (two)", "one")])
    assert not (tmp_path / "new").exists()
