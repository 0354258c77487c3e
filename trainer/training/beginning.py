"""Beginning: what must be so before a run can take a step, and where it stands."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ...manifests import Alphabet, TrainingError, UsageError
from ...pipeline.commit import sweep, writing
from ..config import Config
from ..loading.data import Data, check_alphabet, unfit
from ..loading.streaming import Streamed
from .checkpoint import Checkpoint, Tensors, best, best_first, checkpoints, newest, origin_of, weights_of
from .fine_tuning import adopted, carry_over
from .learner import Learner
from .ranks import Ranks
from .rehearsal import check_room
from .resuming import going_on
from .standing import Standing

NAMED = 20
"""Of the samples that are left out, to be told."""
Notice = Callable[[str], None]


def check(config: Config, alphabet: Alphabet, data: Data | Streamed, ranks: Ranks) -> None:
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


def fitting(data: Data, learner: Learner, notice: Notice) -> Data:
    """The data without the clips that CTC has no path for, which are named.

    Raises:
        TrainingError: none is left.
    """
    rows = unfit(data, learner.features, learner.model)
    if not len(rows):
        return data
    if len(rows) == len(data.samples):
        raise TrainingError("every transcript is longer than its audio allows: is this the right data?")
    named = ", ".join(sorted(data.samples[row].id for row in rows[:NAMED].tolist()))
    more = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
    notice(f"left out of training, for CTC has no path for so many characters in so little audio: {named}{more}")
    return data.without(rows)


def source_of(config: Config, run: Path, init: Path | None, notice: Notice) -> tuple[Config, Checkpoint | None]:
    """The config of a run that begins, or has begun, with another one's weights, and their checkpoint if it is wanted.

    Raises:
        TrainingError: `init` is no run, or not the one that `run` was begun with.
    """
    if found := checkpoints(run):
        _, before = found[0]
        if init and (there := best_first(init)) and origin_of(there[0][0]) != before.origin:
            raise TrainingError(f"{run} was begun with {before.origin or 'no other run'}, not with the best of {init}")
        return adopted(config, before) if before.origin else config, None
    source = best(init, notice) if init else None
    return adopted(config, source.standing) if source else config, source


def begun(
    run: Path, now: Standing, learner: Learner, source: Checkpoint | None, accept: bool, notice: Notice
) -> tuple[Standing, Tensors, Tensors]:
    """Where the run stands that is asked for as `now`: standing, weights, and tensors with the optimiser's state.

    Its newest checkpoint tells; without one, its weights are those of `source`, or the learner's own.

    Raises:
        OutputError: the checkpoints cannot be written.
        TrainingError: `run` is another run.
    """
    with writing(run):
        run.mkdir(parents=True, exist_ok=True)
        sweep(run)
    check_room(learner, run)
    if before := newest(run, notice):
        standing = going_on(before.standing, now, accept, str(run), notice)
        notice(f"going on after epoch {standing.epoch}, batch {standing.step} of the next ({before.path.name})")
        return standing, weights_of(before.tensors), before.tensors
    if source:
        new = carry_over(learner.model, now, source)
        now = replace(now, origin=source.origin)
        notice(f"begun with {source.origin}" + (f"; new characters: {' '.join(new)}" if new else ""))
    return now, learner.model.state_dict(), {}
