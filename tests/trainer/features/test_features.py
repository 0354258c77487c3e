"""Features equal the ancestors' recipes, and do not depend on batch mates."""

import itertools
import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from dsprep.trainer.config import PROFILES
from dsprep.trainer.features import FEATURES, Features

Samples = NDArray[np.int16]
Numbers = NDArray[np.float64]

LENGTHS = [46797, 16000, 200, 320, 321, 399, 400, 401, 479, 480, 511, 512, 513, 720, 721, 832]
SPECTROGRAMS = [name for name in FEATURES if name.startswith("log")]
MFCCS = [name for name in FEATURES if name.startswith("mfcc")]


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


def in_windows(mfcc: Numbers) -> Numbers:
    padded = np.pad(mfcc, ((9, 9), (0, 0)))
    return np.stack([padded[t : t + 19].ravel() for t in range(len(mfcc))])


def by_python_speech_features(name: str, samples: Samples) -> Numbers:
    """The steps of DeepSpeech 0.1 to 0.4 in words of NumPy and of the library that they used."""
    from python_speech_features import mfcc  # type: ignore[attr-defined]

    if name.endswith("0.4"):
        return in_windows(mfcc(samples, samplerate=16000, numcep=26, winlen=0.032, winstep=0.02, winfunc=np.hamming))
    windows = in_windows(mfcc(samples, samplerate=16000, numcep=26)[::2])
    return (windows - windows.mean()) / windows.std() if name.endswith("0.1") else windows


def by_tensorflow(highest: float, samples: Samples) -> Numbers:
    """What TensorFlow's audio_spectrogram and mfcc do, bin by bin in float64, from the text of their kernels.

    A bin between the middles of two filters gives a share to each of them, by its place on the mel scale.
    """

    def mel(hertz: float) -> float:
        return 1127 * math.log1p(hertz / 700)

    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(512) / 512)
    starts = range(0, len(samples) - 511, 320)
    magnitudes = np.abs(np.fft.rfft([samples[start : start + 512] / 32768 * hann for start in starts]))
    low, high, hertz_a_bin = mel(20), mel(highest), 16000 / 512
    middles = [low + (high - low) * (i + 1) / 41 for i in range(41)]
    filtered = np.zeros((len(magnitudes), 40))
    for f in range(int(1.5 + 20 / hertz_a_bin), int(highest / hertz_a_bin) + 1):
        here = mel(f * hertz_a_bin)
        above = next((i for i, middle in enumerate(middles) if middle >= here), 41)
        if above > 40:
            continue
        below = middles[above - 1] if above else low
        share = (middles[above] - here) / (middles[above] - below)
        if above:
            filtered[:, above - 1] += share * magnitudes[:, f]
        if above < 40:
            filtered[:, above] += (1 - share) * magnitudes[:, f]
    logs = np.log(np.maximum(filtered, 1e-12))
    rows = [[math.sqrt(2 / 40) * math.cos(i * math.pi / 40 * (j + 0.5)) for j in range(40)] for i in range(26)]
    return in_windows(logs @ np.array(rows).T)


