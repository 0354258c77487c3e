"""Evaluating: any model on data: the best checkpoint of a run, or a file that was exported.

evaluate_model(Path("run"), Asked(data=data, device=device))     Evaluated(place="run", epoch=12, ...)
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ..manifests import Alphabet, Progress, TrainingError, silent
from ..pipeline.hashing import sha256_of
from ..pipeline.places import Place
from .acoustic.acoustic import AcousticModel
from .acoustic.opening import EXPORTED, is_exported, is_run, open_model
from .acoustic.run import hearing
from .config import BatchConfig
from .decoding.decoder import Decoder
from .decoding.decoding import Decoding
from .judging import ALONE, GREEDY, Heeded, judge, judged, losses_of
from .loading.batches import Loaded
from .loading.data import Data, unwritable
from .scoring.evaluated import Evaluated
from .scoring.heard import Evaluation
from .training.checkpoint import best
from .training.ranks import Ranks
from .training.standing import Origin, Standing

SAVED = ".json"
"""How the name of an evaluation that was written ends."""


def is_saved(place: Path) -> bool:
    """Whether a place is an evaluation that was written as JSON, by its name."""
    return place.suffix == SAVED and not place.is_dir()


def is_model(place: Place) -> bool:
    """Whether a place is a run, an exported model or an evaluation, rather than data."""
    return isinstance(place, Path) and (is_exported(place) or is_saved(place) or is_run(place))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a model is to be judged by, and how."""

    data: Data
    device: torch.device
    progress: Progress = silent
    on_notice: Callable[[str], None] = lambda notice: None
    workers: int = 1
    """Threads that read the data."""
    ranks: Ranks = ALONE
    decoding: Decoding = GREEDY


@dataclass(frozen=True, slots=True, kw_only=True)
class _Model:
    """A model, however it is kept."""

    alphabet: Alphabet
    origin: Origin
    standing: Standing | None
    judged: Callable[[Decoder], Evaluation]


def evaluate_model(place: Path, asked: Asked) -> Evaluated:
    """What a run's best checkpoint, or an exported model, makes of data.

    Raises:
        TrainingError: the run has no whole checkpoint, or the file cannot be read.
        DataError: a sample cannot be read.
    """
    model = _exported(place, asked) if is_exported(place) else _run(place, asked)
    if listed := unwritable(asked.data, model.alphabet):
        asked.on_notice(f"the model cannot write {listed}: these count as errors")
    decoder, standing = asked.decoding.decoder(model.alphabet, asked.on_notice), model.standing
    return Evaluated(
        evaluation=model.judged(decoder),
        place=str(place),
        checkpoint=model.origin.name,
        sha256=model.origin.sha256,
        epoch=standing.epoch if standing else None,
        step=standing.step if standing else 0,
        decoder=asked.decoding.facts(),
        data=tuple(map(str, asked.data.places)),
        digest=asked.data.digest,
    )


def _run(place: Path, asked: Asked) -> _Model:
    found = asked.ranks.once(lambda: best(place, asked.on_notice))
    run, batch = hearing(found, asked.device), found.standing.config.batch

    def judged_by(decoder: Decoder) -> Evaluation:
        how = (run.alphabet, batch, asked.progress, asked.workers, asked.ranks, decoder)
        return judge(run.model, run.features, asked.data, *how)

    return _Model(alphabet=run.alphabet, origin=found.origin, standing=found.standing, judged=judged_by)


def _exported(place: Path, asked: Asked) -> _Model:
    origin = asked.ranks.once(lambda: _origin(place))
    model = open_model(place, str(asked.device), asked.on_notice)

    def judged_by(decoder: Decoder) -> Evaluation:
        how = (asked.data, BatchConfig(), asked.progress, asked.workers, asked.ranks)
        return judged(hearing_of(model), decoder, *how)

    return _Model(alphabet=model.alphabet, origin=origin, standing=None, judged=judged_by)


def _origin(place: Path) -> Origin:
    path = place / EXPORTED if place.is_dir() else place
    try:
        return Origin(name=path.name, sha256=sha256_of(path))
    except OSError as error:
        raise TrainingError(
            f"cannot read {path}: {error.strerror}; name a run or a file that dsprep export has written"
        ) from error


def hearing_of(model: AcousticModel) -> Callable[[Loaded], Heeded]:
    """How a model that is not torch's hears a batch."""

    def hear(batch: Loaded) -> Heeded:
        clips = [pcm_N[:length] for pcm_N, length in zip(batch.pcm_BN, batch.lengths, strict=True)]
        log_probs = model.log_probs(clips)
        steps = [len(one_TV) for one_TV in log_probs]
        log_probs_BTV = np.zeros((len(clips), max(steps), model.alphabet.size), np.float32)
        for row_TV, one_TV in zip(log_probs_BTV, log_probs, strict=True):
            row_TV[: len(one_TV)] = one_TV
        # Log-probabilities are logits too: their softmax is what they came from.
        return log_probs, losses_of(torch.from_numpy(log_probs_BTV), steps, batch.samples, model.alphabet)

    return hear
