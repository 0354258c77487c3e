"""Precise: PyTorch's model in float64, which an exported one is held against.

In float32 PyTorch's own rounding would be measured: of MFCCs, whose logarithms have no floor, it changes a
log-probability of the digits by 1.3e-3, where the exported file is within 3e-5 of the truth.

Axes: B clips, T steps, V labels.
"""

from collections.abc import Sequence
from copy import deepcopy

import numpy as np
import torch

from ...manifests import Alphabet
from ...pipeline.sound.audio import Pcm
from ..acoustic.finite import check_finite
from ..acoustic.run import RunModel
from ..decoding.decoder import LogProbs
from ..loading.batches import packed


class Precise:
    """A run's model, as exact as can be."""

    def __init__(self, found: RunModel) -> None:
        self.alphabet: Alphabet = found.alphabet
        self._model, self._features = deepcopy(found.model).double(), deepcopy(found.features).double()

    @torch.inference_mode()
    def log_probs(self, clips: Sequence[Pcm]) -> list[LogProbs]:
        """What it makes of each clip, TV; they are one batch.

        Raises:
            TrainingError: its outputs are no numbers.
        """
        batch = packed((), clips)
        samples_BN = batch.sound(torch.device("cpu")).double()
        logits_BTV, steps = self._model(*self._features(samples_BN, batch.lengths))
        check_finite(logits_BTV)
        log_probs_BTV = logits_BTV.log_softmax(2).numpy().astype(np.float32)
        return [one_TV[:count] for one_TV, count in zip(log_probs_BTV, steps, strict=True)]
