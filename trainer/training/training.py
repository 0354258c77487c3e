"""Training: from manifests to checkpoints that resume exactly, on as many processes as torchrun starts.

Running the same command again goes on from the newest whole checkpoint, in the middle of an epoch too, and on a CPU
ends with the same weights as if it had never stopped (some of CUDA's sums have no fixed order). The batches of an epoch
come from the plan, the random numbers of a step from (seed, epoch, step), and the rest of the state is in the
checkpoint.
"""

import math
import resource
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import closing, nullcontext
from dataclasses import replace
from itertools import repeat
from pathlib import Path

import torch

from ...manifests import (
    Alphabet,
    DsprepError,
    Interrupted,
    TrainingError,
)
from ...manifests.ctc import RATE
from ...pipeline.commit import seal, write_whole
from ..augment.augmenter import Augmenter
from ..config import Config
from ..judging import judge
from ..loading.batches import Loaded, loaded
from ..loading.data import Data, unwritable
from ..loading.streaming import Streamed, spoken, usable
from ..order.plan import Plan
from ..scoring.heard import Evaluation
from ..watching.curves import write_curves
from ..watching.watcher import report_of
from .audience import Audience
from .beginning import NAMED, begun, check, fitting, source_of
from .checkpoint import Checkpoint, checkpoints, load_optimizer, save
from .determinism import deterministic
from .learner import Learned, Learner
from .means import Callbacks, Means
from .rehearsal import rehearse
from .reports import StepReport
from .schedule import finished, rate_at
from .standing import EpochResult, Standing


def train(
    config: Config,
    alphabet: Alphabet,
    data: Data | Streamed,
    dev: Data,
    run: Path,
    means: Means | None = None,
    callbacks: Callbacks | None = None,
    init: Path | None = None,
) -> Standing:
    """Train to the last epoch of `config`, from the beginning or from where `run` stands.

    With `init`, a run, the model, the features and the first weights are those of its best checkpoint. Of several ranks
    each calls this, with the same arguments but for `callbacks`: only the first is to speak, and all are to stop if one
    says so.

    Raises:
        DataError: a transcript cannot be written with the alphabet.
        TrainingError: `run` is of another config or data, a batch does not fit in memory, or losses are no numbers.
        UsageError: `data` is a stream, and something needs to know it beforehand.
        Interrupted: `should_stop` said so, and a checkpoint is saved.
    """
    means, callbacks = means or Means(), callbacks or Callbacks()
    means.ranks.once(lambda: check(config, alphabet, data, means.ranks))
    if listed := unwritable(dev, alphabet):
        callbacks.on_notice(f"dev data: the alphabet lacks {listed}: these count as errors")
    config, source = means.ranks.once(lambda: source_of(config, run, init, callbacks.on_notice))
    with deterministic(means.device) if means.deterministic else nullcontext() as told:
        if told:
            callbacks.on_notice(told)
        trainer = Trainer(config, alphabet, data, dev, run, means, callbacks, source)
        with closing(trainer.audience):
            while not finished(config.train, trainer.standing.history):
                trainer.epoch()
    if means.ranks.first:
        write_curves(run, [report_of(one) for one in trainer.standing.history])
    return trainer.standing


