"""The shortest way to a clip's sound, and `decode`, agree on every clip, sound or not."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from dsprep.manifests import DataError, Sample
from dsprep.pipeline.pcm import read_pcm
from dsprep.pipeline.reading import Reader
from dsprep.pipeline.sound.audio import Pcm, Unreadable, decode, encode
from dsprep.pipeline.sound.plain import wav_header


def written(data: bytes, home: Path, offset: int | None = None) -> Sample:
    """A sample of these bytes: a file of its own, or that many bytes into one."""
    path = home / "audio"
    path.write_bytes(bytes(offset or 0) + data + b"\1" * 512 * (offset is not None))
    return Sample(id="x", path=path, size=len(data), transcript="", offset=offset)


def heard(sample: Sample, room: Pcm | None) -> Pcm | None:
    with Reader() as reader:
        try:
            return read_pcm(sample, reader, room)
        except DataError:
            return None


def decoded(data: bytes) -> Pcm | None:
    try:
        pcm = decode(data)
    except Unreadable:
        return None
    return pcm if len(pcm) else None


def same(one: Pcm | None, other: Pcm | None) -> bool:
    return one is other is None or (one is not None and other is not None and np.array_equal(one, other))


def coded(pcm: NDArray[Any], rate: int = 16_000, *, form: str, subtype: str | None = None) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, pcm, rate, subtype, format=form)
    return file.getvalue()


@pytest.mark.parametrize("offset", [None, 512])
@pytest.mark.parametrize("form", ["wav", "flac"])
def test_what_dsprep_wrote_goes_straight_into_the_room(
    tmp_path: Path, make: Any, form: str, offset: int | None
) -> None:
    pcm = make.tone(0.3)
    room = np.full(len(pcm), 77, np.int16)
    with Reader() as reader:
        assert read_pcm(written(bytes(encode(pcm, form)), tmp_path, offset), reader, room) is room
    assert np.array_equal(room, pcm)


def test_any_audio_and_any_room_give_what_decode_gives(tmp_path: Path, make: Any) -> None:
    pcm = make.tone(0.3)
    fine = pcm.astype(np.int32) * 65_536 + np.arange(len(pcm), dtype=np.int32) % 256 * 256
    clips = [
        bytes(encode(pcm, "wav")),
        bytes(encode(pcm, "flac")),
        bytes(encode(pcm[:1], "flac")),
        make.mp3(make.tone(0.3, rate=48_000)),
        coded(pcm, 8000, form="WAV"),
        coded(pcm, 44_100, form="FLAC"),
        coded(fine, form="FLAC", subtype="PCM_24"),
        coded(pcm, form="WAV", subtype="PCM_U8"),
        coded(np.stack([pcm, pcm], 1), form="WAV"),
        coded(np.stack([pcm, -pcm], 1), form="FLAC"),
        coded(pcm, form="OGG", subtype="OPUS"),
        wav_header(len(pcm) * 2) + pcm.tobytes() + b"odd",
        b"",
        b"fLaC",
        b"RIFF" + bytes(40),
        wav_header(0),
        wav_header(8) + bytes(4),
    ]
    for data in clips:
        sound = decoded(data)
        for length in (None, 0, 1, 4, len(pcm) - 1, len(pcm), len(pcm) + 1, max(0, len(data) - 44) // 2):
            room = None if length is None else np.empty(length, np.int16)
            assert same(heard(written(data, tmp_path, 100), room), sound), (data[:12], length)


@pytest.mark.parametrize("form", ["wav", "flac"])
def test_damaged_clips_are_refused_or_read_just_as_decode_does(tmp_path: Path, make: Any, form: str) -> None:
    pcm = make.tone(0.1)
    whole = bytes(encode(pcm, form))
    chance = np.random.default_rng(0)
    for _ in range(50):
        damaged = bytearray(whole)
        damaged[chance.integers(min(len(whole), chance.choice([50, len(whole)])))] ^= 1 << chance.integers(8)
        assert same(heard(written(bytes(damaged), tmp_path), np.empty(len(pcm), np.int16)), decoded(bytes(damaged)))
    for size in range(1, len(whole), 97):
        assert same(heard(written(whole[:size], tmp_path), np.empty(len(pcm), np.int16)), decoded(whole[:size]))


def test_a_clip_that_cannot_be_read_is_told_with_its_file_and_byte(tmp_path: Path, make: Any) -> None:
    wav, room = bytes(encode(make.tone(0.1), "wav")), np.empty(1600, np.int16)
    for data, what in ((b"nothing" * 9, "it is no audio"), (wav[:44], "44 of 3244 bytes"), (wav_header(0), "no sound")):
        with Reader() as reader, pytest.raises(DataError, match=rf"^x: .*audio at byte 512\b.*{what}"):
            read_pcm(written(data, tmp_path, 512), reader, room)
    sample = written(wav, tmp_path, 512)
    sample.path.write_bytes(bytes(512) + wav[:1000])
    with Reader() as reader, pytest.raises(DataError, match=r"x: .*has 1000 of .* 3244 bytes from byte 512"):
        read_pcm(sample, reader, room)