def log_spectrogram(samples: Samples, scale: float, window: Numbers) -> Numbers:
    """deepspeech.pytorch's steps with NumPy alone: centred frames, log1p, n - 1."""
    padded = np.pad(samples.astype(np.float64) * scale, 160, mode="reflect")
    frames = [padded[t * 160 : t * 160 + 320] * window for t in range(1 + len(samples) // 160)]
    spectrum = np.log1p(np.abs(np.fft.rfft(frames)))
    standard: Numbers = (spectrum - spectrum.mean()) / spectrum.std(ddof=1)
    return standard


def test_every_profile_has_its_features_and_its_size() -> None:
    assert tuple(FEATURES) == PROFILES
    assert {FEATURES[name]().size for name in SPECTROGRAMS} == {161}
    assert {FEATURES[name]().size for name in MFCCS} == {494}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize(("name", "tolerance"), [("0.1", 2e-3), ("0.2", 2e-2), ("0.4", 2e-2)])
def test_mfccs_are_those_of_python_speech_features(name: str, tolerance: float, length: int) -> None:
    """The tolerance is for float32 instead of float64: unwhitened numbers go to some tens, whitened ones to some."""
    samples = speech_like(length)
    done, (frames,) = of(FEATURES[f"mfcc-deepspeech-{name}"](), samples)
    expected = by_python_speech_features(name, samples)
    assert expected.shape == (frames, 494)
    assert np.abs(done[0].numpy() - expected).max() < tolerance


@pytest.mark.parametrize("length", [length for length in LENGTHS if length >= 512])
@pytest.mark.parametrize(("name", "highest"), [("0.5", 4000.0), ("0.7", 8000.0)])
def test_mfccs_are_those_of_tensorflow(name: str, highest: float, length: int) -> None:
    samples = speech_like(length)
    done, (frames,) = of(FEATURES[f"mfcc-deepspeech-{name}"](), samples)
    expected = by_tensorflow(highest, samples)
    assert expected.shape == (frames, 494)
    assert np.abs(done[0].numpy() - expected).max() < 1e-3


def test_tensorflow_s_mfccs_of_silence_are_those_of_its_floor() -> None:
    samples = np.zeros(4000, np.int16)
    done, _ = of(FEATURES["mfcc-deepspeech-0.7"](), samples)
    assert np.abs(done[0].numpy() - by_tensorflow(8000, samples)).max() < 1e-3


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize(
    ("name", "scale", "period", "tolerance"),
    [
        ("log-spectrogram", 1 / 32768, 320, 1e-4),
        ("log-spectrogram", 1 / 32767, 320, 1e-4),
        ("log-spectrogram-1.0", 2**16, 319, 2e-3),
        ("log-spectrogram-2.0", 1 / 32767, 319, 1e-4),
    ],
)
def test_spectrograms_are_those_of_deepspeech_pytorch(
    name: str, scale: float, period: int, tolerance: float, length: int
) -> None:
    """The tolerance is for float32: in 1.0 the 1 in the logarithm is too small to hide the error of a bin near 0."""
    samples = speech_like(length)
    done, (frames,) = of(FEATURES[name](), samples)
    expected = log_spectrogram(samples, scale, 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(320) / period))
    assert expected.shape == (frames, 161)
    assert np.abs(done[0].numpy() - expected).max() < tolerance


@pytest.mark.parametrize("names", [SPECTROGRAMS, MFCCS], ids=str)
def test_the_profiles_differ(names: list[str]) -> None:
    done = [of(FEATURES[name](), speech_like(16000))[0] for name in names]
    for one, other in itertools.combinations(done, 2):
        assert one.shape != other.shape or (one - other).abs().max() > 1e-3


def test_ldc93s1_has_the_ancestors_number_of_frames() -> None:
    frames = {name: FEATURES[name]().frames(46797) for name in FEATURES}
    assert {frames[name] for name in SPECTROGRAMS} == {293}
    assert [frames[f"mfcc-deepspeech-0.{release}"] for release in (1, 2, 4, 5, 7)] == [146, 146, 146, 145, 145]


@pytest.mark.parametrize("name", FEATURES)
def test_a_clip_has_the_same_features_alone_and_among_others(name: str) -> None:
    features = FEATURES[name]()
    clips = [speech_like(length, length) for length in (16000, 4001, 9999, 333, 1)]
    together, frames = of(features, *clips)
    for row, count, clip in zip(together, frames, clips, strict=True):
        alone, (own,) = of(features, clip)
        assert own == count
        assert torch.allclose(row[:count], alone[0], atol=1e-5)
        assert not row[count:].any()


@pytest.mark.parametrize("name", FEATURES)
def test_a_whole_batch_at_once_gives_the_same(name: str) -> None:
    """As on a GPU."""
    features = FEATURES[name]()
    clips = [speech_like(length, length) for length in (16000, 4001, 9999, 333, 1)]
    done, frames = of(features, *clips)
    padded = torch.zeros(len(clips), 20000)
    for row, clip in zip(padded, clips, strict=True):
        row[: len(clip)] = torch.from_numpy(clip.astype(np.float32) / 32768)
    assert torch.allclose(features.made(padded, [len(clip) for clip in clips], frames), done, atol=1e-5)


@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize("samples", [np.zeros(16000, np.int16), np.ones(1, np.int16), speech_like(2)])
def test_silence_and_a_single_sample_give_numbers(name: str, samples: Samples) -> None:
    done, (frames,) = of(FEATURES[name](), samples)
    assert done.shape[1] == frames > 0
    assert torch.isfinite(done).all()
