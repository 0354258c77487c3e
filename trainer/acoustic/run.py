"""Run: the best checkpoint of a run as a model that hears.

Axes: B utterances, T steps, V labels.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from ...manifests import Alphabet, UsageError
from ...manifests.ctc import RATE
from ...pipeline.sound.audio import Pcm
from ..decoding.decoder import LogProbs
from ..features import FEATURES, Features
from ..loading.batches import packed
from ..models import Model, build_model
from ..training.checkpoint import Checkpoint, best, weights_of
from ..training.standing import Standing
from .acoustic import AcousticStream
from .finite import check_finite
from .stream import RunStream


class RunModel:
    """A model of torch's, on a device, that is not trained any more."""

    def __init__(self, model: Model, features: Features, standing: Standing) -> None:
        self.model, self.features, self.standing = model.eval(), features, standing

    @property
    def alphabet(self) -> Alphabet:
        """What it writes with."""
        return self.standing.alphabet

    @property
    def device(self) -> torch.device:
        """Where it is computed."""
        return next(self.model.parameters()).device

    def log_probs(self, clips: Sequence[Pcm]) -> list[LogProbs]:
        """What it makes of each clip, TV; they are one batch.

        Raises:
            TrainingError: its outputs are no numbers.
            UsageError: the batch does not fit in the device's memory.
        """
        return self._heard(clips, lambda logits_BTV: logits_BTV.log_softmax(2))

    def logits(self, clips: Sequence[Pcm]) -> list[LogProbs]:
        """The same before the softmax, TV.

        Raises:
            TrainingError: its outputs are no numbers.
            UsageError: the batch does not fit in the device's memory.
        """
        return self._heard(clips, lambda logits_BTV: logits_BTV)

    def stream(self) -> AcousticStream:
        """A new stream.

        Raises:
            UsageError: the network or its features need the whole utterance; says what to train.
        """
        return RunStream(self.model, self.features)

    @torch.inference_mode()
    def _heard(self, clips: Sequence[Pcm], last: Callable[[Tensor], Tensor]) -> list[LogProbs]:
        batch = packed((), clips)
        try:
            logits_BTV, steps = logits(self.model, self.features, batch.sound(self.device), batch.lengths)
            heard_BTV = last(logits_BTV.float()).cpu().numpy()
        except torch.OutOfMemoryError as error:
            raise UsageError(
                f"{len(clips)} clips of up to {max(batch.lengths) / RATE:.1f} s do not fit in the memory of "
                f"{self.device} together: ask for smaller batches"
            ) from error
        return [one_TV[:count] for one_TV, count in zip(heard_BTV, steps, strict=True)]


def logits(model: Model, features: Features, samples_BN: Tensor, lengths: list[int]) -> tuple[Tensor, list[int]]:
    """(logits_BTV, steps of each) of samples from -1 to 1.

    Raises:
        TrainingError: they are no numbers.
    """
    features_BTF, frames = features(samples_BN, lengths)
    logits_BTV, steps = model(features_BTF, frames)
    check_finite(logits_BTV)
    return logits_BTV, steps


def open_run(run: Path, device: torch.device | str, on_notice: Callable[[str], None] = lambda notice: None) -> RunModel:
    """The best checkpoint of a run.

    Raises:
        TrainingError: the run has no whole checkpoint, or its outputs would be another version's.
    """
    return hearing(best(run, on_notice), device)


def hearing(found: Checkpoint, device: torch.device | str) -> RunModel:
    """A checkpoint as a model that hears."""
    standing = found.standing
    features = FEATURES[standing.config.features]().to(device)
    model = build_model(standing.config, features.size, standing.alphabet.size).to(device)
    model.load_state_dict(weights_of(found.tensors))
    return RunModel(model, features, standing)
