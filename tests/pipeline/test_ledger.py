from dataclasses import replace
from pathlib import Path

import pytest

from dsprep.manifests import OutputError, Utterance
from dsprep.pipeline.ledger import Audio, Ledger, ledger


def audio(name: str) -> Audio:
    return Audio(name=name, place=0, byte=None, size=10, stamp=1, seconds=1.5, ffmpeg=name.endswith("m4a"))


def row(name: str, of: str, start: float = 0.0) -> Utterance:
    return Utterance(id=name, audio=of, text="é \u2028", start=start, extras=(("a", "b"),))


def test_rows_come_back_as_they_were_in_the_order_of_their_audio(tmp_path: Path) -> None:
    with ledger(tmp_path) as book:
        for name in ("z.wav", "a.m4a", "m.wav"):
            assert book.add_audio(audio(name))
        assert not book.add_audio(audio("z.wav"))
        book.index()
        for one in (row("1", "m.wav"), row("2", "z.wav", 2.0), row("3", "z.wav", 1.0), row("4", "a.m4a")):
            book.want("train", one)
        book.want("all", row("3", "z.wav", 1.0))
        assert list(book.wanted()) == [
            (
                replace(audio("z.wav"), rank=2),
                [
                    ("train", row("3", "z.wav", 1.0)),
                    ("all", row("3", "z.wav", 1.0)),
                    ("train", row("2", "z.wav", 2.0)),
                ],
            ),
            (replace(audio("a.m4a"), rank=0), [("train", row("4", "a.m4a"))]),
            (replace(audio("m.wav"), rank=1), [("train", row("1", "m.wav"))]),
        ]
        assert book.count_wanted() == 3
        assert book.needing_ffmpeg() == (1, "a.m4a")
    assert not list(tmp_path.iterdir())


def test_names_of_any_encoding_are_kept(tmp_path: Path) -> None:
    with ledger(tmp_path) as book:
        book.add_audio(audio("a/\udcff.wav"))
        book.index()
        assert "a/\udcff.wav" in book
        assert book.with_stem("\udcff") == ["a/\udcff.wav"]
        assert list(book.forgotten()) == ["a/\udcff.wav"]
        assert book.name_audio("a/\udcff.wav")
        assert not book.name_audio("a/b.wav")
        assert list(book.forgotten()) == []


def test_an_id_means_one_cut_everywhere_and_is_once_in_a_part(tmp_path: Path) -> None:
    with ledger(tmp_path) as book:
        assert book.take_id("train", "x", "cut 1")
        assert book.take_id("all", "x", "cut 1")
        assert not book.take_id("all", "x", "cut 1")
        assert not book.take_id("dev", "x", "cut 2")


def test_outcomes_come_sorted(tmp_path: Path) -> None:
    with ledger(tmp_path) as book:
        for name in ("b", "a", "c"):
            book.keep("train", name, f"0/{name}", [name])
            book.reject("train", name, "too-short", "d", 3)
            book.reject("", name, "bad-row", "d", None)
        assert list(book.kept("train")) == [["a"], ["b"], ["c"]]
        assert book.holds("0/a")
        assert not book.holds("1/a")
        assert next(book.rejected()) == ("", "a", "bad-row", "d", None)
        assert [left[:2] for left in book.rejected()] == [
            ("", "a"), ("", "b"), ("", "c"), ("train", "a"), ("train", "b"), ("train", "c")
        ]  # fmt: skip


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"cannot write .*\.ledger.* make room"), ledger(tmp_path / "gone"):
        pass


def test_a_base_that_fails_is_told(tmp_path: Path) -> None:
    def fail(book: Ledger) -> None:
        book._base.execute("SELECT * FROM nothing")

    with pytest.raises(OutputError, match="cannot write"), ledger(tmp_path) as book:
        fail(book)
    assert not list(tmp_path.iterdir())
