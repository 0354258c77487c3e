"""What an import asks before the first byte of audio is written: programs and room."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dsprep.importers import CORPORA
from dsprep.manifests import OutputError, UsageError, read_manifest
from dsprep.pipeline.importing import import_corpus
from dsprep.pipeline.job import job
from dsprep.pipeline.report import ImportReport

LINES = b"T 1 ann 0.00 0.50 half a second\nU 1 ann 0.00 0.50 more\n"


def go(source: Path, out: Path, **wishes: Any) -> ImportReport:
    return import_corpus(job(CORPORA["stm"], sources=[str(source)], **wishes), out, 1)


@pytest.fixture(scope="module")
def m4a(tmp_path_factory: pytest.TempPathFactory, make: Any) -> bytes:
    if not (shutil.which("ffmpeg") and shutil.which("ffprobe")):
        pytest.skip("ffmpeg is not installed")
    home = tmp_path_factory.mktemp("m4a")
    (home / "a.flac").write_bytes(make.flac(make.tone(1.0)))
    command = ["ffmpeg", "-loglevel", "error", "-i", str(home / "a.flac"), str(home / "a.m4a")]
    subprocess.run(command, check=True)
    return (home / "a.m4a").read_bytes()


def test_ffmpeg_that_is_missing_is_told_before_work_begins_and_taken_when_it_is_there(
    tmp_path: Path, make: Any, m4a: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Content tells what needs it: the talk is called .wav."""
    source = make.folder(tmp_path / "in", {"T.stm": LINES, "T.wav": m4a, "U.flac": make.flac(make.tone(1.0))})
    out = tmp_path / "out"
    with monkeypatch.context() as bare:
        bare.setenv("PATH", str(tmp_path))
        with pytest.raises(UsageError, match=r"1 audio files, as in/T\.wav, need ffmpeg: install it"):
            go(source, out)
        assert not (out / "audio").exists()
        (without,) = go(source, out, without_ffmpeg=True).parts
        assert without.reasons == {"no-decoder": 1}
        (again,) = go(source, out, without_ffmpeg=True).parts
        assert again.facts() == without.facts()
    report = go(source, out)
    assert report.parts[0].reasons == {}
    assert {decoder.split()[0] for decoder in report.decoders} == {"ffmpeg", "libsndfile"}
    fresh = tmp_path / "fresh"
    go(source, fresh)
    assert make.tree(out) == make.tree(fresh)
    assert len(read_manifest(out / "stm.csv")) == 2


def test_a_disk_that_will_not_hold_the_result_is_told(tmp_path: Path, make: Any) -> None:
    """Headers of FLAC may promise 137 GB of WAV each."""
    lines, members = [], {}
    for number in range(100):
        data = bytearray(make.flac(make.tone(0.1)))
        data[21] |= 0x0F
        data[22:26] = b"\xff" * 4
        members[f"T{number}.flac"] = bytes(data)
        lines.append(f"T{number} 1 ann 0.00 4000000 long\n")
    members["T.stm"] = "".join(lines).encode()
    out = tmp_path / "out"
    with pytest.raises(OutputError, match=r"about 12800\.0 GB will be written, \d+\.\d GB are free: make room"):
        go(make.folder(tmp_path / "in", members), out)
    assert not (out / "audio").exists()
