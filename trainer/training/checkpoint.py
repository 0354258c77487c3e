"""Checkpoints: the whole state of a run, committed like everything that lasts. No pickle.

    RUN/checkpoints/00003-000150.safetensors         after 3 epochs and 150 batches: weights and optimiser, by name
    RUN/checkpoints/00003-000150.safetensors.json    its record: sha256, and where the run stands

What was cut off or has one wrong bit is known by the record, told, and never used.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from ...manifests import DataError, TrainingError, UsageError
from ...pipeline.commit import Building, Record, commit, digest_of, discard, read_record, record_path, writing
from ..models import Model
from .standing import Origin, Standing, standing_of

Tensors = dict[str, Tensor]
FOLDER = "checkpoints"
DAMAGED = "its bytes are not those that were written"


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """One that is whole."""

    path: Path
    origin: Origin
    """What a run that begins with it says of its first weights."""
    standing: Standing
    tensors: Tensors


def save(
    run: Path,
    standing: Standing,
    model: Model,
    optimizer: torch.optim.Optimizer | None = None,
    anew: bool = False,
) -> Path:
    """Commit a checkpoint, then remove those that are neither the best nor among the latest.

    Where its epoch is begun `anew`, those that come after it are removed too: nobody goes on from them.

    Raises:
        OutputError: it cannot be written; the checkpoints before it stay.
    """
    path = run / FOLDER / f"{standing.epoch:05d}-{standing.step:06d}.safetensors"
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    if optimizer:
        tensors |= dict(_optimizer_tensors(model, optimizer))
    contiguous = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    facts = standing.facts()

    def build(building: Building) -> Any:
        with building.open() as file:
            file.write(safetensors.torch.save(contiguous))
        return facts

    commit(path, digest_of(facts), build)
    if anew:
        _supersede(run, standing)
    _thin(run, standing.config.train.keep)
    return path


def checkpoints(run: Path) -> list[tuple[Path, Standing]]:
    """The checkpoints of a run that have a record, newest first; whether they are damaged is not asked.

    Raises:
        TrainingError: another version of dsprep wrote one.
    """
    found = []
    for path in sorted((run / FOLDER).glob("*.safetensors"), reverse=True):
        if record := read_record(path):
            found.append((path, _standing(path, record)))
    return found


def best_first(run: Path) -> list[tuple[Path, Standing]]:
    """The checkpoints of a run, those after an epoch before those within one, then by what they are worth."""

    def order(found: tuple[Path, Standing]) -> tuple[bool, tuple[float, float], int]:
        standing = found[1]
        judged = bool(standing.history) and standing.step == 0
        return not judged, standing.history[-1].merit if judged else (0, 0), standing.epoch if judged else 0

    return sorted(checkpoints(run), key=order)


def newest(run: Path, on_notice: Callable[[str], None]) -> Checkpoint | None:
    """The newest whole checkpoint of a run, None without one; all that are damaged are told and removed.

    Raises:
        TrainingError: one cannot be read, or is of another version of dsprep.
    """
    _remove_unrecorded(run, on_notice)
    whole = None
    for path, standing in checkpoints(run):
        if whole and _is_whole(path):
            continue
        if found := None if whole else _read(path, standing):
            whole = found
            continue
        instead = "another" if whole else "the one before it"
        on_notice(f"{path} is damaged: {DAMAGED}; it is removed, and {instead} is used")
        _remove(path)
    return whole


def best(run: Path, on_notice: Callable[[str], None]) -> Checkpoint:
    """The best whole checkpoint of a run; damaged ones are told.

    Raises:
        TrainingError: there is none.
    """
    for path, standing in best_first(run):
        if found := _read(path, standing):
            return found
        on_notice(f"{path} is damaged: {DAMAGED}; the next best is used, and training again removes it")
    raise TrainingError(f"{run} holds no whole checkpoint: name a folder that dsprep train --run has written")


def origin_of(path: Path) -> Origin | None:
    """What a run that begins with this checkpoint says of its first weights, by its record; None without one."""
    record = read_record(path)
    return Origin(name=path.name, sha256=record.files[0].sha256) if record else None


def weights_of(tensors: Tensors) -> Tensors:
    """The weights among a checkpoint's tensors, by the model's own names."""
    return {name.removeprefix("model."): one for name, one in tensors.items() if name.startswith("model.")}


def load_optimizer(optimizer: torch.optim.Optimizer, model: Model, tensors: Tensors) -> None:
    """Put a checkpoint's optimiser state into an optimiser of that model."""
    for name, parameter in model.named_parameters():
        state = {
            key.rpartition("/")[2]: value for key, value in tensors.items() if key.startswith(f"optimizer.{name}/")
        }
        if state and parameter.requires_grad:
            # The fused optimiser wants its step count on the parameter's device too.
            optimizer.state[parameter] = {key: value.to(parameter.device) for key, value in state.items()}


def _read(path: Path, standing: Standing) -> Checkpoint | None:
    """A checkpoint, once its sha256 has been found to be the record's; None if it is not."""
    record, data = read_record(path), _bytes(path)
    digest = hashlib.sha256(data).hexdigest()
    with suppress(safetensors.SafetensorError):
        if record and digest == record.files[0].sha256:
            return Checkpoint(path, Origin(name=path.name, sha256=digest), standing, safetensors.torch.load(data))
    return None


def _is_whole(path: Path) -> bool:
    record = read_record(path)
    return record is not None and hashlib.sha256(_bytes(path)).hexdigest() == record.files[0].sha256


def _bytes(path: Path) -> bytes:
    """What cannot be read is not damaged: nothing of it is removed."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise TrainingError(f"cannot read {path}: {error.strerror}; mend that and type the command again") from error


def _standing(path: Path, record: Record) -> Standing:
    try:
        return standing_of(record.facts, str(record_path(path)))
    except (DataError, UsageError, KeyError, TypeError, ValueError) as error:
        raise TrainingError(
            f"{path} was written by another version of dsprep: use that version, or name another --run folder"
        ) from error


def _remove(path: Path) -> None:
    """Take a checkpoint away, its record first: without it, it does not count."""
    with writing(path):
        record_path(path).unlink(missing_ok=True)
        discard(path)


def _remove_unrecorded(run: Path, on_notice: Callable[[str], None]) -> None:
    """Take away what has no whole record: a save that was killed, or a record that is damaged."""
    for path in (run / FOLDER).glob("*.safetensors"):
        if read_record(path) is None:
            if record_path(path).exists():
                _bytes(record_path(path))
            on_notice(f"{path} has no whole record: it was not saved to the end, or is damaged; it is removed")
            _remove(path)


def _optimizer_tensors(model: Model, optimizer: torch.optim.Optimizer) -> Iterator[tuple[str, Tensor]]:
    for name, parameter in model.named_parameters():
        for key, value in optimizer.state.get(parameter, {}).items():
            yield f"optimizer.{name}/{key}", torch.as_tensor(value)


def _thin(run: Path, keep: int) -> None:
    found = checkpoints(run)
    kept = {path for path, _ in [*found[:keep], *best_first(run)[:1]]}
    for path, _ in found:
        if path not in kept:
            _remove(path)


def _supersede(run: Path, standing: Standing) -> None:
    """Take away the checkpoints that come after this standing: their epoch has begun again."""
    for path, other in checkpoints(run):
        if (other.epoch, other.step) > (standing.epoch, standing.step):
            _remove(path)
