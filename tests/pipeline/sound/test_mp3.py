import io
import shutil
import struct
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from dsprep.pipeline.sound import mp3
from dsprep.pipeline.sound.audio import decode
from dsprep.pipeline.sound.mp3 import Mp3, estimate
from dsprep.pipeline.sound.mpeg import frame
from dsprep.pipeline.sound.unreadable import Unreadable

ID3V2 = b"ID3\4\0\0\0\0\0\x14" + b"T" * 20
ID3V1 = b"TAG" + b"\0" * 125
APE = b"APETAGEX" + struct.pack("<IIII", 2000, 40, 1, 0) + b"\0" * 8 + b"i" * 8


def walk(data: bytes) -> Mp3:
    return mp3.walk(io.BytesIO(data), len(data))


def mp3_of(samples: Any, rate: int = 16_000, mode: str = "CONSTANT") -> bytes:
    """Written by libsndfile, with a tag of LAME's in its first frame."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="MP3", bitrate_mode=mode, compression_level=0.5)
    return file.getvalue()


def untagged(data: bytes) -> bytes:
    """Without the first frame, which is the tag."""
    first = frame(data)
    assert first
    return data[first.bytes :]


def swept(make: Any, rate: int = 16_000) -> Any:
    """Two seconds whose bit rate must change: a loud one, a silent one."""
    return np.concatenate([make.tone(1.0, rate=rate), np.zeros(rate, np.int16)])


@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000])
def test_the_walk_tells_how_many_samples_libsndfile_decodes(make: Any, rate: int, channels: int, mode: str) -> None:
    data = mp3_of(np.stack([make.tone(0.5, rate=rate)] * channels, 1), rate, mode)
    walked = walk(data)
    samples, _ = soundfile.read(io.BytesIO(data))
    assert walked.samples == len(samples) == round(0.5 * rate)
    assert (walked.rate, walked.channels) == (rate, channels)
    assert walked.promised == walked.frames
    assert walked.counted
    assert not walked.shortfall()


def test_without_a_count_a_constant_rate_is_trusted_and_a_changing_one_is_not(make: Any) -> None:
    for mode, trusted in (("CONSTANT", True), ("VARIABLE", False)):
        data = untagged(mp3_of(swept(make), mode=mode))
        samples, _ = soundfile.read(io.BytesIO(data))
        assert walk(data).promised is None
        assert walk(data).counted is trusted
        assert (len(samples) == walk(data).samples) is trusted, "libsndfile does see all of it, or does not"


def vbri(data: bytes) -> bytes:
    """With a VBRI tag in place of LAME's."""
    body, frames = untagged(data), walk(data).frames
    first = frame(body)
    assert first
    tag = struct.pack(">4sHHHII", b"VBRI", 1, 0, 0, len(body), frames)
    return (body[:4].ljust(36, b"\0") + tag).ljust(first.bytes, b"\0") + body


@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
def test_a_vbri_tag_counts_frames_but_not_for_libsndfile(make: Any, mode: str) -> None:
    data = mp3_of(swept(make), mode=mode)
    walked = walk(vbri(data))
    assert (walked.promised, walked.frames, walked.trim) == (walk(data).frames, walk(data).frames, 0)
    assert not walked.counted
    samples, _ = soundfile.read(io.BytesIO(vbri(data)))
    assert len(samples) != walked.samples
    assert walk(vbri(data)[:-1]).shortfall()


def test_tags_around_the_frames_change_nothing_but_where_they_begin(make: Any) -> None:
    data = mp3_of(make.tone(0.5))
    for before, after in (
        (ID3V2, b""),
        (ID3V2 * 2, ID3V1),
        (b"", APE + ID3V1),
        (b"\0" * 100, b"\0" * 5000),
        (b"", ID3V2),
    ):
        walked = walk(before + data + after)
        assert (walked.begin, walked.end) == (len(before), len(before) + len(data))
        assert walked.samples == walk(data).samples
        assert not walked.shortfall()
        assert walked.counted


def test_a_stream_cut_anywhere_is_known_by_its_count(make: Any) -> None:
    data = mp3_of(swept(make), mode="VARIABLE")
    first = frame(data).bytes  # type: ignore[union-attr]
    for size in (*range(first, len(data), 7), len(data) - 1):
        assert walk(data[:size]).shortfall(), size
    for size in range(first):
        with pytest.raises(Unreadable):
            decode(data[:size])


def test_a_stream_without_a_count_is_known_to_be_cut_within_a_frame_but_not_between_two(make: Any) -> None:
    data = untagged(mp3_of(make.tone(1.0)))
    step = frame(data).bytes  # type: ignore[union-attr]
    assert len(data) % step == 0
    for size in range(5 * step, 6 * step):
        assert bool(walk(data[:size]).shortfall()) is (size % step > 0)


