"""A room changes the sound of speech, and neither its place, its length nor its loudness."""

from typing import Any

import numpy as np
import pytest

from dsprep.trainer.augment.reverb import convolved, reverberated
from dsprep.trainer.augment.waves import Wave, power, saturated


def room(direct: int, length: int) -> Wave:
    """A response with its direct sound at `direct`, and walls that die away."""
    response = 0.5 * np.random.default_rng(length).normal(0, 1, length) * np.exp(-np.arange(length) / length * 6)
    response = response.clip(-0.9, 0.9)
    response[:direct] = 0
    response[direct] = 1
    return response.astype(np.float32)


@pytest.mark.parametrize("length", [1, 2, 4095, 4096, 9000])
@pytest.mark.parametrize("clip", [1, 16_384, 40_000])
def test_the_convolution_is_the_convolution(length: int, clip: int) -> None:
    chance = np.random.default_rng(clip)
    wave, response = chance.normal(0, 3000, clip).astype(np.float32), chance.normal(0, 1, length).astype(np.float32)
    expected = np.convolve(wave.astype(np.float64), response.astype(np.float64))
    found = convolved(wave, response)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 1e-6


@pytest.mark.parametrize("delay", [0, 1, 700])
@pytest.mark.parametrize("scale", [1.0, 0.01, -3.0])
def test_an_echoless_room_changes_nothing_however_far_and_loud(make: Any, delay: int, scale: float) -> None:
    pcm = make.tone(0.5)
    response = np.zeros(delay + 30, np.float32)
    response[delay] = scale
    found = saturated(reverberated(pcm.astype(np.float32), response))
    assert np.array_equal(found, pcm if scale > 0 else -pcm)


@pytest.mark.parametrize("length", [100, 8000, 48_000])
def test_length_and_energy_are_kept(make: Any, length: int) -> None:
    wave = make.tone(1.0).astype(np.float32)
    found = reverberated(wave, room(min(50, length - 1), length))
    assert (found.shape, found.dtype) == (wave.shape, wave.dtype)
    assert power(found) == pytest.approx(power(wave), rel=1e-5)
    assert np.abs(found - wave).max() > 10


def test_what_is_said_stays_where_it_was() -> None:
    """A click in the clip is still the loudest at its place, though the direct sound takes 40 ms."""
    wave = np.zeros(16_000, np.float32)
    wave[5000] = 20_000
    assert np.abs(reverberated(wave, room(640, 8000))).argmax() == 5000


def test_silence_stays_silence_and_a_silent_room_is_none(make: Any) -> None:
    silence, wave = np.zeros(1600, np.float32), make.tone(0.1).astype(np.float32)
    assert not reverberated(silence, room(5, 100)).any()
    assert reverberated(wave, np.zeros(100, np.float32)) is wave


def test_a_clip_of_one_sample_has_one() -> None:
    found = reverberated(np.array([1000.0], np.float32), room(5, 8000))
    assert found == pytest.approx([1000.0])
