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
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, field, replace
from itertools import repeat
from pathlib import Path

import torch

from ...manifests import (
    Alphabet,
    DsprepError,
    Interrupted,
    Progress,
    TrainingError,
    UsageError,
    silent,
)
from ...manifests.ctc import RATE
from ...pipeline.commit import seal, sweep, write_whole, writing
from ...pipeline.places import Cache
from ..augment.augmenter import Augmenter
from ..config import Config
from ..evaluation import Evaluation, judge
from ..loading.batches import Loaded, loaded
from ..loading.data import Data, check_alphabet, unfit, unwritable
from ..loading.streaming import Streamed, spoken, usable
from ..order.plan import Plan
from ..watching.curves import write_curves
from ..watching.ids import Ids
from ..watching.log import Log, steps_told
from ..watching.watcher import Watcher, report_of
from .checkpoint import Tensors, best, load_optimizer, newest, save, weights_of
from .determinism import deterministic
from .fine_tuning import carry_over
from .learner import Learned, Learner
from .ranks import Ranks
from .rehearsal import check_room, rehearse
from .reports import StepReport
from .resuming import going_on
from .schedule import finished, rate_at
from .standing import EpochResult, Standing

NAMED = 20
"""Of the samples that are left out, to be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a run is carried out with."""

    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    ranks: Ranks = field(default_factory=Ranks)
    workers: int = 1
    """Threads that read the sound: how many changes nothing but the time it takes."""
    deterministic: bool = False
    accept_changes: bool = False
    """Go on with another config or other data than the run was begun with."""
    tensorboard: bool = False
    """Write RUN/tensorboard."""
    log_ids: bool = False
    """Write RUN/ids: what each process has trained on."""
    cache: Cache | None = None
    """For noises and rooms behind URLs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Callbacks:
    """Who is told what, and asked whether to stop."""

    progress: Progress = silent
    on_notice: Callable[[str], None] = lambda notice: None
    on_step: Callable[[StepReport], None] = lambda report: None
    on_epoch: Callable[[EpochResult], None] = lambda result: None
    should_stop: Callable[[], bool] = lambda: False
    """Asked after each step, and while the dev data are judged."""


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

    The first weights are those of the run `init`, if there is one. Of several ranks each calls this, with the same
    arguments but for `callbacks`: only the first is to speak, and all are to stop if one says so.

    Raises:
        DataError: a transcript cannot be written with the alphabet.
        TrainingError: `run` is of another config or data, a batch does not fit in memory, or losses are no numbers.
        UsageError: `data` is a stream, and something needs to know it beforehand.
        Interrupted: `should_stop` said so, and a checkpoint is saved.
    """
    means, callbacks = means or Means(), callbacks or Callbacks()
    _check(config, alphabet, data, means.ranks)
    if listed := unwritable(dev, alphabet):
        callbacks.on_notice(f"dev data: the alphabet lacks {listed}: these count as errors")
    with deterministic(means.device) if means.deterministic else nullcontext() as told:
        if told:
            callbacks.on_notice(told)
        with closing(Trainer(config, alphabet, data, dev, run, means, callbacks, init)) as trainer:
            while not finished(config.train, trainer.standing.history):
                callbacks.on_epoch(trainer.epoch())
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
        init: Path | None,
    ) -> None:
        self.config, self.dev, self.run, self.means, self.ranks = config, dev, run, means, means.ranks
        self.callbacks, self.told = callbacks, list[str]()
        self.watchers: Sequence[Watcher] = ()
        self.learner = Learner(config, alphabet, means.device, means.ranks)
        self.data = self._fitting(data) if isinstance(data, Data) else data
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
        self._begin(init)
        self.watchers = self._watchers()
        self.saved = self.stepped = time.monotonic()

    def close(self) -> None:
        """Let go of the logs."""
        for watcher in self.watchers:
            watcher.close()

    def epoch(self) -> EpochResult:
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
        for watcher in self.watchers:  # before it is saved: what a kill takes is told again
            watcher.on_epoch(report_of(result), judged, self.learner.model)
        self._save()
        return result

    def _batches(self) -> tuple[int, Iterator[int], Generator[Loaded]]:
        """Steps of the epoch under way, 0 if nobody knows; of what is left, sizes of batches, and this rank's parts."""
        at, data, ranks = self.standing, self.data, self.ranks
        change = self.augmenter.at(at.epoch)
        if isinstance(data, Streamed):
            return 0, repeat(0), spoken(data, self.config, at.epoch, self.fits, self._notice, change)
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
        stop, save, _ = learned.asked
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
        self._notice(f"{where}: the step is skipped")

    def _report(self, learned: Learned, batch: Loaded, size: int, steps: int, rate: float, waited: float) -> None:
        now, at = time.monotonic(), self.standing
        report = StepReport(
            epoch=at.epoch + 1,
            step=at.step,
            steps=steps,
            loss=learned.summed_loss / size,
            rate=rate,
            norm=learned.norm,
            utterances=size,
            audio_seconds=learned.asked[2],
            seconds=now - self.stepped,
            waited=waited,
            memory=_memory(self.means.device),
            bad=learned.bad,
            ids=tuple(sample.id for sample in batch.samples),
        )
        self.stepped = now
        self.callbacks.on_step(report)
        for watcher in self.watchers:
            watcher.on_step(report)

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

    def _watchers(self) -> list[Watcher]:
        """Those who are told of each step from here on, and of what was told up to now."""
        at, ranks, found = self.standing, self.ranks, list[Watcher]()
        if ranks.first:
            found.append(Log(self.run, (at.epoch, at.step)))
        if ranks.first and self.means.tensorboard:
            from ..watching.board import Board, examples_of

            found.append(Board(self.run, at.epoch, steps_told(self.run / "log.jsonl"), examples_of(self.dev)))
        if self.means.log_ids:
            found.append(Ids(self.run, ranks.rank, ranks.count, (at.epoch, at.step)))
        for text in self.told:
            for watcher in found:
                watcher.on_notice(text)
        return found

    def _notice(self, text: str) -> None:
        self.callbacks.on_notice(text)
        self.told.append(text)
        for watcher in self.watchers:
            watcher.on_notice(text)

    def _save(self) -> None:
        if self.ranks.first:
            save(self.run, self.standing, self.learner.model, self.learner.optimizer)
            self._write_history()
        self.saved = time.monotonic()

    def _write_history(self) -> None:
        """What each epoch came to, for people and plots."""
        write_whole(self.run / "history.json", seal({"epochs": self.standing.facts()["history"]}, indent=1))

    def _farewell(self) -> str:
        return f"stopped; type the same command to go on from {self.run}"

    def _fitting(self, data: Data) -> Data:
        rows = unfit(data, self.learner.features, self.learner.model)
        if not len(rows):
            return data
        if len(rows) == len(data.samples):
            raise TrainingError("every transcript is longer than its audio allows: is this the right data?")
        named = ", ".join(sorted(data.samples[row].id for row in rows[:NAMED].tolist()))
        more = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
        why = "CTC has no path for so many characters in so little audio"
        self._notice(f"left out of training, for {why}: {named}{more}")
        return data.without(rows)

    def _begin(self, init: Path | None) -> None:
        """Where the run stands, with its weights; all that can be known to be wrong is told before the first step."""
        rank0 = self.ranks.once(lambda: self._found(init))
        self.standing, model, optimizer = rank0
        self.learner.model.load_state_dict(model)
        load_optimizer(self.learner.optimizer, self.learner.model, optimizer)
        if isinstance(self.data, Data) and not finished(self.config.train, self.standing.history):
            rehearse(self.learner, self.data, self.augmenter.longest)
        self.learner.share()

    def _found(self, init: Path | None) -> tuple[Standing, Tensors, Tensors]:
        """What rank 0 finds: standing, weights, and the optimiser's state."""
        notice, learner = self._notice, self.learner
        with writing(self.run):
            self.run.mkdir(parents=True, exist_ok=True)
            sweep(self.run)
        check_room(learner, self.run)
        source = best(init, notice) if init else None
        now = replace(self.standing, origin=source.origin if source else None)
        if before := newest(self.run, notice):
            standing = going_on(before.standing, now, self.means.accept_changes, str(self.run), notice)
            notice(f"going on after epoch {standing.epoch}, batch {standing.step} of the next ({before.path.name})")
            if standing.step and isinstance(self.data, Streamed):
                notice("a stream cannot be gone into: that epoch's samples come once more from the first on")
            return standing, weights_of(before.tensors), before.tensors
        if source:
            new = carry_over(learner.model, now, source)
            notice(f"begun with {source.origin}" + (f"; new characters: {' '.join(new)}" if new else ""))
        return now, learner.model.state_dict(), {}


def _check(config: Config, alphabet: Alphabet, data: Data | Streamed, ranks: Ranks) -> None:
    """Make sure that data and config go together, before anything is read."""
    if isinstance(data, Data):
        check_alphabet(data, alphabet)
    elif ranks.count > 1:
        raise UsageError("--stream cannot give several processes equal shares: leave it out, or run one process")
    elif config.mix.hours or config.batch.window:
        raise UsageError("mix.hours and batch.window need to know all samples beforehand: leave them out, or --stream")
    elif config.train.schedule == "cosine" or config.train.warmup:
        raise UsageError(
            "the schedule cosine and train.warmup need the number of steps in an epoch, which a stream does not tell: "
            "add --set train.schedule=constant --set train.warmup=0, or leave out --stream"
        )


def _memory(device: torch.device) -> int:
    """Bytes: the most that this process has had."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
