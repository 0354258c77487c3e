"""Evaluation: what a model makes of data, and how far that is from what was said.

Each utterance is decoded exactly once and its text does not depend on its batch mates. References are the
manifest's transcripts as they stand: they never pass through the alphabet.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..manifests import Alphabet, Progress, Sample, silent
from .acoustic.run import hearing, logits
from .config import BatchConfig
from .decoding.decoder import Decoder
from .decoding.decoding import Decoding
from .decoding.hypothesis import Hypothesis
from .features import Features
from .loading.batches import Loaded, loaded
from .loading.data import Data, unwritable
from .losses import ctc_losses
from .models import Model
from .order.plan import plan_reading
from .scoring.errors import Errors, count_characters, count_words
from .training.checkpoint import best
from .training.ranks import Ranks
from .training.standing import Standing

ALONE = Ranks()
GREEDY = Decoding()


@dataclass(frozen=True, slots=True)
class Heard:
    """One utterance: what was said and what the model heard."""

    sample: Sample
    hypothesis: Hypothesis
    """The likeliest."""
    loss: float
    """CTC loss in nats; infinite when the reference does not fit or cannot be written."""
    words: Errors
    characters: Errors


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a model made of some data."""

    heard: tuple[Heard, ...]
    """By id."""

    @property
    def words(self) -> Errors:
        """Word errors of the whole."""
        return sum((one.words for one in self.heard), Errors())

    @property
    def characters(self) -> Errors:
        """Character errors of the whole."""
        return sum((one.characters for one in self.heard), Errors())

    @property
    def loss(self) -> float:
        """Mean loss of the utterances whose loss is finite."""
        finite = [one.loss for one in self.heard if one.loss < float("inf")]
        return sum(finite) / len(finite) if finite else float("inf")

    def facts(self) -> dict[str, Any]:
        """All of it as JSON: rates as fractions, raw texts, so that scores can be computed again."""
        return {
            "wer": _finite(self.words.rate),
            "cer": _finite(self.characters.rate),
            "loss": _finite(self.loss),
            "utterances": len(self.heard),
            "words": self.words.facts(),
            "characters": self.characters.facts(),
            "results": [
                {
                    "id": one.sample.id,
                    "reference": one.sample.transcript,
                    "hypothesis": one.hypothesis.text,
                    "loss": _finite(one.loss),
                    "words": one.words.facts(),
                }
                for one in self.heard
            ],
        }


def evaluate(
    run: Path,
    data: Data,
    device: torch.device | str,
    progress: Progress = silent,
    on_notice: Callable[[str], None] = lambda notice: None,
    workers: int = 1,
    ranks: Ranks = ALONE,
    decoding: Decoding = GREEDY,
) -> tuple[Evaluation, Standing]:
    """What the best checkpoint of a run makes of `data`, which `workers` threads read.

    Raises:
        TrainingError: the run has no whole checkpoint.
        DataError: a sample cannot be read.
    """
    found = hearing(ranks.once(lambda: best(run, on_notice)), device)
    standing, decoder = found.standing, decoding.decoder(found.alphabet, on_notice)
    if listed := unwritable(data, standing.alphabet):
        on_notice(f"the model cannot write {listed}: these count as errors")
    batch = standing.config.batch
    result = judge(found.model, found.features, data, found.alphabet, batch, progress, workers, ranks, decoder)
    return result, standing


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
    heard: list[Heard] = []
    mine = plan_reading(data.clips, batch)[ranks.rank :: ranks.count]
    with closing(loaded(data, mine, workers)) as coming:
        for one in coming:
            heard += _heard_batch(model, features, alphabet, decoder, one)
            progress("evaluating", len(heard), sum(map(len, mine)), "utterances")
    model.train(training)
    everything = chain.from_iterable(ranks.gathered(heard))
    return Evaluation(tuple(sorted(everything, key=lambda one: one.sample.id)))


def _losses(logits_BTV: Tensor, steps: list[int], samples: Sequence[Sample], alphabet: Alphabet) -> Iterator[float]:
    known = [not alphabet.missing(sample.transcript) for sample in samples]
    labels = [alphabet.encode(sample.transcript) if fits else [] for sample, fits in zip(samples, known, strict=True)]
    losses = ctc_losses(logits_BTV, steps, labels, alphabet.blank).tolist()
    for loss, fits in zip(losses, known, strict=True):
        yield loss if fits else float("inf")


def _heard_batch(
    model: Model, features: Features, alphabet: Alphabet, decoder: Decoder, batch: Loaded
) -> Iterator[Heard]:
    logits_BTV, steps = logits(model, features, batch.sound(next(model.parameters()).device), batch.lengths)
    losses = _losses(logits_BTV, steps, batch.samples, alphabet)
    log_probs_BTV = logits_BTV.float().log_softmax(2).cpu().numpy()
    for sample, log_probs_TV, count, loss in zip(batch.samples, log_probs_BTV, steps, losses, strict=True):
        yield _heard(sample, decoder.decode(log_probs_TV[:count])[0], loss)


def _finite(value: float) -> float | None:
    """JSON has no infinity."""
    return value if math.isfinite(value) else None


def _heard(sample: Sample, hypothesis: Hypothesis, loss: float) -> Heard:
    return Heard(
        sample,
        hypothesis,
        loss,
        count_words(sample.transcript, hypothesis.text),
        count_characters(sample.transcript, hypothesis.text),
    )
