"""Evaluating: any model on data, with all that says what was evaluated, so that a rate can be cited and found again.

Evaluated(evaluation=..., place="run", model=Origin(name="00012-000000.safetensors", sha256="5f2c..."), ...)
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..manifests import Alphabet, Progress, TrainingError, silent
from ..pipeline.hashing import sha256_of
from ..pipeline.places import Place
from .acoustic.acoustic import AcousticModel
from .acoustic.opening import open_model
from .acoustic.run import hearing
from .config import BatchConfig
from .decoding.decoder import Decoder
from .decoding.decoding import Decoding
from .evaluation import ALONE, GREEDY, Heeded, judge, judged, losses_of
from .loading.batches import Loaded
from .loading.data import Data, unwritable
from .scoring.heard import Evaluation
from .scoring.rules import Rules
from .scoring.summary import METHOD
from .training.checkpoint import FOLDER, best
from .training.ranks import Ranks
from .training.standing import Origin, Standing

EXPORTED = ".onnx"
"""How the name of an exported model ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """What a model made of data, and what model, data and rules these were."""

    evaluation: Evaluation
    place: Path
    """The run or the exported model, as it was named."""
    model: Origin
    """The checkpoint or the file."""
    standing: Standing | None
    """Where the run stood; None for an exported model."""
    decoder: str
    """What wrote the texts: `greedy` ..."""
    decoding: Decoding
    """How it was asked to."""
    data: tuple[str, ...]
    """Manifests and shard folders, as they were named."""
    digest: str
    """Of the data."""
    rules: Rules = field(default_factory=Rules)
    """How texts were compared."""

    @property
    def told(self) -> str:
        """Which weights these are, in a few words."""
        if self.standing is None:
            return self.model.name
        step = f", batch {self.standing.step}" if self.standing.step else ""
        return f"after epoch {self.standing.epoch}{step}"

    @property
    def title(self) -> str:
        """What was evaluated, in a line."""
        return f"{self.place.resolve().name} on {', '.join(map(_name, self.data))}"

    def shown(self) -> dict[str, str]:
        """What a report says beside the rates."""
        how = self.evaluation.summary().how
        settings = [f"{key} {value}" for key, value in asdict(self.decoding).items() if value is not None]
        facts = {
            "model": f"{self.place}, {self.told}",
            "checkpoint": self.model.name,
            "sha256": self.model.sha256,
            "data": ", ".join(self.data),
            "data digest": self.digest,
            "decoder": ", ".join([self.decoder, *settings]),
            "text profile": self.rules.name,
            "95% intervals": f"{METHOD}: {how.resamples} resamples of {how.units} {how.unit}, seed {how.seed}",
        }
        return facts | ({"references": ", ".join(self.rules.files)} if self.rules.files else {})

    def facts(self) -> dict[str, Any]:
        """As JSON."""
        standing = self.standing
        return {
            "model": {
                "place": str(self.place),
                **asdict(self.model),
                "epoch": standing.epoch if standing else None,
                "step": standing.step if standing else None,
            },
            "data": {"places": list(self.data), "digest": self.digest, "references": list(self.rules.files)},
            "decoder": {"name": self.decoder, **{key: _plain(value) for key, value in asdict(self.decoding).items()}},
            "profile": self.rules.name,
            **self.evaluation.facts(),
        }


def is_exported(place: Path) -> bool:
    """Whether a place is an exported model by its name."""
    return place.suffix == EXPORTED and not place.is_dir()


def is_model(place: Place) -> bool:
    """Whether a place is a run or an exported model, rather than data."""
    return isinstance(place, Path) and (is_exported(place) or (place / FOLDER).is_dir())


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
    decoder = asked.decoding.decoder(model.alphabet)
    return Evaluated(
        evaluation=model.judged(decoder),
        place=place,
        model=model.origin,
        standing=model.standing,
        decoder=type(decoder).__name__.lower(),
        decoding=asked.decoding,
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


def _origin(path: Path) -> Origin:
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


def _name(place: str) -> str:
    return place.rstrip("/").rpartition("/")[2]


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value
