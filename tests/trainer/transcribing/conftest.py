"""A model that hears one step at a time: how loud 20 ms are is the label. So what it should hear of any sound is known.

loudness 500 * (label + 1) is a label, silence is the blank
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from dsprep.manifests import Alphabet, UsageError, english
from dsprep.pipeline.sound.audio import Pcm, encode
from dsprep.trainer.acoustic.acoustic import AcousticStream
from dsprep.trainer.decoding.decoder import LogProbs
from dsprep.trainer.decoding.greedy import Greedy
from dsprep.trainer.transcribing.windows import SAMPLES

LOUDNESS = 500


def heard(pcm_N: Pcm) -> LogProbs:
    """Steps of all that there is, the last of them perhaps short."""
    alphabet = english()
    padded_N = np.pad(pcm_N, (0, -len(pcm_N) % SAMPLES)).astype(np.int32)
    loudness_T = np.abs(padded_N).reshape(-1, SAMPLES).max(1)
    label_T = np.where(loudness_T < LOUDNESS, alphabet.blank, loudness_T // LOUDNESS - 1)
    return np.log(np.eye(alphabet.size)[label_T] * 0.9 + 0.1 / alphabet.size).astype(np.float32)


class LoudnessStream:
    def __init__(self) -> None:
        self.held_N = np.zeros(0, np.int16)

    def feed(self, pcm_N: Pcm) -> LogProbs:
        held_N = np.concatenate([self.held_N, pcm_N])
        whole = len(held_N) // SAMPLES * SAMPLES
        self.held_N = held_N[whole:]
        return heard(held_N[:whole])

    def end(self) -> LogProbs:
        return heard(self.held_N)


class Loudness:
    """The model; it writes down how long the clips of each batch were."""

    def __init__(self, streams: bool = False) -> None:
        self.streams = streams
        self.batches: list[list[int]] = []

    @property
    def alphabet(self) -> Alphabet:
        return english()

    def log_probs(self, clips: Sequence[Pcm]) -> list[LogProbs]:
        self.batches.append([len(pcm) for pcm in clips])
        return [heard(pcm) for pcm in clips]

    def stream(self) -> AcousticStream:
        if not self.streams:
            raise UsageError("it needs the whole")
        return LoudnessStream()


def spoken(text: str, pause: float = 0.0) -> Pcm:
    """The sound of a text, 0.1 s a character, silence of `pause` seconds at its end."""
    sounds = [
        np.pad(np.full(3 * SAMPLES, LOUDNESS * (label + 1), np.int16), (0, 2 * SAMPLES))
        for label in english().encode(text)
    ]
    return np.concatenate([*sounds, np.zeros(round(pause * 50) * SAMPLES, np.int16)])


def wav(path: Path, pcm: Pcm) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(encode(pcm, "wav")))
    return path


class Saying:
    """The functions above, for tests: pytest imports no module of helpers."""

    model = Loudness
    stream = LoudnessStream
    heard = staticmethod(heard)
    spoken = staticmethod(spoken)
    wav = staticmethod(wav)
    decoder = Greedy(english())


@pytest.fixture(scope="session")
def saying() -> type[Saying]:
    return Saying
