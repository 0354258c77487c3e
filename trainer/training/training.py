"""Training: one process, from manifests to checkpoints that resume exactly.

Running the same command again goes on from the newest whole checkpoint, in the middle of an epoch too, and on a
CPU ends with the same weights as if it had never stopped (some of CUDA's sums have no fixed order). The batches
of an epoch come from the plan, the random numbers of a step from (seed, epoch, step), and the rest of the state
is in the checkpoint.
"""

import math
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from ...manifests import (
    Alphabet,
    DsprepError,
    Interrupted,
    Progress,
    TrainingError,
    UsageError,
    silent,
)
from ...pipeline.commit import seal, sweep, write_whole, writing
from ...pipeline.hashing import draw
from ..augment.masks import mask
from ..config import Config, TrainConfig
from ..evaluation import ctc_losses, judge
from ..features import FEATURES
from ..loading.batches import Loaded, loaded
from ..loading.data import Data, check_alphabet, unfit, unwritable
from ..loading.streaming import Streamed, spoken, usable
from ..models import build_model
from ..order.plan import Plan
from .checkpoint import (
    EpochResult,
    Standing,
    checkpoints,
    load_model,
    load_optimizer,
    read_tensors,
    remove,
    remove_unrecorded,
    save,
)

Listener = Callable[[EpochResult], None]
NAMED = 20
"""Of the samples that are left out, to be told."""


def train(
    config: Config,
    alphabet: Alphabet,
    data: Data | Streamed,
    dev: Data,
    run: Path,
    device: str = "cpu",
    progress: Progress = silent,
    on_epoch: Listener = lambda result: None,
    on_notice: Callable[[str], None] = lambda notice: None,
    should_stop: Callable[[], bool] = lambda: False,
    workers: int = 1,
) -> Standing:
    """Train to the last epoch of `config`, from the beginning or from where `run` stands.

    `should_stop` is asked after each step; when it says so, a checkpoint is saved first. `workers` threads read the
    sound: how many changes nothing but the time it takes.

    Raises:
        DataError: a transcript cannot be written with the alphabet.
        TrainingError: `run` is of another config or data, or a loss is not a number.
        UsageError: `data` is a stream, and the schedule needs to know the number of its steps.
        Interrupted: `should_stop` said so.
    """
    if isinstance(data, Data):
        check_alphabet(data, alphabet)
    elif config.mix.hours or config.batch.window:
        raise UsageError("mix.hours and batch.window need to know all samples beforehand: leave them out, or --stream")
    elif config.train.schedule == "cosine":
        raise UsageError(
            "the schedule cosine needs the number of steps in an epoch, which a stream does not tell: "
            "add --set train.schedule=constant or decay, or leave out --stream"
        )
    if listed := unwritable(dev, alphabet):
        on_notice(f"dev data: the alphabet lacks {listed}: these count as errors")
    with writing(run):
        run.mkdir(parents=True, exist_ok=True)
        sweep(run)
    remove_unrecorded(run)
    trainer = Trainer(config, alphabet, data, dev, run, device, progress, on_notice, should_stop, workers)
    trainer.write_history()
    while trainer.standing.epoch < config.train.epochs:
        on_epoch(trainer.epoch())
    return trainer.standing


