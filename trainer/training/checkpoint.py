"""Checkpoints: the whole state of a run, committed like everything that lasts. No pickle.

    RUN/checkpoints/00003-000150.safetensors         after 3 epochs and 150 batches: weights and optimiser, by name
    RUN/checkpoints/00003-000150.safetensors.json    its record: sha256, and the facts below

Facts: config, alphabet, digests of the data, (epoch, step), what the epoch under way has come to, the history of
epochs. That is all there is to a run: the order of the data and the random numbers of a step are functions of
the seed and (epoch, step).
"""

import hashlib
import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from ...manifests import Alphabet, TrainingError, UsageError
from ...pipeline.commit import Building, accepted, commit, digest_of, discard, read_record, record_path, writing
from ..config import Config, config_of
from ..models import Model
from ..wer import Errors

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

    def facts(self) -> dict[str, Any]:
        """As JSON, which has no infinity: a loss that no utterance could be given is null."""
        return {**asdict(self), "dev_loss": self.dev_loss if math.isfinite(self.dev_loss) else None}

    @property
    def merit(self) -> tuple[float, float]:
        """Lower is better: word, then character error rate on the dev data. Of equals, the earlier epoch is better."""
        return self.dev_words.rate, self.dev_characters.rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a run stands: everything besides its tensors."""

    config: Config
    alphabet: Alphabet
    data: str
    """Digest of the training data."""
    dev: str
    """Digest of the data that epochs are judged by."""
    epoch: int
    """Epochs done."""
    step: int
    """Batches done in the epoch after them."""
    summed_loss: float
    """Of the utterances of these batches."""
    utterances: int
    """In these batches."""
    history: tuple[EpochResult, ...]

    @property
    def key(self) -> str:
        """Digest of what a run is: a checkpoint of another run does not continue it."""
        return digest_of(self.identity())

    def identity(self) -> dict[str, Any]:
        """All that must be the same for a run to go on."""
        config = self.config.facts()
        del config["train"]["save_minutes"]
        if self.config.train.schedule != "cosine":  # elsewhere the number of epochs decides nothing before the last
            del config["train"]["epochs"]
        return {"config": config, "alphabet": asdict(self.alphabet), "training data": self.data, "dev data": self.dev}

    @property
    def best(self) -> EpochResult:
        """The best epoch so far, of which there must be one."""
        return min(self.history, key=lambda result: result.merit)

    def facts(self) -> dict[str, Any]:
        """As JSON; `standing_of` is its inverse."""
        return {
            "config": self.config.facts(),
            "alphabet": {
                "characters": list(self.alphabet.characters),
                "blank": self.alphabet.blank,
            },
            "data": self.data,
            "dev": self.dev,
            "epoch": self.epoch,
            "step": self.step,
            "summed_loss": self.summed_loss,
            "utterances": self.utterances,
            "history": [result.facts() for result in self.history],
        }


def standing_of(facts: dict[str, Any], place: str) -> Standing:
    """The standing in a record's facts."""
    return Standing(
        config=config_of(facts["config"], place),
        alphabet=Alphabet(tuple(facts["alphabet"]["characters"]), facts["alphabet"]["blank"]),
        data=facts["data"],
        dev=facts["dev"],
        epoch=facts["epoch"],
        step=facts["step"],
        summed_loss=facts["summed_loss"],
        utterances=facts["utterances"],
        history=tuple(_result(one) for one in facts["history"]),
    )


def save(run: Path, standing: Standing, model: Model, optimizer: torch.optim.Optimizer) -> Path:
    """Commit a checkpoint, then remove those that are neither the best nor among the latest."""
    path = run / "checkpoints" / f"{standing.epoch:05d}-{standing.step:06d}.safetensors"
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    tensors |= dict(_optimizer_tensors(model, optimizer))
    contiguous = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    facts = standing.facts()

    def build(building: Building) -> Any:
        with building.open() as file:
            file.write(safetensors.torch.save(contiguous))
        return facts

    commit(path, digest_of(facts), build)
    _thin(run)
    return path


def checkpoints(run: Path) -> list[tuple[Path, Standing]]:
    """The checkpoints of a run that are whole by their records, newest first."""
    found = []
    for path in sorted((run / "checkpoints").glob("*.safetensors"), reverse=True):
        record = read_record(path)
        if record and accepted(path, record.key):
            with suppress(KeyError, TypeError, ValueError, UsageError):  # of another dsprep: none of ours
                found.append((path, standing_of(record.facts, str(record_path(path)))))
    return found


def best_first(run: Path) -> list[tuple[Path, Standing]]:
    """The checkpoints of a run, those after an epoch before those within one, then by what they are worth."""

    def order(found: tuple[Path, Standing]) -> tuple[bool, tuple[float, float], int]:
        standing = found[1]
        judged = bool(standing.history) and standing.step == 0
        return not judged, standing.history[-1].merit if judged else (0, 0), standing.epoch if judged else 0

    return sorted(checkpoints(run), key=order)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint, once its sha256 has been found to be the record's.

    Raises:
        TrainingError: it is damaged or gone.
    """
    record = read_record(path)
    try:
        data = path.read_bytes()
        if record and hashlib.sha256(data).hexdigest() == record.files[0].sha256:
            return safetensors.torch.load(data)
    except (OSError, safetensors.SafetensorError):
        pass
    raise TrainingError(f"{path} is damaged: its bytes are not those that were written")


def remove(path: Path) -> None:
    """Take a checkpoint away, its record first: without it, it does not count."""
    with writing(path):
        record_path(path).unlink(missing_ok=True)
        discard(path)


def remove_unrecorded(run: Path) -> None:
    """Take away what a killed run wrote without coming to its record."""
    for path in (run / "checkpoints").glob("*.safetensors"):
        if read_record(path) is None:
            remove(path)


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
            # The fused optimiser wants its step count on the parameter's device too.
            optimizer.state[parameter] = {key: value.to(parameter.device) for key, value in state.items()}


def _optimizer_tensors(model: Model, optimizer: torch.optim.Optimizer) -> Iterator[tuple[str, Tensor]]:
    for name, parameter in model.named_parameters():
        for key, value in optimizer.state.get(parameter, {}).items():
            yield f"optimizer.{name}/{key}", torch.as_tensor(value)


def _thin(run: Path) -> None:
    found = checkpoints(run)
    keep = {path for path, _ in [*found[:KEEP_LATEST], *best_first(run)[:1]]}
    for path, _ in found:
        if path not in keep:
            remove(path)


def _result(facts: dict[str, Any]) -> EpochResult:
    words, characters = Errors(**facts["dev_words"]), Errors(**facts["dev_characters"])
    loss = math.inf if facts["dev_loss"] is None else facts["dev_loss"]
    return EpochResult(**{**facts, "dev_loss": loss, "dev_words": words, "dev_characters": characters})
