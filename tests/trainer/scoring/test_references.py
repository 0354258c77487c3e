import random
from pathlib import Path
from typing import Any

import pytest

from dsprep.importers.stm_lines import Segment
from dsprep.manifests import DataError
from dsprep.trainer.decoding.hypothesis import Word
from dsprep.trainer.scoring.errors import Errors
from dsprep.trainer.scoring.network import network_of, read
from dsprep.trainer.scoring.references import read_stm, shared_out


def word(text: str, start: float, end: float) -> Word:
    return Word(text=text, start=start, end=end, confidence=1)


def segment(start: float, end: float, transcript: str = "a") -> Segment:
    return Segment(file="f", channel="1", speaker="s", start=start, end=end, transcript=transcript, place="f.stm:1")


def test_a_word_goes_where_its_middle_is_and_none_is_lost() -> None:
    words = [word("e", 9, 10), word("a", 0, 0.5), word("b", 0.9, 1.2), word("c", 1.5, 2.5), word("d", 4, 5)]
    found = shared_out(words, [segment(0.2, 1), segment(1, 2), segment(3, 4)])
    assert [" ".join(one.text for one in mine) for _, mine in found] == ["a", "b", "c d e"]


def test_files_are_read_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "á b.stm").write_text(";; LABEL\nf 1 s 0 1 <o,f0,male> { a / @ } b\n\n")
    (tmp_path / "c.stm").write_text("g A s 0 1\n")
    first, second = read_stm([tmp_path / "á b.stm", tmp_path / "c.stm"])
    assert (first.transcript, first.label) == ("{ a / @ } b", "o,f0,male")
    assert (second.file, second.transcript) == ("g", "")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"f 1 s 0\n", r"x\.stm:1: .* lacks some of file"),
        (b"f 1 s 2 1 a\n", r"x\.stm:1: end time 1\.0 is not after"),
        (b"f 1 s 0 1 \xff\n", r"x\.stm:1: this line is not UTF-8"),
        (b";; nothing\n", r"x\.stm holds no segment"),
        (b"", r"x\.stm holds no segment"),
    ],
)
def test_what_is_no_stm_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "x.stm").write_bytes(content)
    with pytest.raises(DataError, match=told):
        read_stm([tmp_path / "x.stm"])


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read .*gone\.stm: No such file"):
        read_stm([tmp_path / "gone.stm"])
    with pytest.raises(DataError, match="cannot read"):
        read_stm([tmp_path])


def made(chance: random.Random) -> tuple[list[Segment], list[Word]]:
    """Segments that touch, overlap or leave gaps, some of them not to be scored, and words all over them."""
    at, segments = 0.0, list[Segment]()
    for _ in range(12):
        start = max(0.0, at + chance.choice((0, 0, 0.4, 1, -1)))
        at = start + chance.uniform(0.5, 3)
        said = " ".join(chance.choices("abcd", k=chance.randint(1, 5)))
        ignored = chance.random() < 0.25
        segments.append(segment(round(start, 2), round(at, 2), "IGNORE_TIME_SEGMENT_IN_SCORING" if ignored else said))
    words, now = list[Word](), 0.0
    while now < at + 1.5:
        start = round(now + chance.uniform(0, 0.5), 3)
        now = round(start + chance.uniform(0.05, 0.6), 3)
        words.append(word(chance.choice("abcde"), start, now))
    return sorted(segments, key=lambda one: one.start), words


def test_sclite_shares_out_a_recording_the_same(sclite: Any) -> None:
    for seed in range(15):
        segments, words = made(random.Random(seed))
        told = sclite.stm(
            [f"f 1 s {one.start} {one.end} {one.transcript}" for one in segments],
            [f"f 1 {one.start:.3f} {one.end - one.start:.3f} {one.text}" for one in words],
        )
        ours = [
            scores(read(network_of(one.transcript), [said.text for said in mine]).errors)
            for one, mine in shared_out(words, segments)
            if not one.ignored
        ]
        assert ours == sclite.scores(told), seed


def scores(errors: Errors) -> tuple[int, int, int, int]:
    right = errors.words - errors.substitutions - errors.deletions
    return right, errors.substitutions, errors.deletions, errors.insertions
