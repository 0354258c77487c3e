"""Tempo by the real sox: lengths, pitch, the same bytes each time; without sox it is told before anything begins."""

import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dsprep.manifests import MissingExtraError, TrainingError
from dsprep.trainer.augment import tempo as module
from dsprep.trainer.augment.tempo import require_sox, tempo

SOX = shutil.which("sox")
needs_sox = pytest.mark.skipif(SOX is None, reason="sox is not installed")


@needs_sox
@pytest.mark.parametrize("factor", [0.5, 0.85, 0.9999999, 1.0, 1.043712345, 1.15, 1.5])
def test_tempo_divides_the_length_of_clips_of_any_length(make: Any, factor: float) -> None:
    require_sox()
    for length in (1, 2, 3, 10, 777, 16_000):
        found = tempo(make.tone(1.0)[:length], factor)
        assert found.dtype == np.int16
        assert abs(len(found) - length / factor) <= 1


@needs_sox
@pytest.mark.parametrize("factor", [0.85, 1.15])
def test_tempo_keeps_the_pitch_and_the_loudness(make: Any, factor: float) -> None:
    pcm = make.tone(2.0, 500.0)
    found = tempo(pcm, factor).astype(np.float64)
    peak = np.abs(np.fft.rfft(found * np.hanning(len(found)))).argmax() * 16_000 / len(found)
    assert peak == pytest.approx(500, abs=2)
    assert np.square(found).mean() == pytest.approx(np.square(pcm.astype(np.float64)).mean(), rel=0.05)


@needs_sox
def test_tempo_gives_the_same_bytes_each_time_and_says_nothing(
    make: Any, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    require_sox()
    with caplog.at_level(logging.DEBUG):
        assert len({tempo(make.tone(1.0), 1.05).tobytes() for _ in range(5)}) == 1
    assert not [one for one in caplog.records if one.name == "sox"]
    assert capfd.readouterr() == ("", "")


@needs_sox
@pytest.mark.parametrize("fate", [f'{SOX} "$@" | head -c 2000; exit 0', "kill -INT $$", "exit 3"])
def test_a_sox_that_is_interrupted_is_asked_again(
    tmp_path: Path, make: Any, monkeypatch: pytest.MonkeyPatch, fate: str
) -> None:
    """Ctrl-C reaches it too; it then writes what it has, or nothing, while training ends its step in order."""
    expected = tempo(make.tone(1.0), 1.1)
    write_sox(tmp_path, f'if [ ! -e {tmp_path}/tried ]; then touch {tmp_path}/tried; {fate}; else {SOX} "$@"; fi')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert np.array_equal(tempo(make.tone(1.0), 1.1), expected)
    assert (tmp_path / "tried").exists()


@needs_sox
@pytest.mark.parametrize(("fate", "told"), [("echo broken >&2; exit 1", "broken"), ("cat", "it stopped early")])
def test_a_sox_that_fails_again_and_again_is_told(
    tmp_path: Path, make: Any, monkeypatch: pytest.MonkeyPatch, fate: str, told: str
) -> None:
    write_sox(tmp_path, fate)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(TrainingError, match=rf"sox cannot change the tempo: .*{told}.*augment\.tempo=0"):
        tempo(make.tone(1.0), 1.1)


@needs_sox
def test_a_sox_that_is_taken_away_is_told(
    tmp_path: Path, make: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    require_sox()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TrainingError, match="sox cannot change the tempo"):
        tempo(make.tone(1.0), 1.1)
    assert capfd.readouterr() == ("", "")


@needs_sox
def test_a_sox_that_hangs_is_stopped_and_told(tmp_path: Path, make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    require_sox()
    write_sox(tmp_path, f"echo $$ > {tmp_path}/id; exec sleep 60")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.5)
    with pytest.raises(TrainingError, match=r"did not end in 0\.5 s and was stopped: .*augment\.tempo=0") as caught:
        tempo(make.tone(1.0), 1.1)
    assert "\n" not in str(caught.value)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "id").read_text()), 0)


@pytest.mark.parametrize("question", ["--version", "-h"])
def test_a_sox_that_does_not_answer_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, question: str) -> None:
    write_sox(tmp_path, f'[ "$1" != {question} ] || exec sleep 60')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.5)
    with pytest.raises(MissingExtraError, match=r"needs the program sox"):
        require_sox()


@pytest.mark.parametrize("script", ["", "exit 1"])
def test_without_sox_it_is_said_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], script: str
) -> None:
    if script:
        write_sox(tmp_path, script)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingExtraError, match=r"augment\.tempo needs the program sox: install it \(apt install sox"):
        require_sox()
    assert capfd.readouterr() == ("", "")


def test_without_pysox_it_is_said_how_to_get_it() -> None:
    """In a process that finds no further packages."""
    code = (
        "import sys\n"
        "from dsprep.manifests import MissingExtraError\n"
        "from dsprep.trainer.augment.tempo import require_sox\n"
        "sys.meta_path = [one for one in sys.meta_path if 'Path' not in repr(one)]\n"
        "sys.path_importer_cache.clear()\n"
        "try: require_sox()\n"
        "except MissingExtraError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "augment.tempo needs pysox: pip install sox (dsprep's extra 'tempo')\n"


def write_sox(home: Path, script: str) -> None:
    """A program of that name."""
    (home / "sox").write_text(f"#!/bin/sh\n{script}\n")
    (home / "sox").chmod(0o755)
