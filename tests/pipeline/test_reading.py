import os
from pathlib import Path

import pytest

from dsprep.manifests import DataError, Sample
from dsprep.pipeline import reading
from dsprep.pipeline.reading import Reader, audio_bytes


def sample(path: Path, size: int, offset: int | None = None) -> Sample:
    return Sample(id="x", path=path, size=size, transcript="", offset=offset)


def descriptors() -> int:
    """Files that this process has open; 0 where the system does not tell."""
    here = Path("/proc/self/fd")
    return len(list(here.iterdir())) if here.exists() else 0


def test_a_sample_is_its_file_or_a_stretch_of_one(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"0123456789")
    with Reader() as reader:
        assert reader.read(sample(tmp_path / "x", 10)) == b"0123456789"
        assert reader.read(sample(tmp_path / "x", 3, 4)) == b"456"


def test_more_tars_than_the_table_holds_are_read_and_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "TABLE", 3)
    for number in range(9):
        (tmp_path / f"{number}").write_bytes(b"%d" % number)
    before = descriptors()
    with Reader() as reader:
        for number in [*range(9), *range(9)]:
            assert reader.read(sample(tmp_path / f"{number}", 1, 0)) == b"%d" % number
        if before:
            assert descriptors() == before + 3
    if before:
        assert descriptors() == before


def test_what_is_no_file_is_told_and_waits_for_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, what in (("pipe", "it is not a file"), ("", "Is a directory|it is not a file"), ("gone", "No such file")):
        with pytest.raises(DataError, match=f"x: cannot read .*: ({what})"):
            audio_bytes(sample(tmp_path / name, 1))


def test_fewer_bytes_than_the_manifest_says_are_told(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"012")
    with pytest.raises(DataError, match="has 2 of the manifest's 3 bytes"):
        audio_bytes(sample(tmp_path / "x", 3, 1))
    with pytest.raises(DataError, match="cannot read"):
        audio_bytes(sample(tmp_path / "x", 3, 2**70))
    with pytest.raises(DataError, match=f"has 3 of the manifest's {2**60} bytes"):
        audio_bytes(sample(tmp_path / "x", 2**60))


def test_fetching_tells_where_a_file_goes_on(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"0123456789")
    with Reader() as reader:
        assert reader.fetch(sample(tmp_path / "x", 3)) == b"0123"
        assert reader.fetch(sample(tmp_path / "x", 10)) == b"0123456789"
        assert reader.fetch(sample(tmp_path / "x", 3, 8)) == b"89"
        with pytest.raises(FileNotFoundError):
            reader.fetch(sample(tmp_path / "y", 3))
