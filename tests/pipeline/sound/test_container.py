import io
import shutil
import subprocess
from typing import Any

import numpy as np
import pytest
import soundfile

from dsprep.pipeline.sound.audio import Truncated, Unreadable, decode, encode


def file_of(samples: Any, form: str, subtype: str = "PCM_16", endian: str = "FILE") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, 16_000, format=form, subtype=subtype, endian=endian)
    return file.getvalue()


def streamed(pcm: Any, riff: int, data: int) -> bytes:
    """A WAV whose two sizes are these, whatever is there."""
    wav = bytearray(encode(pcm, "wav"))
    wav[4:8], wav[40:44] = riff.to_bytes(4, "little"), data.to_bytes(4, "little")
    return bytes(wav)


@pytest.mark.parametrize("form", ["WAV", "WAVEX", "RF64", "AIFF", "AU", "CAF"])
def test_a_file_that_lost_its_end_is_named_as_cut_off_at_every_length(make: Any, form: str) -> None:
    data = file_of(make.tone(0.1), form)
    for size in range(len(data) - 3000, len(data) - 1, 7):
        with pytest.raises(Truncated, match=f"{size} of"):
            decode(data[:size])


@pytest.mark.parametrize("form", ["WAV", "RF64", "AIFF", "AU", "CAF"])
def test_a_file_that_lost_all_but_some_of_its_header_is_refused(make: Any, form: str) -> None:
    data = file_of(make.tone(0.1), form)
    for size in range(len(data) - 3200):
        with pytest.raises(Unreadable):
            decode(data[:size])


def test_a_flac_cut_within_its_metadata_is_named_as_cut_off(make: Any) -> None:
    data = make.flac(make.tone(0.5))
    frames = data.index(b"\xff\xf8")
    for size in range(26, frames):
        with pytest.raises(Truncated):
            decode(data[:size])
    with pytest.raises(Truncated, match="0 of 8000 frames are there"):
        decode(data[: frames + 10])


@pytest.mark.parametrize("riff", [0, 36, 0x7FFF_F024, 0xFFFF_FFFF])
@pytest.mark.parametrize("data", [0, 0x7FFF_F000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF])
def test_a_wav_written_into_a_pipe_is_read_to_its_end(make: Any, riff: int, data: int) -> None:
    pcm = make.tone(0.1)
    assert np.array_equal(decode(streamed(pcm, riff, data)), pcm)


def test_a_wav_written_into_a_pipe_is_read_to_its_end_where_it_lies(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dsprep.pipeline.sound.stream.SMALL", 100)
    pcm = make.tone(0.1)
    assert np.array_equal(decode(streamed(pcm, 0, 0)), pcm)


def test_an_empty_wav_is_empty_even_if_something_follows_its_sound() -> None:
    empty = encode(np.empty(0, np.int16), "wav")
    assert len(decode(bytes(empty))) == 0
    tagged = bytearray(bytes(empty) + b"LIST\4\0\0\0INFO")
    tagged[4] += 12
    assert len(decode(bytes(tagged))) == 0


@pytest.mark.parametrize(
    "writer",
    ["ffmpeg -v error -f s16le -ar 16000 -ac 1 -i - -f wav -", "sox -t raw -r 16000 -b 16 -e signed -c 1 - -t wav -"],
)
def test_what_writers_pipe_is_read_to_its_end(make: Any, writer: str) -> None:
    if not shutil.which(writer.split()[0]):
        pytest.skip(f"{writer.split()[0]} is not installed")
    pcm = make.tone(0.3)
    data = subprocess.run(writer.split(), check=True, capture_output=True, input=pcm.tobytes()).stdout
    assert int.from_bytes(data[4:8], "little") > len(data), "it could not go back to tell the size"
    assert np.array_equal(decode(data), pcm)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"])
@pytest.mark.parametrize("endian", ["LITTLE", "BIG"])
def test_every_depth_of_a_wav_in_both_orders_is_its_sound(make: Any, subtype: str, endian: str) -> None:
    pcm = make.tone(0.2)
    data = file_of(pcm.astype(np.float32) / 32768, "WAV", subtype, endian)
    assert data[:4] == (b"RIFF" if endian == "LITTLE" else b"RIFX")
    tolerance = {"PCM_U8": 256, "ULAW": 512, "ALAW": 512}.get(subtype, 0)
    assert np.abs(decode(data).astype(int) - pcm).max() <= tolerance
