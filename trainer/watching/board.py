"""The board: a run in TensorBoard, under RUN/tensorboard.

    steps/     by step: loss, learning rate, norm of the gradient, pace, memory
    epochs/    by epoch: losses of training and dev data, WER, CER; histograms of weights and of the last step's
               gradients, by parameter, as mozilla/DeepSpeech 0.1 has them; a few clips of the dev data, and what was
               said and heard in them

Two folders, for the two count differently, and a run that goes on forgets steps and epochs apart.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...pipeline.reading import Reader
from ...pipeline.sound.audio import Pcm
from ..loading.batches import load
from ..loading.data import Data
from ..order.draws import mixed, order, salt_of
from ..scoring.heard import Evaluation
from ..training.reports import StepReport
from .events import Events
from .pace import Recent
from .watcher import EpochReport, Watcher

EXAMPLES = 4
MOST_VALUES = 1 << 20
"""Of a tensor that are looked at for its histogram."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Example:
    """A clip to listen to."""

    id: str
    pcm: Pcm


def examples_of(dev: Data, count: int = EXAMPLES) -> tuple[Example, ...]:
    """A few clips of the dev data, by the same draw in each run, whatever the order of the manifests.

    Raises:
        DataError: one cannot be read.
    """
    drawn = order(mixed(dev.clips.keys, salt_of("examples")))[:count]
    with Reader() as reader:
        found = [load(dev, [index], reader) for index in drawn.tolist()]
    return tuple(Example(id=one.samples[0].id, pcm=one.pcm_BN[0]) for one in found)


class Board(Watcher):
    """A run's event files, open at their ends."""

    def __init__(self, run: Path, epochs: int, steps: int, examples: Sequence[Example] = ()) -> None:
        """Go on after so many epochs, and so many steps of the run in all: what was told of later ones is forgotten.

        Raises:
            OutputError: the files cannot be written.
        """
        self._steps, self._recent, self._examples = steps, Recent(), {one.id for one in examples}
        self._by_step = Events(run / "tensorboard" / "steps", steps + 1)
        self._by_epoch = Events(run / "tensorboard" / "epochs", epochs + 1 if epochs else 0)
        if not epochs or self._by_epoch.fresh:
            for one in examples:
                self._by_epoch.audio(0, f"examples/{one.id}", one.pcm)
            self._by_epoch.flush()

    def on_step(self, report: StepReport) -> None:
        """A point in each curve of steps; what is not finite has none."""
        self._steps += 1
        self._recent.add(report)
        pace = self._recent.pace
        values = {
            "steps/loss": report.loss,
            "steps/rate": report.rate,
            "steps/norm": report.norm,
            "steps/skipped": self._recent.bad,
            "pace/hours_per_hour": pace.hours_per_hour,
            "pace/wait_share": pace.wait_share,
            "pace/memory_GB": report.memory / 1e9,
        }
        self._by_step.scalars(self._steps, _finite(values))

    def on_epoch(self, report: EpochReport, judged: Evaluation, model: nn.Module) -> None:
        """A point in each curve of epochs, the histograms, and what was heard in the examples."""
        values = {
            "loss/training": report.loss,
            "loss/dev": report.dev_loss,
            "errors/WER": report.wer,
            "errors/CER": report.cer,
            "loss/rate": report.rate,
        }
        self._by_epoch.scalars(report.epoch, _finite(values))
        for name, parameter in model.named_parameters():
            self._histogram(report.epoch, f"weights/{name}", parameter)
            if parameter.grad is not None:
                self._histogram(report.epoch, f"gradients/{name}", parameter.grad)
        for heard in judged.heard:
            if heard.sample.id in self._examples:
                # Four spaces: Markdown shows it as it is. TensorBoard takes a tag for one kind of thing alone.
                text = f"    said   {heard.sample.transcript}\n    heard  {heard.hypothesis.text}"
                self._by_epoch.text(report.epoch, f"examples/{heard.sample.id}/heard", text)
        self._by_step.flush()
        self._by_epoch.flush()

    def close(self) -> None:
        """Write what is left.

        Raises:
            OutputError: the disk is full or failed.
        """
        try:
            self._by_step.close()
        finally:
            self._by_epoch.close()

    def _histogram(self, epoch: int, tag: str, tensor: Tensor) -> None:
        values = _thinned(tensor)
        if len(values):
            self._by_epoch.histogram(epoch, tag, values)


def _thinned(tensor: Tensor) -> NDArray[np.float64]:
    """The finite values of a tensor; of a large one every so manieth, an odd number so as to come by all columns."""
    flat = tensor.detach().reshape(-1)
    stride = flat.numel() // MOST_VALUES | 1
    values: NDArray[np.float64] = flat[::stride].to("cpu", torch.float64).numpy()
    return values[np.isfinite(values)]


def _finite(values: Mapping[str, float]) -> dict[str, float]:
    return {tag: value for tag, value in values.items() if math.isfinite(value)}
