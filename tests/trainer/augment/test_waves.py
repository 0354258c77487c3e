"""Speed, noise and gain do to the numbers what their definitions say."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsprep.trainer.augment.waves import Wave, faster, louder, mixed, power, saturated, stretch

EVERY = np.arange(-(1 << 15), 1 << 15, dtype=np.int16)


def wave_of(*values: float) -> Wave:
    return np.array(values, np.float32)


def test_every_number_of_16_bits_survives_the_way_there_and_back() -> None:
    assert np.array_equal(saturated(EVERY.astype(np.float32)), EVERY)


@pytest.mark.parametrize("decibels", [-60.0, -6.0, -0.1, 0.0, 0.1, 8.0, 60.0])
def test_gain_is_exact_and_what_is_too_loud_is_cut_off(decibels: float) -> None:
    found = saturated(louder(EVERY.astype(np.float32), decibels))
    exact = np.clip(EVERY.astype(np.float64) * 10 ** (decibels / 20), -32_768, 32_767)
    assert np.abs(found - exact).max() <= 0.503  # float32 knows such numbers to a 512th
    assert np.all(np.sign(found) * np.sign(EVERY) >= 0)
    assert found.dtype == np.int16


@given(length=st.integers(1, 3000), factor=st.floats(0.5, 1.5))
def test_speed_divides_the_length(length: int, factor: float) -> None:
    found = faster(np.ones(length, np.float32), factor)
    assert found.dtype == np.float32
    assert abs(len(found) - length / factor) <= 1


@pytest.mark.parametrize("factor", [0.9, 1.0371, 1.1])
def test_speed_multiplies_the_pitch(make: Any, factor: float) -> None:
    found = faster(make.tone(2.0, 500.0).astype(np.float32), factor)
    peak = np.abs(np.fft.rfft(found * np.hanning(len(found)))).argmax() * 16_000 / len(found)
    assert peak == pytest.approx(500 * factor, abs=1)
    assert power(found) == pytest.approx(power(make.tone(2.0, 500.0).astype(np.float32)), rel=0.01)


def test_speed_folds_nothing_back_from_above_8_khz(make: Any) -> None:
    high = 10_000 * np.sin(np.arange(32_000) * 2 * np.pi * 7_800 / 16_000)
    found = faster(high.astype(np.float32), 1.1)
    assert power(found[1000:-1000]) < 10_000**2 / 2 * 1e-9


@pytest.mark.parametrize("snr", [-60.0, -5.0, 0.0, 7.3, 25.0, 60.0])
def test_speech_and_noise_have_the_wanted_ratio(make: Any, snr: float) -> None:
    speech, noise = make.tone(1.0, 300).astype(np.float32), 0.01 * make.tone(1.0, 700).astype(np.float32)
    added = mixed(speech, noise, snr).astype(np.float64) - speech
    assert 10 * math.log10(np.mean(np.square(speech)) / np.mean(np.square(added))) == pytest.approx(snr, abs=0.1)
    assert np.corrcoef(added, noise)[0, 1] > 0.99


def test_silence_has_no_ratio_and_speech_is_left_as_it_is(make: Any) -> None:
    speech, silence = make.tone(0.1).astype(np.float32), np.zeros(1600, np.float32)
    assert mixed(speech, silence, 10.0) is speech
    assert mixed(silence, speech, 10.0) is silence
    assert mixed(silence, silence, 10.0) is silence
    assert power(silence) == power(wave_of()) == 0


@given(size=st.integers(1, 50), length=st.integers(1, 50), place=st.floats(0, 1, exclude_max=True))
def test_a_noise_is_cut_or_repeated_to_the_length_of_the_speech(size: int, length: int, place: float) -> None:
    found = stretch(np.arange(size, dtype=np.float32), length, place)
    assert len(found) == length
    steps = np.diff(found) % size
    assert np.all(steps == 1 % size)
    if size >= length:
        assert np.all(np.diff(found) == 1)


def test_every_place_of_a_noise_is_taken() -> None:
    noise = np.arange(10, dtype=np.float32)
    places = np.linspace(0, 1, 1000, endpoint=False)
    assert {float(stretch(noise, 4, place)[0]) for place in places} == set(range(7))
    assert {float(stretch(noise, 25, place)[0]) for place in places} == set(range(10))


@given(st.lists(st.floats(-1e9, 1e9, width=32), min_size=1))
def test_nothing_wraps(values: list[float]) -> None:
    found = saturated(wave_of(*values))
    assert all(a == max(-32_768, min(32_767, round(b))) for a, b in zip(found.tolist(), values, strict=True))