class Trainer:
    """A run in memory."""

    def __init__(
        self,
        config: Config,
        alphabet: Alphabet,
        data: Data | Streamed,
        dev: Data,
        run: Path,
        means: Means,
        callbacks: Callbacks,
        source: Checkpoint | None = None,
    ) -> None:
        self.config, self.dev, self.run, self.means, self.ranks = config, dev, run, means, means.ranks
        self.callbacks, self.audience = callbacks, Audience(callbacks)
        self.learner = means.ranks.in_turn(lambda: Learner(config, alphabet, means.device, means.ranks))
        self.data = fitting(data, self.learner, self.audience.notice) if isinstance(data, Data) else data
        self.plan: Plan | None = None
        self.fits = usable(alphabet, self.learner.features, self.learner.model)
        self.augmenter = means.ranks.in_turn(
            lambda: Augmenter.of(
                config.augment,
                config.train.seed,
                means.cache,
                lambda sample, length: self.fits(sample.transcript, length) is None,
            )
        )
        fingerprint = self.data.ordered_digest(config) if isinstance(self.data, Data) else self.data.digest
        self.standing = Standing(
            config=config, alphabet=alphabet, data=fingerprint, dev=dev.digest, noises=self.augmenter.digest
        )
        self._begin(source)
        self.audience.open(run, self.standing, means, dev)
        self.saved = self.stepped = time.monotonic()
        self.saving = 0.0

    def epoch(self) -> None:
        """The rest of the epoch under way, its judgement on the dev data, and a checkpoint."""
        number = self.standing.epoch
        steps, sizes, batches = self._batches()
        waited = self.stepped = time.monotonic()
        with closing(batches):
            for size, batch in zip(sizes, batches, strict=False):
                self._step(batch, size or len(batch.samples), steps, time.monotonic() - waited)
                self.callbacks.progress(f"epoch {number + 1}", self.standing.step, steps, "batches")
                waited = time.monotonic()
        if self.ranks.count > 1:  # a rank that waits for another while judging cannot save when it is told to stop
            self._save()
        judged = self._judged()
        result = self._result(judged, steps)
        history = (*self.standing.history, result)
        self.standing = replace(self.standing, epoch=number + 1, step=0, summed_loss=0.0, utterances=0, history=history)
        self.audience.epoch(result, judged, self.learner.model)  # before it is saved: what a kill takes is told again
        if result is self.standing.best or finished(self.config.train, history) or self._saving_is_cheap():
            self._save()
        self._write_history()
        self.callbacks.on_epoch(result)

    def _batches(self) -> tuple[int, Iterator[int], Generator[Loaded]]:
        """Steps of the epoch under way, 0 if nobody knows; of what is left, sizes of batches, and this rank's parts."""
        at, data, ranks = self.standing, self.data, self.ranks
        change = self.augmenter.at(at.epoch)
        if isinstance(data, Streamed):
            return 0, repeat(0), spoken(data, self.config, at.epoch, self.fits, self.audience.notice, change)
        if self.plan is None:
            self.plan = Plan(data.clips, self.config.batch, self.config.train.seed, self.config.mix)
        whole = self.plan.epoch(at.epoch)
        parts = whole.of(ranks.rank, ranks.count)[at.step :]
        sizes = (len(batch) for batch in whole[at.step :])
        return len(whole), sizes, loaded(data, parts, self.means.workers, change)

    def _step(self, batch: Loaded, size: int, steps: int, waited: float) -> None:
        """One step of the optimiser; then a checkpoint if it is time for one or for a stop."""
        at, rate = self.standing, self._rate(self.standing.step, steps)
        due = self.ranks.first and time.monotonic() - self.saved > 60 * self.config.train.save_minutes
        asked = (float(self.callbacks.should_stop()), float(due), sum(batch.lengths) / RATE)
        learned = self.learner.step(batch, size, at.epoch, at.step, rate, asked)
        self._take_in(learned, size)
        self._report(learned, batch, size, steps, rate, waited)
        if learned.bad:
            self._tell_bad(learned)
        stop, save, _ = map(any, learned.asked)
        if stop or save:
            self._save()
        if stop:
            raise Interrupted(self._farewell())

    def _take_in(self, learned: Learned, size: int) -> None:
        at = self.standing
        if learned.bad:
            self.standing = replace(at, step=at.step + 1, skipped=at.skipped + 1)
        else:
            loss, count = at.summed_loss + learned.summed_loss, at.utterances + size
            self.standing = replace(at, step=at.step + 1, summed_loss=loss, utterances=count, skipped=0)

    def _tell_bad(self, learned: Learned) -> None:
        """A step was skipped; after many in a row the run ends, its last checkpoint as it is."""
        at, train = self.standing, self.config.train
        named = ", ".join(learned.bad[:NAMED])
        where = f"the loss of {named} or its gradient is not a number, in epoch {at.epoch + 1}, batch {at.step}"
        if at.skipped >= train.bad_steps:
            raise TrainingError(
                f"{where}, the last of {at.skipped} such steps in a row: look at these clips, or begin a new --run "
                f"with a lower train.rate; {self.run} keeps its last checkpoint"
            )
        self.audience.notice(f"{where}: the step is skipped")

    def _report(self, learned: Learned, batch: Loaded, size: int, steps: int, rate: float, waited: float) -> None:
        now, at = time.monotonic(), self.standing
        _, _, audio = learned.asked
        report = StepReport(
            epoch=at.epoch + 1,
            step=at.step,
            steps=steps,
            loss=learned.summed_loss / size,
            rate=rate,
            norm=learned.norm,
            utterances=size,
            audio_seconds=sum(audio),
            seconds=now - self.stepped,
            waited=waited,
            memory=_memory(self.means.device),
            bad=learned.bad,
            ids=tuple(sample.id for sample in batch.samples),
        )
        self.stepped = now
        self.audience.step(report)

    def _judged(self) -> Evaluation:
        """What the model makes of the dev data; the epoch's work is not lost for a bad clip among them."""
        callbacks, learner, means = self.callbacks, self.learner, self.means

        def progress(stage: str, done: int, total: int, unit: str) -> None:
            callbacks.progress(stage, done, total, unit)
            if callbacks.should_stop():
                raise Interrupted(self._farewell())

        config, alphabet, ranks = self.config.batch, self.standing.alphabet, self.ranks
        try:
            return judge(learner.model, learner.features, self.dev, alphabet, config, progress, means.workers, ranks)
        except (DsprepError, Interrupted):
            self._save()
            raise

    def _rate(self, step: int, steps: int) -> float:
        """The learning rate of a step of the epoch under way; a stream's schedule counts epochs alone."""
        return rate_at(self.config.train, self.standing.epoch, step if steps else 0, steps or 1, self.standing.history)

    def _result(self, judged: Evaluation, steps: int) -> EpochResult:
        at = self.standing
        return EpochResult(
            epoch=at.epoch + 1,
            loss=at.summed_loss / at.utterances if at.utterances else math.inf,
            dev_loss=judged.loss,
            dev_words=judged.words,
            dev_characters=judged.characters,
            rate=self._rate(steps - 1, steps),
        )

    def _save(self) -> None:
        begun = time.monotonic()
        if self.ranks.first:
            save(self.run, self.standing, self.learner.model, self.learner.optimizer)
        self.saved = time.monotonic()
        self.saving = self.saved - begun

    def _saving_is_cheap(self) -> bool:
        """Whether saving takes less than a tenth of the time; an epoch of one clip is trained sooner than saved."""
        return time.monotonic() - self.saved > 9 * self.saving

    def _write_history(self) -> None:
        """What each epoch came to, for people and plots."""
        if not self.ranks.first:
            return
        write_whole(self.run / "history.json", seal({"epochs": self.standing.facts()["history"]}, indent=1))

    @property
    def _place(self) -> tuple[int, int]:
        return self.standing.epoch, self.standing.step

    def _farewell(self) -> str:
        return f"stopped; type the same command to go on from {self.run}"

    def _begin(self, source: Checkpoint | None) -> None:
        """Where the run stands, with its weights; all that can be known to be wrong is told before the first step."""
        learner, accept, notice = self.learner, self.means.accept_changes, self.audience.notice
        found = self.ranks.once(lambda: begun(self.run, self.standing, learner, source, accept, notice))
        self.standing, weights, optimizer = found
        learner.model.load_state_dict(weights)
        load_optimizer(learner.optimizer, learner.model, optimizer)
        if self.ranks.first and any((one.epoch, one.step) > self._place for _, one in checkpoints(self.run)):
            save(self.run, self.standing, learner.model, learner.optimizer, anew=True)
        if isinstance(self.data, Streamed) and self.standing.step:
            notice("a stream cannot be gone into: that epoch's samples come once more from the first on")
        if isinstance(self.data, Data) and not finished(self.config.train, self.standing.history):
            rehearse(learner, self.data, self.augmenter.longest)
        learner.share()
        self._write_history()


def _memory(device: torch.device) -> int:
    """Bytes: the most that this process has had."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