def test_what_is_no_frame_is_refused_unless_it_follows_all_that_are_counted(make: Any) -> None:
    data = mp3_of(make.tone(1.0))
    assert not walk(data + b"left over").shortfall()
    with pytest.raises(Unreadable, match="damaged MP3: 9 bytes"):
        walk(untagged(data) + b"left over").shortfall()
    broken = bytearray(data)
    third = 3 * frame(data).bytes  # type: ignore[union-attr]
    broken[third : third + 2] = b"??"
    with pytest.raises(Unreadable, match=f"from byte {third} on"):
        walk(bytes(broken)).shortfall()


def test_two_files_in_one_are_seen(make: Any) -> None:
    data = mp3_of(make.tone(0.5))
    frames = walk(data).frames
    for joint in (b"", ID3V1 + ID3V2):
        walked = walk(data + joint + data)
        assert walked.frames == 2 * frames + 1, "the second one's tag counts as a frame here"
        assert not walked.counted


def test_free_format_and_other_bytes_are_refused_by_name() -> None:
    with pytest.raises(Unreadable, match="free format"):
        walk(b"\xff\xfb\x04\xc4" + b"\0" * 500)
    for data in (b"", b"\xff", b"ID3", b"ID3" + b"\xff" * 400, ID3V2 + b"text and more text", ID3V2):
        with pytest.raises(Unreadable, match="no MP3"):
            walk(data)


def test_a_walk_in_small_blocks_is_the_same_walk(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = mp3_of(make.tone(1.0), 44_100)
    streams = [whole, whole[:-3], whole + ID3V1 + whole, untagged(whole) + b"junk", untagged(whole)[:-1] + b"\xff\xfb"]
    expected = [walk(data) for data in streams]
    for block in (3, 4, 5, 100, 417, 418, 1000):
        monkeypatch.setattr(mp3, "BLOCK", block)
        assert [walk(data) for data in streams] == expected, block


def test_the_head_tells_about_how_long_it_is(make: Any) -> None:
    for mode in ("CONSTANT", "VARIABLE"):
        data = mp3_of(swept(make), mode=mode)
        assert estimate(data[:4096], len(data)) == pytest.approx(2.0, abs=0.15)
    assert estimate(b"text", 4) is None


LAYER_II = ["ffmpeg", "-v", "error", "-i", "{wav}", "-f", "mp2", "{out}"]
WRITERS: dict[str, list[str]] = {
    "lame, constant": ["lame", "--quiet", "-b", "64", "{wav}", "{out}"],
    "lame, constant, no tag": ["lame", "--quiet", "-t", "-b", "64", "{wav}", "{out}"],
    "lame, average": ["lame", "--quiet", "--abr", "60", "{wav}", "{out}"],
    "lame, changing, checksums": ["lame", "--quiet", "-p", "-V", "4", "{wav}", "{out}"],
    "sox": ["sox", "{wav}", "-t", "mp3", "{out}"],
    "ffmpeg": ["ffmpeg", "-v", "error", "-i", "{wav}", "-f", "mp3", "{out}"],
    "ffmpeg, layer II": LAYER_II,
}


@pytest.mark.parametrize("rate", [16_000, 44_100])
@pytest.mark.parametrize("name", WRITERS)
def test_every_encoder_s_samples_are_counted(make: Any, tmp_path: Path, name: str, rate: int) -> None:
    command = WRITERS[name]
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not installed")
    wav, out = tmp_path / "a.wav", tmp_path / "a.mp3"
    soundfile.write(wav, np.stack([make.tone(1.0, rate=rate)] * 2, 1), rate)
    fill: Callable[[str], str] = lambda word: word.format(wav=wav, out=out)  # noqa: E731
    subprocess.run([fill(word) for word in command], check=True, capture_output=True)
    walked = walk(out.read_bytes())
    assert walked.counted
    assert not walked.shortfall()
    samples, _ = soundfile.read(io.BytesIO(out.read_bytes()[walked.begin : walked.end]))
    assert len(samples) == walked.samples


def test_every_real_clip_is_whole_and_counted(real: Path) -> None:
    (archive,) = (real / "commonvoice").glob("*.tar.gz")
    clips = 0
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.name.endswith(".mp3") and (file := tar.extractfile(member)):
                data = file.read()
                walked = walk(data)
                assert walked.counted, member.name
                assert not walked.shortfall(), member.name
                if clips % 20 == 0:
                    samples, _ = soundfile.read(io.BytesIO(data))
                    assert len(samples) == walked.samples, member.name
                clips += 1
    assert clips > 100
