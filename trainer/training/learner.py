"""Learner: a model, its optimiser, and what one step does to them.

Axes: B utterances, N samples, T frames or steps, F features, V labels.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from ...manifests import Alphabet
from ...pipeline.hashing import draw
from ..augment.masks import mask
from ..config import Config
from ..features import FEATURES
from ..loading.batches import Loaded
from ..losses import ctc_losses
from ..models import build_model
from ..models.norm import share_norms
from .fine_tuning import freeze
from .ranks import Ranks


@dataclass(frozen=True, slots=True)
class Learned:
    """What a step came to, the same on all ranks."""

    summed_loss: float
    """Of all its utterances, in nats."""
    norm: float
    """Of the gradient, before it was cut."""
    bad: tuple[str, ...]
    """Utterances whose loss or gradient is no number; if there are any, the weights are as they were."""
    asked: tuple[tuple[float, ...], ...]
    """What each rank asked for, by question."""


class Learner:
    """A model that learns."""

    def __init__(self, config: Config, alphabet: Alphabet, device: torch.device, ranks: Ranks) -> None:
        self.config, self.alphabet, self.device, self.ranks = config, alphabet, device, ranks
        self.features = FEATURES[config.features]().to(device)
        torch.manual_seed(config.train.seed)
        self.model = build_model(config, self.features.size, alphabet.size).to(device)
        self.frozen = freeze(self.model, config.train.freeze)
        self.learning = [one for one in self.model.parameters() if one.requires_grad]
        self.optimizer = torch.optim.AdamW(
            self.learning, lr=config.train.rate, weight_decay=config.train.weight_decay, fused=True
        )
        self.half = _half(config.train.precision, device)
        self.network: nn.Module = self.model

    def share(self) -> None:
        """From here on, each rank takes a part of each batch; all have the weights of rank 0."""
        if self.ranks.count > 1:
            share_norms(self.model)
            self.network = DistributedDataParallel(self.model, gradient_as_bucket_view=True)

    def step(
        self, batch: Loaded, size: int, epoch: int, step: int, rate: float, asked: Sequence[float] = ()
    ) -> Learned:
        """One step of the optimiser on a batch of `size` utterances, of which this rank has `batch`."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        statistics = [buffer.clone() for buffer in self.model.buffers()]
        self._train()
        self.optimizer.zero_grad()
        losses = [
            self._learn(part, size, epoch, (step, self.ranks.rank, number), last)
            for number, (part, last) in enumerate(_pieces(batch, self.config.batch.pieces))
        ]
        loss = math.fsum(torch.cat(losses).tolist())
        norm = float(nn.utils.clip_grad_norm_(self.learning, self.config.train.clip))
        table = self.ranks.table([loss, norm, *asked])
        total, norms = math.fsum(row[0] for row in table), [row[1] for row in table]
        bad: tuple[str, ...] = ()
        if math.isfinite(total) and all(map(math.isfinite, norms)):
            self.optimizer.step()
        else:
            bad = self._bad(batch, torch.cat(losses))
            for buffer, before in zip(self.model.buffers(), statistics, strict=True):
                buffer.copy_(before)
        return Learned(total, norms[0], bad, tuple(zip(*table, strict=True))[2:])

    def losses(self, batch: Loaded, epoch: int) -> Tensor:
        """The CTC loss of each utterance in nats [B]; without utterances, a 0 through which all weights go."""
        with torch.no_grad():
            features_BTF, frames = self._seen(batch, epoch)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            logits_BTV, counts = self.network(features_BTF, frames)
        if not batch.samples:
            nothing: Tensor = logits_BTV.float().sum((1, 2)) * 0
            return nothing
        labels = [self.alphabet.encode(sample.transcript) for sample in batch.samples]
        return ctc_losses(logits_BTV, counts, labels, self.alphabet.blank)

    def _learn(self, part: Loaded, size: int, epoch: int, at: tuple[int, int, int], last: bool) -> Tensor:
        """Add a part's gradient to what there is; its losses."""
        torch.manual_seed(int.from_bytes(draw(self.config.train.seed, epoch, *at)) >> 1)
        alone: AbstractContextManager[None] = nullcontext()
        if isinstance(self.network, DistributedDataParallel) and not last:
            alone = self.network.no_sync()
        with alone:
            losses_B = self.losses(part, epoch)
            # The gradients of ranks are averaged: their sum is wanted.
            (losses_B.sum() * (self.ranks.count / size)).backward()  # type: ignore[no-untyped-call]
        return losses_B.detach()

    def _seen(self, batch: Loaded, epoch: int) -> tuple[Tensor, list[int]]:
        """What the model sees: (features_BTF, frames of each). Of no utterances, one without a frame."""
        if not batch.samples:
            return torch.zeros(1, 2, self.features.size, device=self.device), [0]
        features_BTF, frames = self.features(batch.sound(self.device), batch.lengths)
        ids = [sample.id for sample in batch.samples]
        return mask(features_BTF, frames, ids, self.config.augment, self.config.train.seed, epoch), frames

    def _train(self) -> None:
        self.model.train()
        for module in self.frozen:
            module.eval()

    def _bad(self, batch: Loaded, losses_B: Tensor) -> tuple[str, ...]:
        """Whose loss is no number, on all ranks; everybody's, where it is the gradient alone."""
        names = [sample.id for sample in batch.samples]
        mine = [name for name, loss in zip(names, losses_B.tolist(), strict=False) if not math.isfinite(loss)]
        found = self.ranks.gathered((mine, names))
        bad = [name for theirs, _ in found for name in theirs]
        return tuple(bad or (name for _, theirs in found for name in theirs))


def _pieces(batch: Loaded, count: int) -> Iterator[tuple[Loaded, bool]]:
    """Parts of a batch, and whether each is the last: as many on all ranks, some of them without utterances."""
    for number in range(count):
        yield batch.part(number, count), number == count - 1


def _half(precision: str, device: torch.device) -> bool:
    if precision == "auto":
        return device.type == "cuda" and torch.cuda.is_bf16_supported()
    return precision == "bfloat16"
