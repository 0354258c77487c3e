import csv
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsprep.manifests import DataError, Sample, manifest_bytes, read_manifest, seconds_text

HERE = Path("/data")
names = st.text("abcXYZ019_-", min_size=1, max_size=20)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)


def sample(**fields: Any) -> Sample:
    whole: dict[str, Any] = {"id": "a-1", "path": HERE / "a.wav", "size": 44, "transcript": "hi", **fields}
    return Sample(**whole)


@given(
    st.lists(
        st.builds(
            Sample,
            id=names,
            path=names.map(lambda name: HERE / "audio" / f"{name}.wav"),
            size=st.integers(0, 10**12),
            transcript=texts,
            offset=st.none() | st.integers(0, 10**15),
            duration=st.none() | st.integers(0, 10**9).map(lambda frames: frames / 16_000),
            speaker=texts,
            extras=texts.map(lambda value: (("accent", value),)),
        ),
        unique_by=lambda one: one.id,
    )
)
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, samples: list[Sample]) -> None:
    path = tmp_path_factory.mktemp("manifest") / "x.csv"
    path.write_bytes(manifest_bytes([_moved(one, path.parent) for one in samples], path.parent))
    expected = [_moved(one, path.parent) for one in sorted(samples, key=lambda one: one.id)]
    assert read_manifest(path) == expected
    with path.open(newline="", encoding="utf-8") as file:
        assert [row["transcript"] for row in csv.DictReader(file)] == [one.transcript for one in expected]


def _moved(one: Sample, folder: Path) -> Sample:
    return Sample(
        id=one.id,
        path=folder / one.path.relative_to(HERE),
        size=one.size,
        transcript=one.transcript,
        offset=one.offset,
        duration=one.duration,
        speaker=one.speaker,
        extras=one.extras,
    )


def test_the_same_samples_give_the_same_bytes_in_any_order() -> None:
    samples = [sample(id=f"a-{i}") for i in range(10)]
    assert manifest_bytes(samples, HERE) == manifest_bytes(samples[::-1], HERE)


def test_words_that_look_like_missing_values_stay_words(tmp_path: Path) -> None:
    words = ["null", "NA", "nan", "None", "", "N/A", "true", "1e5", "-inf"]
    samples = [sample(id=f"a-{i}", path=tmp_path / "a.wav", transcript=word) for i, word in enumerate(words)]
    (tmp_path / "x.csv").write_bytes(manifest_bytes(samples, tmp_path))
    assert [one.transcript for one in read_manifest(tmp_path / "x.csv")] == words


def test_a_plain_deepspeech_csv_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(
        '\ufeffwav_filename,wav_filesize,transcript\r\n/abs/a.wav,10,one\r\nsub/a.wav,11,"two, three"\r\n',
        encoding="utf-8",
        newline="",
    )
    one, two = read_manifest(path)
    assert (one.id, one.path, one.size, one.transcript) == ("a", Path("/abs/a.wav"), 10, "one")
    assert (two.id, two.path, two.duration) == ("sub-a", tmp_path / "sub/a.wav", None)
    assert two.transcript == "two, three"


def test_a_data_set_can_be_moved(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(manifest_bytes([sample(path=tmp_path / "audio" / "a.wav")], tmp_path))
    moved = tmp_path.rename(tmp_path.with_name("elsewhere é"))
    assert read_manifest(moved / "x.csv")[0].path == moved / "audio" / "a.wav"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no column wav_filename"),
        ("path,text\na,b\n", "no column wav_filename"),
        ("wav_filename,wav_filesize,transcript\na.wav,1\n", "x.csv:2: 2 cells under 3 columns"),
        ("wav_filename,wav_filesize,transcript\na.wav,many,t\n", "x.csv:2: wav_filesize 'many'"),
        ("wav_filename,wav_filesize,transcript\n,1,t\n", "x.csv:2: wav_filename is empty"),
        ("wav_filename,wav_filesize,transcript,id\na.wav,1,t,a.b\n", "x.csv:2: id 'a.b'"),
        ("wav_filename,wav_filesize,transcript,id\na.wav,1,t,a\nb.wav,1,t,a\n", "x.csv:3: id a appears twice"),
        ("wav_filename,wav_filesize,transcript,duration\na.wav,1,t,long\n", "x.csv:2: duration .long. is not"),
        ("wav_filename,wav_filesize,transcript,duration\na.wav,1,t,-1\n", "x.csv:2: a: duration -1.0"),
        ("wav_filename,wav_filesize,transcript,duration\na.wav,1,t,1e306\n", "x.csv:2: a: duration 1e"),
        ('wav_filename,wav_filesize,transcript\na.wav,1,"t\n', "x.csv cannot be read"),
        ("wav_filename,wav_filesize,transcript,transcript\na.wav,1,t,u\n", "x.csv has two columns 'transcript'"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(DataError, match=told):
        read_manifest(tmp_path / "x.csv")


def test_a_missing_manifest_and_one_in_latin_1_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no manifest"):
        read_manifest(tmp_path / "x.csv")
    (tmp_path / "x.csv").write_bytes(b"wav_filename,wav_filesize,transcript\na.wav,1,caf\xe9\n")
    with pytest.raises(DataError, match="cannot be read as a manifest"):
        read_manifest(tmp_path / "x.csv")


def test_an_id_twice_is_not_written() -> None:
    with pytest.raises(DataError, match="id a-1 appears twice"):
        manifest_bytes([sample(), sample(path=HERE / "b.wav")], HERE)


@pytest.mark.parametrize(("frames", "text"), [(46797, "2.9248125"), (16000, "1"), (1, "0.0000625"), (0, "0")])
def test_seconds_are_exact_decimals(frames: int, text: str) -> None:
    assert seconds_text(frames / 16000) == text
    assert float(text) * 16000 == frames


def test_ids_of_names_that_are_all_alike_are_made_in_a_moment(tmp_path: Path) -> None:
    rows = "".join(f"音/{chr(0x4E00 + number)}.wav,1,t\n" for number in range(15_000))
    (tmp_path / "x.csv").write_text(f"wav_filename,wav_filesize,transcript\n{rows}", encoding="utf-8")
    began = time.process_time()
    ids = [one.id for one in read_manifest(tmp_path / "x.csv")]
    assert ids[:3] == ["clip", "clip-2", "clip-3"]
    assert ids[-1] == "clip-15000"
    assert time.process_time() - began < 4


def test_digests_are_a_column_where_there_are_any(tmp_path: Path) -> None:
    plain = Sample(id="a", path=tmp_path / "a.wav", size=1, transcript="t")
    known = Sample(id="b", path=tmp_path / "b.wav", size=1, transcript="t", sha256="0f" * 32, extras=(("z", "1"),))
    assert b"wav_sha256" not in manifest_bytes([plain], tmp_path)
    (tmp_path / "x.csv").write_bytes(manifest_bytes([plain, known], tmp_path))
    assert (tmp_path / "x.csv").read_text().splitlines()[0].endswith(",offset,wav_sha256,z")
    assert read_manifest(tmp_path / "x.csv") == [replace(plain, extras=(("z", ""),)), known]


def test_a_digest_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("wav_filename,wav_filesize,transcript,wav_sha256\na.wav,1,t,xyz\n")
    with pytest.raises(DataError, match=r"x\.csv:2: .*'xyz' is not 64 hexadecimal digits"):
        read_manifest(tmp_path / "x.csv")
