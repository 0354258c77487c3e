"""Stream: a run's model that hears an utterance while it comes.

    stream = RunStream(model, features)
    stream.feed(pcm_N)              the steps of 20 ms that are certain now, TV; perhaps none
    stream.end()                    the rest

Axes: B utterances, of which there is one, N samples of 16 kHz, T steps, V labels.
"""

from typing import Any

import numpy as np
import torch

from ...manifests import UsageError
from ...pipeline.sound.audio import FULL_SCALE, Pcm
from ..decoding.decoder import LogProbs
from ..features import Features
from ..models import Model
from .finite import check_finite


class RunStream:
    """One utterance. What is handed on is never changed, so that a piece that was broken off can be fed again."""

    def __init__(self, model: Model, features: Features) -> None:
        self._model, self._features = model, features
        self._sound = features.begin()
        self._state: Any = model.begin()
        self._over = False

    def feed(self, pcm_N: Pcm) -> LogProbs:
        """The steps that are certain now that these samples have come; there may be none.

        Raises:
            TrainingError: the model's outputs are no numbers.
            UsageError: the stream has ended.
        """
        return self._heard(pcm_N, last=False)

    def end(self) -> LogProbs:
        """The steps that are left, for nothing more comes; none if nothing ever came."""
        heard_TV = self._heard(np.zeros(0, np.int16), last=True)
        self._over = True
        return heard_TV

    @torch.inference_mode()
    def _heard(self, pcm_N: Pcm, last: bool) -> LogProbs:
        if self._over:
            raise UsageError("this stream has ended: begin another one")
        device = next(self._model.parameters()).device
        samples_BN = torch.from_numpy(pcm_N.astype(np.float32))[None].to(device) / FULL_SCALE
        features_BTF, sound = self._features.carry(samples_BN, self._sound, last)
        # A stream without samples has no steps, and owes none.
        logits_BTV, state = self._model.carry(features_BTF, self._state, last and sound.come > 0)
        check_finite(logits_BTV)
        self._sound, self._state = sound, state
        log_probs_TV: LogProbs = logits_BTV[0].float().log_softmax(1).cpu().numpy()
        return log_probs_TV
