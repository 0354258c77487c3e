"""Judging: what a model makes of data, and how far that is from what was said; while it trains, and afterwards.

Each utterance is decoded exactly once and its text does not depend on its batch mates. References are the
manifest's transcripts as they stand: they never pass through the alphabet.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import chain

import torch
from torch import Tensor

from ..manifests import Alphabet, Progress, Sample, silent
from .acoustic.run import logits
from .config import BatchConfig
from .decoding.decoder import Decoder, LogProbs
from .decoding.decoding import Decoding
from .features import Features
from .loading.batches import Loaded, loaded
from .loading.data import Data
from .losses import ctc_losses
from .models import Model
from .order.plan import plan_reading
from .scoring.heard import Evaluation, Heard, heard_of
from .training.ranks import Ranks

ALONE = Ranks()
GREEDY = Decoding()

Heeded = tuple[list[LogProbs], list[float]]
"""Of each clip of a batch its log-probabilities TV, and its CTC loss in nats, infinite where the text does not fit."""


@torch.inference_mode()
def judge(
    model: Model,
    features: Features,
    data: Data,
    alphabet: Alphabet,
    batch: BatchConfig,
    progress: Progress = silent,
    workers: int = 1,
    ranks: Ranks = ALONE,
    decoder: Decoder | None = None,
) -> Evaluation:
    """What `model` makes of `data`, each rank of its share, greedily without `decoder`; its mode is left as it is."""
    training, decoder = model.training, decoder or GREEDY.decoder(alphabet)
    model.eval()

    def hear(one: Loaded) -> Heeded:
        logits_BTV, steps = logits(model, features, one.sound(next(model.parameters()).device), one.lengths)
        losses = losses_of(logits_BTV, steps, one.samples, alphabet)
        log_probs_BTV = logits_BTV.float().log_softmax(2).cpu().numpy()
        return [log_probs_TV[:count] for log_probs_TV, count in zip(log_probs_BTV, steps, strict=True)], losses

    result = judged(hear, decoder, data, batch, progress, workers, ranks)
    model.train(training)
    return result


def judged(
    hear: Callable[[Loaded], Heeded],
    decoder: Decoder,
    data: Data,
    batch: BatchConfig,
    progress: Progress = silent,
    workers: int = 1,
    ranks: Ranks = ALONE,
) -> Evaluation:
    """What comes of `data` when each batch goes through `hear`, then `decoder`; each rank does its share."""
    heard: list[Heard] = []
    mine = plan_reading(data.clips, batch)[ranks.rank :: ranks.count]
    with closing(loaded(data, mine, workers)) as coming:
        for one in coming:
            log_probs, losses = hear(one)
            for sample, log_probs_TV, loss in zip(one.samples, log_probs, losses, strict=True):
                heard.append(heard_of(sample, decoder.decode(log_probs_TV)[0], loss))
            progress("evaluating", len(heard), sum(map(len, mine)), "utterances")
    everything = chain.from_iterable(ranks.gathered(heard))
    return Evaluation(tuple(sorted(everything, key=lambda one: one.sample.id)))


def losses_of(logits_BTV: Tensor, steps: list[int], samples: Sequence[Sample], alphabet: Alphabet) -> list[float]:
    """The CTC loss of each utterance, infinite where its text does not fit or cannot be written."""
    known = [not alphabet.missing(sample.transcript) for sample in samples]
    labels = [alphabet.encode(sample.transcript) if fits else [] for sample, fits in zip(samples, known, strict=True)]
    losses = ctc_losses(logits_BTV, steps, labels, alphabet.blank).tolist()
    return [loss if fits else float("inf") for loss, fits in zip(losses, known, strict=True)]
