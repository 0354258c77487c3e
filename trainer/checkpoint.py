"""Checkpoints: the whole state of a run, committed like everything that lasts. No pickle.

    RUN/checkpoints/00000150.safetensors    weights and optimiser, by name
    RUN/checkpoints/00000150.json           its record: sha256, and the facts below

Facts: config, alphabet, digest of the training data, (epoch, step), the history of epochs. That is all there
is to a run: the order of the data and the random numbers of a step are functions of the seed and (epoch, step).
"""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from ..manifests import Alphabet, TrainingError
from ..pipeline.commit import (
    Building,
    Record,
    accepted,
    commit,
    digest_of,
    discard,
    read_record,
    record_path,
)
from .config import Config, config_of
from .models import Model
from .wer import Errors

KEEP_LATEST = 2
"""A damaged newest checkpoint leaves the one before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochResult:
    """What an epoch came to."""

    epoch: int
    """Counted from 1."""
    loss: float
    """Mean CTC loss of a training utterance, in nats."""
    dev_loss: float
    dev_words: Errors
    dev_characters: Errors

    @property
    def merit(self) -> tuple[float, float]:
        """Lower is better: word error rate on the dev data, then its loss."""
        return self.dev_words.rate, self.dev_loss


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a run stands: everything besides its tensors."""

    config: Config
    alphabet: Alphabet
    data: str
    """Digest of the training data."""
    epoch: int
    """Epochs done."""
    step: int
    """Batches done in the epoch after them."""
    total_steps: int
    """Batches done since the beginning."""
    history: tuple[EpochResult, ...]

    @property
    def key(self) -> str:
        """Digest of what a run is: a checkpoint of another run does not continue it."""
        return digest_of([self.config.facts(), asdict(self.alphabet), self.data])

    def facts(self) -> dict[str, Any]:
        """As JSON; `standing_of` is its inverse."""
        return {
            "config": self.config.facts(),
            "alphabet": {
                "characters": list(self.alphabet.characters),
                "blank": self.alphabet.blank,
            },
            "data": self.data,
            "epoch": self.epoch,
            "step": self.step,
            "total_steps": self.total_steps,
            "history": [asdict(result) for result in self.history],
        }


def standing_of(facts: dict[str, Any], place: str) -> Standing:
    """The standing in a record's facts."""
    return Standing(
        config=config_of(facts["config"], place),
        alphabet=Alphabet(tuple(facts["alphabet"]["characters"]), facts["alphabet"]["blank"]),
        data=facts["data"],
        epoch=facts["epoch"],
        step=facts["step"],
        total_steps=facts["total_steps"],
        history=tuple(_result(one) for one in facts["history"]),
    )


def save(run: Path, standing: Standing, model: Model, optimizer: torch.optim.Optimizer) -> Path:
    """Commit a checkpoint, then remove those that are neither the best nor among the latest."""
    path = run / "checkpoints" / f"{standing.total_steps:08d}.safetensors"
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    tensors |= dict(_optimizer_tensors(model, optimizer))
    contiguous = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}

    def build(building: Building) -> Any:
        with building.open() as file:
            file.write(safetensors.torch.save(contiguous))
        return standing.facts()

    commit(path, standing.key, build)
    _thin(run)
    return path


def checkpoints(run: Path) -> list[tuple[Path, Standing]]:
    """The whole checkpoints of a run by their records, newest first."""
    found = []
    for path in sorted((run / "checkpoints").glob("*.safetensors"), reverse=True):
        record = read_record(path)
        if record and accepted(path, record.key):
            found.append((path, standing_of(record.facts, str(record_path(path)))))
    return found


def best(run: Path) -> tuple[Path, Standing]:
    """The checkpoint after the best epoch, or the newest if none was made after an epoch.

    Raises:
        TrainingError: the run has no checkpoint.
    """
    found = checkpoints(run)
    if not found:
        raise TrainingError(f"{run} holds no checkpoint: name a folder that dsprep train --run has written")
    scored = [one for one in found if _at_epoch(one[1])]
    return min(scored, key=lambda one: one[1].history[-1].merit) if scored else found[0]


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint, once its sha256 has been found to be the record's.

    Raises:
        TrainingError: it is damaged.
    """
    record = read_record(path)
    data = path.read_bytes()
    if record is None or hashlib.sha256(data).hexdigest() != record.files[0].sha256:
        raise TrainingError(f"{path} is damaged: its digest is not the recorded one")
    try:
        return safetensors.torch.load(data)
    except safetensors.SafetensorError as error:
        raise TrainingError(f"{path} is no checkpoint: {error}") from error


def load_model(model: Model, tensors: dict[str, Tensor]) -> None:
    """Put a checkpoint's weights into a model."""
    model.load_state_dict(
        {name.removeprefix("model."): one for name, one in tensors.items() if name.startswith("model.")}
    )


def load_optimizer(optimizer: torch.optim.Optimizer, model: Model, tensors: dict[str, Tensor]) -> None:
    """Put a checkpoint's optimiser state into an optimiser of that model."""
    for name, parameter in model.named_parameters():
        state = {
            key.rpartition("/")[2]: value for key, value in tensors.items() if key.startswith(f"optimizer.{name}/")
        }
        if state:
            optimizer.state[parameter] = {
                key: value.to(parameter.device) if key != "step" else value for key, value in state.items()
            }


def _optimizer_tensors(model: Model, optimizer: torch.optim.Optimizer) -> Iterator[tuple[str, Tensor]]:
    for name, parameter in model.named_parameters():
        for key, value in optimizer.state.get(parameter, {}).items():
            yield f"optimizer.{name}/{key}", torch.as_tensor(value)


def _thin(run: Path) -> None:
    found = checkpoints(run)
    keep = {path for path, _ in found[:KEEP_LATEST]} | {best(run)[0]}
    for path, _ in found:
        if path not in keep:
            record_path(path).unlink(missing_ok=True)
            discard(path)


def _at_epoch(standing: Standing) -> bool:
    return bool(standing.history) and standing.step == 0


def _result(facts: dict[str, Any]) -> EpochResult:
    words, characters = Errors(**facts["dev_words"]), Errors(**facts["dev_characters"])
    return EpochResult(**{**facts, "dev_words": words, "dev_characters": characters})


__all__ = [
    "EpochResult",
    "Record",
    "Standing",
    "best",
    "checkpoints",
    "load_model",
    "load_optimizer",
    "save",
]