class Trainer:
    """A run in memory: model, optimiser, and where it stands."""

    def __init__(
        self,
        config: Config,
        alphabet: Alphabet,
        data: Data | Streamed,
        dev: Data,
        run: Path,
        device: str,
        progress: Progress,
        on_notice: Callable[[str], None],
        should_stop: Callable[[], bool],
        workers: int,
    ) -> None:
        self.config, self.alphabet, self.dev, self.run = config, alphabet, dev, run
        self.device, self.progress = torch.device(device), progress
        self.notice, self.should_stop, self.workers = on_notice, should_stop, workers
        self.features = FEATURES[config.features]().to(device)
        torch.manual_seed(config.train.seed)
        self.model = build_model(config, self.features.size, alphabet.size).to(device)
        self.optimizer = torch.optim.AdamW(
            (one for one in self.model.parameters() if one.requires_grad),
            lr=config.train.rate,
            weight_decay=config.train.weight_decay,
            fused=True,
        )
        self.plan: Plan | None = None
        self.data = self._fitting(data) if isinstance(data, Data) else data
        self.standing = Standing(
            config=config,
            alphabet=alphabet,
            data=self.data.digest if isinstance(self.data, Streamed) else self.data.ordered_digest(config),
            dev=dev.digest,
            epoch=0,
            step=0,
            summed_loss=0.0,
            utterances=0,
            history=(),
        )
        self.saved = time.monotonic()
        self._resume()

    def epoch(self) -> EpochResult:
        """The rest of the epoch under way, its judgement on the dev data, and a checkpoint if it is worth one."""
        number = self.standing.epoch
        steps, batches = self._batches()
        with closing(batches) as coming:
            for batch in coming:
                self._step(batch, steps)
                self.progress(f"epoch {number + 1}", self.standing.step, steps, "batches")
                self._save_or_stop()
        try:
            result = self._judged(number)
        except (DsprepError, Interrupted):  # the epoch's work is not lost for a bad clip among the dev data
            self._save()
            raise
        history = (*self.standing.history, result)
        self.standing = replace(self.standing, epoch=number + 1, step=0, summed_loss=0.0, utterances=0, history=history)
        if result is self.standing.best or self.standing.epoch == self.config.train.epochs:
            self._save()
        self.write_history()
        return result

    def write_history(self) -> None:
        """What each epoch came to, for people and plots."""
        write_whole(self.run / "history.json", seal({"epochs": self.standing.facts()["history"]}, indent=1))

    def _batches(self) -> tuple[int, Generator[Loaded]]:
        """The steps of the epoch under way, 0 if nobody knows, and the batches that are left of it."""
        data, number = self.data, self.standing.epoch
        if isinstance(data, Streamed):
            fits = usable(self.alphabet, self.features, self.model)
            return 0, spoken(data, self.config, number, fits, self.notice)
        if self.plan is None:
            self.plan = Plan(data.clips, self.config.batch, self.config.train.seed, self.config.mix)
        batches = self.plan.epoch(number)
        return len(batches), loaded(data, batches[self.standing.step :], self.workers)

    def _step(self, batch: Loaded, steps: int) -> None:
        """One step of the optimiser; `steps` are in an epoch, 0 if nobody knows."""
        train, at = self.config.train, self.standing
        torch.manual_seed(int.from_bytes(draw(train.seed, at.epoch, at.step)) >> 1)
        for group in self.optimizer.param_groups:
            # A stream's schedule counts epochs alone.
            group["lr"] = rate_at(train, at.epoch * steps + at.step if steps else at.epoch, steps or 1)
        with torch.no_grad():
            features_BTF, frames = self.features(batch.sound(self.device), batch.lengths)
            ids = [sample.id for sample in batch.samples]
            features_BTF = mask(features_BTF, frames, ids, self.config.augment, train.seed, at.epoch)
        self.model.train()
        logits_BTV, counts = self.model(features_BTF, frames)
        labels = [self.alphabet.encode(sample.transcript) for sample in batch.samples]
        losses_B = ctc_losses(logits_BTV, counts, labels, self.alphabet.blank)
        self._check(losses_B, ids)
        self.optimizer.zero_grad()
        losses_B.mean().backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), train.clip)
        self._check(norm.expand(len(ids)), ids)
        self.optimizer.step()
        self.standing = replace(
            at,
            step=at.step + 1,
            summed_loss=at.summed_loss + float(losses_B.detach().sum()),
            utterances=at.utterances + len(ids),
        )

    def _check(self, losses_B: torch.Tensor, ids: list[str]) -> None:
        bad = [name for name, loss in zip(ids, losses_B.tolist(), strict=True) if not math.isfinite(loss)]
        if bad:
            raise TrainingError(
                f"the loss of {', '.join(bad)} or its gradient is not a number, in epoch "
                f"{self.standing.epoch + 1}, batch {self.standing.step + 1}: look at these clips, or begin a new --run "
                f"with a lower train.rate; {self.run} keeps its last checkpoint"
            )

    def _judged(self, number: int) -> EpochResult:
        def progress(stage: str, done: int, total: int, unit: str) -> None:
            self.progress(stage, done, total, unit)
            if self.should_stop():
                raise Interrupted(self._farewell())

        judged = judge(self.model, self.features, self.dev, self.alphabet, self.config.batch, progress, self.workers)
        return EpochResult(
            epoch=number + 1,
            loss=self.standing.summed_loss / self.standing.utterances,
            dev_loss=judged.loss,
            dev_words=judged.words,
            dev_characters=judged.characters,
        )

    def _save_or_stop(self) -> None:
        stop = self.should_stop()
        if stop or time.monotonic() - self.saved > 60 * self.config.train.save_minutes:
            self._save()
        if stop:
            raise Interrupted(self._farewell())

    def _farewell(self) -> str:
        return f"stopped; type the same command to go on from {self.run}"

    def _save(self) -> None:
        save(self.run, self.standing, self.model, self.optimizer)
        self.saved = time.monotonic()

    def _fitting(self, data: Data) -> Data:
        rows = unfit(data, self.features, self.model)
        if not len(rows):
            return data
        if len(rows) == len(data.samples):
            raise TrainingError("every transcript is longer than its audio allows: is this the right data?")
        named = ", ".join(sorted(data.samples[row].id for row in rows[:NAMED].tolist()))
        more = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
        why = "CTC has no path for so many characters in so little audio"
        self.notice(f"left out of training, for {why}: {named}{more}")
        return data.without(rows)

    def _resume(self) -> None:
        for path, standing in checkpoints(self.run):
            self._same_run(standing)
            try:
                tensors = read_tensors(path)
            except TrainingError as error:
                remove(path)
                self.notice(f"{error}; it is removed")
                continue
            load_model(self.model, tensors)
            load_optimizer(self.optimizer, self.model, tensors)
            self.standing = replace(standing, config=self.config)
            self.notice(f"going on after epoch {standing.epoch}, batch {standing.step} of the next ({path.name})")
            if standing.step and isinstance(self.data, Streamed):
                self.notice("a stream cannot be gone into: that epoch's samples come once more from the first on")
            return

    def _same_run(self, before: Standing) -> None:
        """A checkpoint continues a run with the same config, alphabet and data, and no other."""
        if before.key == self.standing.key:
            return
        mine, theirs = _flat(self.standing.identity()), _flat(before.identity())
        changed = ", ".join(
            f"{name.removeprefix('config.')}: {theirs.get(name)} there, {value} now"
            for name, value in mine.items()
            if value != theirs.get(name)
        )
        raise TrainingError(
            f"{self.run} is another run ({changed}): name another --run folder, or give what it was begun with"
        )


def rate_at(train: TrainConfig, step: int, steps_per_epoch: int) -> float:
    """The learning rate of a step, counted from 0 over the whole run.

    Epochs may differ in steps, where sets are mixed or shuffled in windows: a step of one is counted as if all epochs
    were like it, so that the rate follows the share of the epochs that is done, and needs no epoch's plan but its own.
    """
    if train.schedule == "decay":
        return train.rate * train.decay ** (step // steps_per_epoch)
    if train.schedule == "cosine":
        total = train.epochs * steps_per_epoch
        rise = max(1.0, train.warmup * total)
        if step < rise:
            return train.rate * (step + 1) / (rise + 1)
        return train.rate * (1 + math.cos(math.pi * (step - rise) / max(1.0, total - rise))) / 2
    return train.rate


def _flat(facts: object, prefix: str = "") -> dict[str, object]:
    if not isinstance(facts, dict):
        return {prefix: facts}
    return {
        key: value
        for name, inner in facts.items()
        for key, value in _flat(inner, f"{prefix}.{name}" if prefix else name).items()
    }
