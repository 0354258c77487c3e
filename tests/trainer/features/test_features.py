"""Features equal the ancestors' recipes, and do not depend on batch mates."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from dsprep.trainer.features import FEATURES, Features
from dsprep.trainer.features.mfcc import Mfcc01
from dsprep.trainer.features.spectrogram import LogSpectrogram

Samples = NDArray[np.int16]


def speech_like(length: int, seed: int = 1) -> Samples:
    chance = np.random.default_rng(seed)
    envelope = np.interp(np.arange(length), np.linspace(0, length, 20), chance.random(20))
    return (envelope * chance.normal(0, 3000, length)).astype(np.int16)


def of(features: Features, *clips: Samples) -> tuple[torch.Tensor, list[int]]:
    batch = torch.zeros(len(clips), max(map(len, clips)))
    for row, clip in zip(batch, clips, strict=True):
        row[: len(clip)] = torch.from_numpy(clip.astype(np.float32) / 32768)
    done, frames = features(batch, [len(clip) for clip in clips])
    return done, frames


def deepspeech_0_1(samples: Samples) -> NDArray[np.float64]:
    """The ancestor's steps in words of NumPy and of the library that it used."""
    import python_speech_features

    mfcc = python_speech_features.mfcc(samples, samplerate=16000, numcep=26)[::2]  # type: ignore[attr-defined]
    padded = np.pad(mfcc, ((9, 9), (0, 0)))
    windows = np.stack([padded[t : t + 19].ravel() for t in range(len(mfcc))])
    whitened: NDArray[np.float64] = (windows - windows.mean()) / windows.std()
    return whitened


def log_spectrogram(samples: Samples) -> NDArray[np.float64]:
    """deepspeech.pytorch's steps with NumPy alone: centred frames, periodic Hamming, log1p, n - 1."""
    padded = np.pad(samples / 32768, 160, mode="reflect")
    window = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(320) / 320)
    frames = [padded[t * 160 : t * 160 + 320] * window for t in range(1 + len(samples) // 160)]
    spectrum = np.log1p(np.abs(np.fft.rfft(frames)))
    standard: NDArray[np.float64] = (spectrum - spectrum.mean()) / spectrum.std(ddof=1)
    return standard


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("length", [46797, 16000, 400, 401, 399, 720, 721])
def test_mfccs_are_those_of_deepspeech_0_1(length: int) -> None:
    samples = speech_like(length)
    done, (frames,) = of(Mfcc01(), samples)
    expected = deepspeech_0_1(samples)
    assert expected.shape == (frames, 494)
    assert np.abs(done[0].numpy() - expected).max() < 2e-3


@pytest.mark.parametrize("length", [46797, 16000, 320, 321, 479, 480, 200])
def test_spectrograms_are_those_of_deepspeech_pytorch(length: int) -> None:
    samples = speech_like(length)
    done, (frames,) = of(LogSpectrogram(), samples)
    expected = log_spectrogram(samples)
    assert expected.shape == (frames, 161)
    assert np.abs(done[0].numpy() - expected).max() < 1e-3


def test_ldc93s1_has_the_ancestors_number_of_frames() -> None:
    assert Mfcc01().frames(46797) == 146
    assert LogSpectrogram().frames(46797) == 293


@pytest.mark.parametrize("name", FEATURES)
def test_a_clip_has_the_same_features_alone_and_among_others(name: str) -> None:
    features = FEATURES[name]()
    clips = [speech_like(length, length) for length in (16000, 4001, 9999, 333)]
    together, frames = of(features, *clips)
    for row, count, clip in zip(together, frames, clips, strict=True):
        alone, (own,) = of(features, clip)
        assert own == count
        assert torch.allclose(row[:count], alone[0], atol=2e-5)
        assert not row[count:].any()


@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize("samples", [np.zeros(16000, np.int16), np.ones(1, np.int16), speech_like(2)])
def test_silence_and_a_single_sample_give_numbers(name: str, samples: Samples) -> None:
    done, _ = of(FEATURES[name](), samples)
    assert torch.isfinite(done).all()
