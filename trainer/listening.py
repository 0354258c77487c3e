"""Listening, from Python: a model is loaded once, and asked for transcripts or for what lies behind them.

    from dsprep.trainer import load, logits, transcribe

    model = load("run")
    transcribe(model, "talk.wav").text
    logits(model, "talk.wav").shape             [T, V]: 50 steps a second, a number for each label

Axes: N samples, T steps of 20 ms, V labels.
"""

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..manifests import DataError, UsageError
from ..pipeline.sound.audio import Pcm, Unreadable
from .acoustic.acoustic import AcousticModel
from .acoustic.opening import open_model
from .decoding.decoder import LogProbs
from .decoding.decoding import Decoding
from .transcribing.sources import Source, of_file, of_numbers
from .transcribing.transcribing import BATCH_SECONDS, Failure
from .transcribing.transcribing import transcribe as transcribe_sources
from .transcribing.transcript import Transcript

Numbers = tuple[NDArray[Any], int]
"""Samples [N] or [N, channels], int16 or floating point from -1 to 1, and how many there are a second."""
Audio = str | PathLike[str] | Numbers
"""A file, or numbers."""
GREEDY = Decoding()


@runtime_checkable
class WithLogits(Protocol):
    """A model that tells more than probabilities."""

    def logits(self, clips: list[Pcm]) -> list[LogProbs]:
        """What it makes of each clip, before the softmax."""


def load(
    place: str | PathLike[str],
    device: str | None = None,
    on_notice: Callable[[str], None] = lambda notice: None,
) -> AcousticModel:
    """The model of a run, on `cpu`, `cuda`, `cuda:1` ...; by default on a GPU if there is one.

    Raises:
        TrainingError: the run has no whole checkpoint.
        UsageError: there is no such device.
    """
    return open_model(Path(place), device, on_notice)


def transcribe(
    model: AcousticModel, audio: Audio, decoding: Decoding = GREEDY, batch_seconds: float = BATCH_SECONDS
) -> Transcript:
    """What is said in a sound of any length.

    Raises:
        DataError: it cannot be read, or holds no sound.
        UsageError: the numbers are no samples.
    """
    (outcome,) = transcribe_sources(model, [_source(audio)], decoding.decoder(model.alphabet), batch_seconds)
    if isinstance(outcome, Failure):
        raise DataError(f"{outcome.name}: {outcome.reason}")
    return outcome


def logits(model: AcousticModel, audio: Audio) -> LogProbs:
    """What the model makes of a sound before the softmax, TV, heard whole: memory grows with its length.

    Raises:
        DataError: it cannot be read, or holds no sound.
        UsageError: the numbers are no samples, or the model tells probabilities only.
    """
    if not isinstance(model, WithLogits):
        raise UsageError("this model tells probabilities only: for logits, load the run that it was exported from")
    (heard_TV,) = model.logits([_whole(_source(audio))])
    return heard_TV


def _source(audio: Audio) -> Source:
    if isinstance(audio, tuple) and len(audio) == 2:
        return of_numbers(*audio)
    if isinstance(audio, str | PathLike):
        return of_file(Path(audio))
    raise UsageError(f"a sound is a path, or (samples, rate), not {type(audio).__name__}")


def _whole(source: Source) -> Pcm:
    try:
        with source.sound() as blocks:
            pcm_N = np.concatenate([np.zeros(0, np.int16), *blocks])
    except OSError as error:
        raise DataError(f"{source.name}: {error.strerror or error}") from error
    except Unreadable as error:
        raise DataError(f"{source.name}: {error}") from error
    if not len(pcm_N):
        raise DataError(f"{source.name}: it holds no sound")
    return pcm_N
