import io
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from dsprep.manifests.ctc import RATE
from dsprep.pipeline.sound import audio
from dsprep.pipeline.sound.audio import Cut, Truncated, Unreadable, decode, open_audio


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


@pytest.mark.parametrize("rate", [1, 999, 768_001])
def test_a_rate_of_no_recording_is_refused(rate: int) -> None:
    with pytest.raises(Unreadable, match=f"rate of {rate} Hz"):
        decode(file_of(np.zeros(10), rate=rate))


@pytest.mark.parametrize("rate", [8000, 16_000])
def test_the_greatest_float_saturates_or_is_refused_but_is_never_noise(rate: int) -> None:
    data = file_of(np.full(4000, 3e38, np.float32), rate=rate, subtype="FLOAT")
    try:
        assert set(decode(data).tolist()) == {32767}
    except Unreadable:
        assert rate != RATE


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


def cut_out(data: bytes, wanted: list[Cut]) -> dict[int, Any]:
    with open_audio(io.BytesIO(data), len(data)) as opened:
        return dict(opened.cuts(wanted))


FORMS = [(form, "PCM_16") for form in ("WAV", "FLAC", "AIFF", "AU", "CAF", "RF64", "WAVEX")]
LOSSY = [("MP3", "MPEG_LAYER_III"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("WAV", "ULAW"), ("WAVEX", "PCM_24")]


@pytest.mark.parametrize(("form", "subtype"), FORMS)
def test_no_form_of_16_khz_pcm_changes_a_sample(make: Any, form: str, subtype: str) -> None:
    pcm = make.tone(0.5)
    assert np.array_equal(decode(file_of(pcm, form=form, subtype=subtype)), pcm)


@pytest.mark.parametrize(("form", "subtype"), FORMS + LOSSY)
def test_cuts_are_the_same_in_any_order_together_or_alone(
    make: Any, monkeypatch: pytest.MonkeyPatch, form: str, subtype: str
) -> None:
    monkeypatch.setattr(audio, "BLOCK", 1000)
    data = file_of(make.tone(2.0), form=form, subtype=subtype)
    whole = decode(data)
    wanted = [Cut(), Cut(start=1.5, end=1.75), Cut(start=0.1, end=1.6), Cut(start=0.5, end=0.5), Cut(start=1.0)]
    found = cut_out(data, wanted)
    assert len(found) == len(wanted)
    for index, one in enumerate(wanted):
        end = None if one.end is None else round(one.end * RATE)
        assert np.array_equal(found[index], whole[round(one.start * RATE) : end]), one


def test_cuts_come_as_they_end(make: Any) -> None:
    data = encode(make.tone(3.0), "wav")
    wanted = [Cut(), Cut(start=2.0, end=2.5), Cut(start=0.0, end=1.0), Cut(channel=1)]
    with open_audio(io.BytesIO(data), len(data)) as opened:
        assert opened.decoder == "libsndfile"
        assert [index for index, _ in opened.cuts(wanted)] == [3, 2, 1, 0]


def test_a_cut_that_cannot_be_had_costs_no_other(make: Any) -> None:
    pcm = make.tone(1.0)
    wanted = [Cut(start=0.5, end=1.5), Cut(start=2.0), Cut(channel=3), Cut(start=0.25, end=1.0)]
    found = cut_out(encode(pcm, "flac"), wanted)
    assert "it has 1.000 s, not 0.5 to 1.5 s" in str(found[0])
    assert "it has 1.000 s, not 2.0 to its end" in str(found[1])
    assert "it has 1 channels, not a channel 3" in str(found[2])
    assert np.array_equal(found[3], pcm[4000:])


# libsndfile does not open a CAF that was cut off.
@pytest.mark.parametrize(("form", "subtype"), [*(one for one in FORMS if one[0] != "CAF"), *LOSSY[:3]])
def test_of_a_talk_that_was_cut_off_what_is_there_lives(make: Any, form: str, subtype: str) -> None:
    data = file_of(make.tone(8.0), form=form, subtype=subtype)
    whole = decode(data)
    wanted = [Cut(start=start, end=start + 0.5) for start in np.arange(0, 8, 0.5).tolist()] + [Cut()]
    found = cut_out(data[: len(data) * 6 // 10], wanted)
    assert isinstance(found[16], Truncated)
    alive = [index for index in range(16) if not isinstance(found[index], Unreadable)]
    assert alive == list(range(len(alive)))
    assert len(alive) >= 5
    assert all(type(found[index]) is Truncated for index in range(len(alive), 16))
    for index in alive:
        assert np.array_equal(found[index], whole[8000 * index : 8000 * (index + 1)])


def test_damage_in_the_middle_costs_what_comes_after_it(make: Any) -> None:
    pcm = make.tone(6.0)
    data = bytearray(encode(pcm, "flac"))
    data[len(data) // 2] ^= 0x55
    found = cut_out(bytes(data), [Cut(start=0.0, end=2.0), Cut(start=5.0, end=6.0), Cut(start=0.5)])
    assert np.array_equal(found[0], pcm[:32_000])
    assert all("damaged after" in str(found[index]) for index in (1, 2))


def test_audio_is_read_from_where_the_file_stands_and_no_further(make: Any) -> None:
    pcm = make.tone(0.5)
    for form in ("wav", "flac"):
        data = encode(pcm, form)
        file = io.BytesIO(b"before" + data + b"after, and more")
        file.seek(6)
        with open_audio(file, len(data)) as opened:
            ((_, found),) = opened.cuts([Cut()])
        assert np.array_equal(found, pcm)  # type: ignore[arg-type]


@pytest.mark.parametrize(("form", "subtype"), [("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("MP3", "MPEG_LAYER_III")])
def test_a_long_file_is_read_where_it_lies_like_a_short_one_in_memory(
    make: Any, monkeypatch: pytest.MonkeyPatch, form: str, subtype: str
) -> None:
    data = file_of(make.tone(2.0), form=form, subtype=subtype)
    expected = decode(data)
    monkeypatch.setattr("dsprep.pipeline.sound.stream.SMALL", 5000)
    file = io.BytesIO(b"head" + data + b"tail")
    file.seek(4)
    with open_audio(file, len(data)) as opened:
        ((_, found),) = opened.cuts([Cut()])
    assert np.array_equal(found, expected)  # type: ignore[arg-type]


def test_a_file_that_is_shorter_than_it_is_said_to_be_is_cut_off(make: Any) -> None:
    data = encode(make.tone(0.5), "wav")
    with pytest.raises(Truncated, match="16044 of 20000 bytes are there"), open_audio(io.BytesIO(data), 20_000):
        pass


@pytest.mark.parametrize("wrong", [{"start": -1.0}, {"start": 2.0, "end": 1.0}, {"end": np.nan}, {"channel": -1}])
def test_a_cut_of_nonsense_cannot_be_made(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"cut cannot go|no channel"):
        Cut(**wrong)


@pytest.mark.parametrize("form", ["WAV", "FLAC", "NIST"])
def test_an_hour_in_cuts_takes_less_than_20_mb(tmp_path: Path, form: str) -> None:
    path = tmp_path / "hour"
    with soundfile.SoundFile(path, "w", RATE, 1, "PCM_16", format=form) as file:
        for minute in range(60):
            file.write(np.full(60 * RATE, minute, np.int16))
    cuts = [Cut(start=10.0 * number, end=10.0 * number + 10) for number in range(360)]
    tracemalloc.start()
    try:
        with path.open("rb") as source, open_audio(source, path.stat().st_size) as opened:
            found = {index: (len(pcm), pcm[0]) for index, pcm in opened.cuts(cuts)}  # type: ignore[arg-type,index]
        assert tracemalloc.get_traced_memory()[1] < 20_000_000, "the whole hour has 115 MB"
    finally:
        tracemalloc.stop()
    assert found == {index: (10 * RATE, index // 6) for index in range(360)}
