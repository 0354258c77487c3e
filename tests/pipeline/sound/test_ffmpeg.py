import io
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from dsprep.manifests import OutputError
from dsprep.pipeline.sound import ffmpeg, mp3
from dsprep.pipeline.sound.audio import Cut, NeedsFfmpeg, Truncated, Unreadable, decode, open_audio
from dsprep.pipeline.sound.mpeg import frame

pytestmark = pytest.mark.skipif(not ffmpeg.installed(), reason="ffmpeg is not installed")


@pytest.fixture
def tone(make: Any) -> Any:
    return make.tone(2.0)


def by_ffmpeg(pcm: Any, folder: Path, name: str, *options: str) -> bytes:
    soundfile.write(folder / "in.wav", pcm, 16_000)
    out = folder / name
    subprocess.run(["ffmpeg", "-v", "error", "-i", folder / "in.wav", *options, out], check=True, capture_output=True)
    return out.read_bytes()


def vbr_without_count() -> bytes:
    file, rng = io.BytesIO(), np.random.default_rng(0)
    sound = np.concatenate([rng.normal(0, 0.3, 16_000), np.zeros(32_000)])
    soundfile.write(file, sound, 16_000, format="MP3", bitrate_mode="VARIABLE", compression_level=0.5)
    data = file.getvalue()
    return data[frame(data).bytes :]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.m4a", ()),
        ("a.m4a", ("-movflags", "+faststart")),
        ("a.m4a", ("-c:a", "alac")),
        ("a.aac", ()),
        ("a.wma", ()),
        ("a.webm", ("-c:a", "libopus")),
        ("a.mka", ("-c:a", "pcm_s24le")),
        ("a.ac3", ("-ar", "48000")),
        ("a.wv", ()),
        ("a.wav", ("-c:a", "mp3")),
        ("a.ogg", ("-c:a", "flac")),
    ],
)
def test_what_libsndfile_does_not_read_is_decoded_nearly_whole(
    tone: Any, tmp_path: Path, name: str, options: tuple[str, ...]
) -> None:
    data = by_ffmpeg(tone, tmp_path, name, *options)
    with open_audio(io.BytesIO(data), len(data)) as audio:
        found: dict[int, Any] = dict(audio.cuts([Cut(), Cut(start=0.5, end=1.0), Cut(start=1.0, end=9.0)]))
    assert audio.decoder == f"ffmpeg {ffmpeg.version()}"
    assert 0 <= len(found[0]) - len(tone) < 3300 or name == "a.wma", "no less; encoders add what fills their frames"
    assert np.abs(found[0]).max() > 6000
    assert len(found[1]) == 8000
    assert isinstance(found[2], Unreadable)


def test_lossless_sound_passes_ffmpeg_unchanged(tone: Any, tmp_path: Path) -> None:
    assert np.array_equal(decode(by_ffmpeg(tone, tmp_path, "a.m4a", "-c:a", "alac")), tone)
    assert np.array_equal(decode(by_ffmpeg(tone, tmp_path, "a.mka", "-c:a", "pcm_s24le")), tone)


def test_a_flac_that_does_not_tell_its_length_is_read_whole(make: Any) -> None:
    pcm = make.tone(0.5)
    data = bytearray(make.flac(pcm))
    data[21:26] = bytes([data[21] & 0xF0, 0, 0, 0, 0])
    assert np.array_equal(decode(bytes(data)), pcm)


def test_an_mp3_without_a_true_count_is_read_whole() -> None:
    data = vbr_without_count()
    walked = mp3.walk(io.BytesIO(data), len(data))
    short, _ = soundfile.read(io.BytesIO(data))
    assert len(short) < walked.samples
    assert len(decode(data)) == walked.samples
    joined = decode(data + b"TAG" + bytes(125) + data)
    assert abs(len(joined) - 2 * walked.samples) < 1200


def test_an_mp3_for_ffmpeg_that_was_cut_off_is_named_as_such() -> None:
    data = vbr_without_count()
    with pytest.raises(Truncated, match="its last MP3 frame"):
        decode(data[:-10])


@pytest.mark.parametrize("name", ["a.m4a", "a.webm", "a.wma"])
def test_a_file_that_declares_more_than_is_there_is_cut_off(make: Any, tmp_path: Path, name: str) -> None:
    data = by_ffmpeg(make.tone(6.0), tmp_path, name, *(("-movflags", "+faststart") if name == "a.m4a" else ()))
    with pytest.raises(Unreadable, match=r"s are there|ffmpeg cannot read it: [^/]+$"):
        decode(data[: len(data) // 2])


@pytest.mark.parametrize("name", ["a.aac", "a.wv", "a.wma"])
def test_what_ends_in_the_middle_of_a_frame_is_refused(make: Any, tmp_path: Path, name: str) -> None:
    data = by_ffmpeg(make.tone(6.0), tmp_path, name)
    with pytest.raises(Unreadable):
        decode(data[: len(data) * 3 // 5])


def test_ffmpeg_that_is_killed_says_nothing_of_the_audio(
    make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An import that runs out of memory must not take that for damage of a clip."""
    data = by_ffmpeg(make.tone(1.0), tmp_path, "a.m4a")
    there = shutil.which("ffprobe")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "ffprobe").symlink_to(str(there))
    killed = tmp_path / "bin" / "ffmpeg"
    killed.write_text('#!/bin/sh\n[ "$1" = -version ] || kill -9 $$\n')
    killed.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin")
    with pytest.raises(OutputError, match="ffmpeg was killed by signal 9"):
        decode(data)


def test_ffmpeg_that_does_not_run_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ffmpeg", "ffprobe"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not ffmpeg.installed()


def test_what_ffmpeg_cannot_read_is_refused_with_its_words() -> None:
    with pytest.raises(Unreadable, match=r"ffmpeg cannot read it: .+"):
        decode(b"\0\0\0\x20ftypM4A " + b"nonsense" * 100)


@pytest.mark.parametrize("hidden", ["ffmpeg", "ffprobe", "both"])
def test_without_ffmpeg_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, hidden: str) -> None:
    for name in {"ffmpeg", "ffprobe"} - {hidden} if hidden != "both" else ():
        (tmp_path / name).touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not ffmpeg.installed()
    with pytest.raises(NeedsFfmpeg, match=r"m4a needs ffmpeg: install it \(apt install ffmpeg, .* same command"):
        decode(b"\0\0\0\x20ftypM4A " + b"\0" * 100)


def test_nothing_is_loaded_of_pydub_until_it_is_needed() -> None:
    code = "import sys, dsprep.pipeline.sound.audio; print('pydub' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "False\n"


def test_no_cut_is_made_where_ffmpeg_left_out_a_stretch(tmp_path: Path) -> None:
    sound = np.random.default_rng(0).integers(-9000, 9000, 160_000).astype(np.int16)
    data = by_ffmpeg(sound, tmp_path, "a.webm", "-c:a", "libopus")
    middle = len(data) * 2 // 5
    with pytest.raises(Truncated, match="s are there"):
        decode(data[:middle] + bytes(2000) + data[middle + 2000 :], start=7.0, end=8.0)


def test_what_ffmpeg_says_is_the_same_each_time(tone: Any, tmp_path: Path) -> None:
    data = by_ffmpeg(tone, tmp_path, "a.wav", "-c:a", "g722")
    said = []
    for _ in range(2):
        with pytest.raises(Unreadable, match="ffmpeg cannot read it") as caught:
            decode(data)
        said.append(str(caught.value))
    assert said[0] == said[1]
    assert "0x" not in said[0]
