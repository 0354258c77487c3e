"""The importers on the first lines of each corpus, as its publisher writes them."""

import io
from collections.abc import Mapping
from pathlib import Path

import pytest

from dsprep.importers import CORPORA, Found, TextFile
from dsprep.manifests import BadRow, Utterance
from dsprep.pipeline.source import sections

DATA = Path(__file__).parents[1] / "data"


def text(name: str, data: str | bytes) -> TextFile:
    return TextFile(name, lambda: io.BytesIO(data.encode() if isinstance(data, str) else data))


class Named(set[str]):
    """Audio files, by name."""

    def with_stem(self, stem: str) -> list[str]:
        return sorted(name for name in self if Path(name).stem == stem)


def read(corpus: str, part: str, texts: Mapping[str, str | bytes]) -> list[Utterance | BadRow]:
    files = [text(name, data) for name, data in texts.items()]
    found = Found(parts=(part,), texts=files, audio=Named())
    return [row for _, row in CORPORA[corpus].read(found)]


def test_librispeech_reads_its_own_layout() -> None:
    corpus = CORPORA["librispeech"]
    root = DATA / "librispeech"
    names = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    (section,) = sections(corpus, ["dev-clean"])
    one, two = read(
        "librispeech",
        "dev-clean",
        {name: (root / name).read_bytes() for name in names if section.kinds().is_text(name)},
    )
    assert one == Utterance(
        id="1272-128104-0000",
        audio="LibriSpeech/dev-clean/1272/128104/1272-128104-0000.flac",
        text="MISTER QUILTER IS THE APOSTLE OF THE MIDDLE CLASSES",
        speaker="1272",
        extras=(("gender", "M"), ("name", "John Rose | Jr.")),
    )
    assert isinstance(two, Utterance)
    assert "QUILTER'S" in two.text


def test_librispeech_parts_do_not_take_each_other_s_files() -> None:
    name = "LibriSpeech/dev-clean/1/2/1-2.trans.txt"
    kinds = {
        one.name: one.kinds() for one in sections(CORPORA["librispeech"], ["dev-clean", "dev-clean-2", "dev-other"])
    }
    assert kinds["dev-clean"].is_text(name)
    assert not kinds["dev-clean-2"].is_text(name)
    assert not kinds["dev-other"].is_text(name)
    assert not kinds["dev-clean"].is_audio(name)
    assert not kinds["dev-clean"].is_text("LibriSpeech/dev-clean/1/2/._1-2.trans.txt")


def test_a_line_with_an_id_and_no_text_keeps_its_id_and_gets_no_words() -> None:
    (row,) = read("librispeech", "dev-clean", {"L/dev-clean/1/2/1-2.trans.txt": "1-2-0000"})
    assert isinstance(row, Utterance)
    assert (row.id, row.text) == ("1-2-0000", "")


def test_a_line_that_is_no_row_does_not_take_its_neighbours_along() -> None:
    data = b"1-2-0000 GOOD\n../../etc/passwd BAD\n1-2-0002 \xff\xfe\n\n1-2-0003 U+2028 \xe2\x80\xa8 STAYS\r\n"
    rows = read("librispeech", "dev-clean", {"a/1-2.trans.txt": data})
    assert [type(row) for row in rows] == [Utterance, BadRow, BadRow, Utterance]
    assert [row.place for row in rows if isinstance(row, BadRow)] == ["a/1-2.trans.txt:2", "a/1-2.trans.txt:3"]


def test_ldc93s1_reads_its_own_layout() -> None:
    line = (DATA / "ldc93s1" / "LDC93S1.txt").read_text()
    assert read("ldc93s1", "ldc93s1", {"x/LDC93S1.txt": line}) == [
        Utterance(
            id="LDC93S1",
            audio="x/LDC93S1.wav",
            text="She had your dark suit in greasy wash water all year.",
        )
    ]


@pytest.mark.parametrize("line", ["She had", "0", "0 x words"])
def test_ldc93s1_refuses_a_line_without_sample_numbers(line: str) -> None:
    (row,) = read("ldc93s1", "ldc93s1", {"LDC93S1.txt": line})
    assert isinstance(row, BadRow)


@pytest.mark.parametrize("corpus", CORPORA.values(), ids=CORPORA)
def test_the_table_is_whole(corpus: object) -> None:
    from dsprep.importers import Corpus

    assert isinstance(corpus, Corpus)
    names = [part.name for part in corpus.parts]
    assert len(set(names)) == len(names)
    for part in corpus.parts:
        for archive in part.archives:
            algorithm, _, digest = archive.digest.partition(":")
            assert len(digest) == {"md5": 32, "sha256": 64}[algorithm]
            assert archive.bytes is None or archive.bytes > 0
            assert archive.url.startswith("https://")


def test_librispeech_has_all_seven_parts_and_the_mini_set() -> None:
    assert [part.name for part in CORPORA["librispeech"].parts] == [
        "dev-clean", "dev-other", "test-clean", "test-other", "train-clean-100", "train-clean-360", "train-other-500",
        "dev-clean-2", "train-clean-5",
    ]  # fmt: skip
