"""A pipe carries raw samples or a WAV, in whatever bits they come."""

import io
import struct
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from dsprep.manifests import DataError
from dsprep.pipeline.sound.audio import Pcm, decode
from dsprep.trainer.transcribing.pipe import AT_ONCE, pcm_from


class Bits:
    """A file that gives so many bytes at a time."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self.data, self.sizes = data, sizes

    def read1(self, size: int, /) -> bytes:
        count = min(size, self.sizes.pop() if self.sizes else 4096)
        given, self.data = self.data[:count], self.data[count:]
        return given


def heard(data: bytes, sizes: list[int] | None = None) -> Pcm:
    return np.concatenate([np.zeros(0, np.int16), *pcm_from(Bits(data, sizes or []))])


def samples(count: int) -> Pcm:
    return np.random.default_rng(count).normal(0, 3000, count).astype(np.int16)


def wav(pcm: Any, rate: int, subtype: str = "PCM_16", form: str = "WAV") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, pcm, rate, format=form, subtype=subtype)
    return file.getvalue()


@given(count=st.integers(0, 20_000), sizes=st.lists(st.integers(1, 5000), max_size=30), odd=st.booleans())
def test_raw_samples_come_through_whatever_the_bits(count: int, sizes: list[int], odd: bool) -> None:
    pcm = samples(count)
    assert np.array_equal(heard(pcm.astype("<i2").tobytes() + b"x" * odd, sizes), pcm)


def test_no_more_is_waited_for_than_a_tenth_of_a_second() -> None:
    file = Bits(samples(10 * AT_ONCE).tobytes(), [1600] * 200)
    coming = pcm_from(file)
    assert len(next(coming)) == AT_ONCE
    assert len(file.data) == 2 * 9 * AT_ONCE


@given(sizes=st.lists(st.integers(1, 100), max_size=60))
def test_a_wav_is_its_samples_without_the_header(sizes: list[int]) -> None:
    pcm = samples(5000)
    assert np.array_equal(heard(wav(pcm, 16_000), sizes), pcm)


@pytest.mark.parametrize(("rate", "channels"), [(48_000, 2), (8_000, 1), (16_000, 2)])
def test_a_wav_of_another_rate_is_what_its_file_is(rate: int, channels: int) -> None:
    data = wav(samples(rate * channels).reshape(-1, channels), rate)
    assert np.array_equal(heard(data), decode(data))


@pytest.mark.parametrize("size", [0, 0x7FFFFFFF, 0xFFFFFFFF])
def test_the_length_that_a_program_does_not_know_is_not_believed(size: int) -> None:
    pcm = samples(3000)
    chunks = (
        b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, 16_000, 32_000, 2, 16) + b"LIST" + struct.pack("<I", 3) + b"abc\0"
    )
    data = b"RIFF" + struct.pack("<I", size) + b"WAVE" + chunks + b"data" + struct.pack("<I", size)
    assert np.array_equal(heard(data + pcm.tobytes()), pcm)


@pytest.mark.parametrize("count", [1000, AT_ONCE, 5000])
def test_what_follows_the_samples_of_a_wav_is_not_heard(count: int) -> None:
    pcm = samples(count)
    data = wav(pcm, 16_000) + b"LIST" + struct.pack("<I", 8000) + bytes(range(250)) * 32
    for sizes in ([], [1] * 3000, [100] * 200):
        assert np.array_equal(heard(data, sizes), pcm)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (wav(samples(100), 16_000, form="FLAC"), "is FLAC"),
        (wav(samples(100), 16_000, "PCM_24"), "24 bits"),
        (wav(samples(100), 16_000, "FLOAT"), "coding 3"),
        (b"OggS" + bytes(100), "is Ogg"),
        (b"RIFF" + bytes(8), "is no WAV, though it begins as one: send raw samples"),
        (b"RIFF\0\0\0\0WAVE" + bytes(1_000_000), "no samples follow"),
        (b"RIFF\0\0\0\0WAVELIST\0\0\0\2" + bytes(1_000_000), "no samples follow"),
        (b"RIFF", "no samples follow"),
        (wav(samples(100), 16_000, form="AIFF"), "is AIFF: send raw samples"),
        (wav(samples(100), 16_000, form="AU"), "is AU"),
        (wav(samples(100), 16_000, form="RF64"), "is RF64"),
        (b"NIST_1A\n   1024\n" + bytes(1024), "is SPHERE"),
        (b"\0\0\0\x20ftypM4A " + bytes(100), "is MP4"),
        (b"\x1aE\xdf\xa3" + bytes(100), "is WebM"),
        (wav(samples(100), 16_000)[:30], "no samples follow"),
        (b"RIFF\0\0\0\0WAVEfmt \x04\0\0\0\1\0\1\0data", "damaged header"),
        (b"RIFF\0\0\0\0WAVEdata" + bytes(40), "no samples follow"),
    ],
)
def test_what_is_not_read_from_a_pipe_is_told(data: bytes, told: str) -> None:
    with pytest.raises(DataError, match=told):
        heard(data)


@pytest.mark.parametrize("size", [99, 200_001])
def test_what_stands_before_the_samples_of_a_wav_is_passed_over_whatever_its_size(size: int) -> None:
    pcm = samples(3000)
    data = wav(pcm, 16_000)
    at = data.index(b"data")
    chunk = b"LIST" + struct.pack("<I", size) + bytes(size + size % 2)
    assert np.array_equal(heard(data[:at] + chunk + data[at:]), pcm)


def test_nothing_is_nothing() -> None:
    assert len(heard(b"")) == len(heard(b"x")) == 0
