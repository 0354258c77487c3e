import io
import struct
from typing import Any

import numpy as np
import pytest
import soundfile

from dsprep.manifests.ctc import RATE
from dsprep.pipeline import audio
from dsprep.pipeline.audio import Truncated, Unreadable, decode


def encode(pcm: audio.Pcm, form: str) -> bytes:
    return bytes(audio.encode(pcm, form))


def file_of(samples: Any, rate: int = RATE, form: str = "WAV", subtype: str = "PCM_16") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=form, subtype=subtype)
    return file.getvalue()


@pytest.mark.parametrize("form", ["wav", "flac"])
def test_decode_is_the_inverse_of_encode(make: Any, form: str) -> None:
    pcm = make.tone(0.7)
    assert np.array_equal(decode(encode(pcm, form)), pcm)


def test_our_wav_is_what_others_read(make: Any) -> None:
    pcm = make.tone(0.1)
    samples, rate = soundfile.read(io.BytesIO(encode(pcm, "wav")), dtype="int16")
    assert rate == RATE
    assert np.array_equal(samples, pcm)
    assert len(encode(pcm, "wav")) == 44 + 2 * len(pcm)


@pytest.mark.parametrize("form", ["wav", "flac"])
def test_the_same_samples_give_the_same_bytes(make: Any, form: str) -> None:
    assert encode(make.tone(0.3), form) == encode(make.tone(0.3), form)


@pytest.mark.parametrize(
    ("form", "subtype"), [("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("NIST", "PCM_16"), ("WAV", "PCM_24")]
)
def test_sound_at_16_khz_goes_through_unchanged(make: Any, form: str, subtype: str) -> None:
    pcm = make.tone(0.2)
    assert np.array_equal(decode(file_of(pcm, form=form, subtype=subtype)), pcm)


def test_a_tone_stays_a_tone_at_another_rate() -> None:
    rate = 48_000
    wave = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(rate) / rate)
    alias = 0.5 * np.sin(2 * np.pi * 9000 * np.arange(rate) / rate)
    pcm = decode(file_of(wave + alias, rate=rate, subtype="FLOAT")) / 32768
    expected = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    assert len(pcm) == RATE
    assert np.abs(pcm[1000:-1000] - expected[1000:-1000]).max() < 1e-4, "what lies above 8 kHz is gone"


def test_full_scale_saturates_and_halves_round_to_even() -> None:
    values = np.array([1.0, -1.0, 2.0, -2.0, 0.5 / 32768, 1.5 / 32768, -0.5 / 32768], dtype=np.float32)
    assert decode(file_of(values, subtype="FLOAT")).tolist() == [32767, -32768, 32767, -32768, 0, 2, 0]


def test_channels_are_mixed_or_chosen(make: Any) -> None:
    left, right = make.tone(0.1, 300), make.tone(0.1, 500)
    data = file_of(np.stack([left, right], 1))
    assert np.array_equal(decode(data, channel=1), right)
    mixed = np.rint((left.astype(float) + right) / 2)
    assert np.abs(decode(data) - mixed).max() <= 1
    with pytest.raises(Unreadable, match="it has 2 channels, not a channel 2"):
        decode(data, channel=2)


def test_a_cut_is_the_samples_between_its_times(make: Any) -> None:
    pcm = make.tone(1.0)
    assert np.array_equal(decode(encode(pcm, "flac"), start=0.25, end=0.5), pcm[4000:8000])
    with pytest.raises(Unreadable, match=r"it has 1\.000 s"):
        decode(encode(pcm, "flac"), start=0.5, end=1.5)


def test_a_wav_cut_short_is_refused_at_every_length(make: Any) -> None:
    data = encode(make.tone(0.01), "wav")
    for cut in range(0, len(data), 3):
        with pytest.raises(Unreadable):
            decode(data[:cut])


def test_a_flac_cut_short_is_refused_at_every_length(make: Any) -> None:
    data = encode(make.tone(0.5), "flac")
    for cut in range(0, len(data), 101):
        with pytest.raises(Unreadable):
            decode(data[:cut])


def test_a_flac_with_changed_bytes_is_refused_or_the_same(make: Any) -> None:
    pcm = make.tone(0.5)
    data = encode(pcm, "flac")
    refused = 0
    for position in range(42, len(data), 131):
        broken = bytearray(data)
        broken[position] ^= 0x55
        try:
            same = np.array_equal(decode(bytes(broken)), pcm)
        except Unreadable:
            refused += 1
            continue
        assert same or position < 8192, "only what lies before the first frame may pass"
    assert refused > 20


@pytest.mark.parametrize("data", [b"", b"RIFF", b"hello, I am text", b"\0" * 5000, b"ID3" + b"\xff" * 400])
def test_what_is_no_audio_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable):
        decode(data)


def test_a_header_that_promises_more_is_named_as_such(make: Any) -> None:
    data = encode(make.tone(0.1), "wav")
    with pytest.raises(Truncated, match="of 3244 bytes are there"):
        decode(data[:-2])


def test_a_flac_that_does_not_tell_its_length_is_refused(make: Any) -> None:
    data = bytearray(encode(make.tone(0.5), "flac"))
    data[21] &= 0xF0
    data[22:26] = b"\0" * 4
    with pytest.raises(Unreadable):
        decode(bytes(data))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_refused(value: float) -> None:
    with pytest.raises(Unreadable, match="not numbers"):
        decode(file_of(np.array([0.0, value], dtype=np.float32), subtype="FLOAT"))


def test_the_header_is_the_standard_s() -> None:
    header = encode(np.zeros(5, dtype=np.int16), "wav")[:44]
    assert struct.unpack("<4sI4s4sIHHIIHH4sI", header) == (
        b"RIFF", 46, b"WAVE", b"fmt ", 16, 1, 1, 16000, 32000, 2, 16, b"data", 10,
    )  # fmt: skip


@pytest.mark.parametrize("riff", [0, 36 + 1000])
def test_a_data_chunk_that_promises_more_is_named_as_such(make: Any, riff: int) -> None:
    data = bytearray(encode(make.tone(0.1), "wav"))[: 44 + 1000]
    data[4:8] = riff.to_bytes(4, "little")
    with pytest.raises(Truncated, match="1044 of 3244 bytes are there"):
        decode(bytes(data))
