"""How long a clip is said to be is as long as it decodes; where decoding refuses, so does its length."""

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import soundfile

from dsprep.pipeline.sound.audio import decode
from dsprep.pipeline.sound.length import exact_seconds
from dsprep.pipeline.sound.plain import wav_header
from dsprep.pipeline.sound.unreadable import Unreadable

WAVE = 0.1 * np.random.default_rng(3).standard_normal((1000, 2))


def made(form: str, subtype: str | None = None, rate: int = 16_000, channels: int = 1) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, WAVE[:, :channels], rate, format=form, subtype=subtype)
    return file.getvalue()


def with_list(wav: bytes, count: int) -> bytes:
    """A WAV with so many bytes of remarks before its sound, as ffmpeg writes some."""
    size = 8 + count + count % 2
    head = wav[:4] + (int.from_bytes(wav[4:8], "little") + size).to_bytes(4, "little") + wav[8:36]
    return head + b"LIST" + count.to_bytes(4, "little") + b"x" * (size - 8) + wav[36:]


PLAIN = wav_header(2000) + bytes(2000)
FILES = {
    "ours": PLAIN,
    "pcm24 stereo": made("WAV", "PCM_24", 44_100, 2),
    "float": made("WAV", "FLOAT", 8_000),
    "extensible": made("WAVEX", "PCM_16", 16_000, 2),
    "mu-law": made("WAV", "ULAW", 8_000),
    "ima adpcm": made("WAV", "IMA_ADPCM"),
    "ms adpcm": made("WAV", "MS_ADPCM"),
    "gsm": made("WAV", "GSM610", 8_000),
    "remarks": with_list(PLAIN, 27),
    "remarks beyond the head": with_list(PLAIN, 5000),
    "streamed": PLAIN[:4] + b"\xff" * 4 + PLAIN[8:40] + b"\xff" * 4 + PLAIN[44:],
    "size never set": PLAIN[:4] + bytes(4) + PLAIN[8:40] + bytes(4) + PLAIN[44:],
    "half a frame more": PLAIN[:4] + b"\xf5\7\0\0" + PLAIN[8:40] + b"\xd1\7\0\0" + bytes(2002),
    "more is promised": PLAIN[:4] + (2046).to_bytes(4, "little") + PLAIN[8:],
    "more sound is promised": PLAIN[:40] + (2010).to_bytes(4, "little") + PLAIN[44:],
    "big endian": b"RIFX" + PLAIN[4:],
    "aiff": made("AIFF"),
    "caf": made("CAF"),
    "au": made("AU"),
    "mp3": made("MP3"),
    "ogg": made("OGG"),
    "rate of 1 Hz": PLAIN[:24] + (1).to_bytes(4, "little") + PLAIN[28:],
    "nothing": b"",
    "noise": b"noise" * 99,
}


def seconds(data: bytes) -> float | None:
    """What is said of audio that lies within a file, or None if it is refused."""
    file = io.BytesIO(b"before" + data + b"after")
    file.seek(len(b"before"))
    try:
        return exact_seconds(file, len(data))
    except Unreadable:
        return None


def decoded(data: bytes) -> float | None:
    try:
        return len(decode(data)) / 16_000
    except Unreadable:
        return None


def cuts(data: bytes) -> Iterator[bytes]:
    yield data
    yield data[:-2]
    for size in range(0, len(data), max(1, len(data) // 60)):
        yield data[:size]


@pytest.mark.parametrize("name", FILES)
def test_length_and_decoding_agree_for_whole_files_and_those_cut_off_anywhere(name: str) -> None:
    for data in cuts(FILES[name]):
        assert seconds(data) == pytest.approx(decoded(data), abs=1.01 / 16_000), len(data)


def test_flac_tells_it_first_and_is_believed() -> None:
    data = made("FLAC", rate=44_100)
    assert seconds(data) == 1000 / 44_100
    assert seconds(data[:100]) == 1000 / 44_100, "what is missing further on is found when it is decoded"
    assert [seconds(data[:size]) for size in (0, 4, 20, 42)] == [None] * 4


def test_few_bytes_of_a_long_file_are_read() -> None:
    class Counting(io.BytesIO):
        count = 0

        def read(self, size: Any = -1) -> bytes:
            data = super().read(size)
            self.count += len(data)
            return data

    long = wav_header(1 << 22) + bytes(1 << 22)
    for data in (long, with_list(long, 27), made("FLAC") + bytes(1 << 22)):
        file = Counting(data)
        assert exact_seconds(file, len(data)) > 0
        assert file.count <= 4096
