"""Resuming: whether a run may go on as it is asked to, and from where. A pure function of two standings."""

from collections.abc import Callable
from dataclasses import replace

from ...manifests import TrainingError
from .standing import Standing

FIXED = ("features", "model.", "alphabet", "blank")
"""Without these the weights mean nothing."""
ORDER = ("training data", "batch.", "mix.", "train.seed")
"""These decide which clips have been seen of the epoch under way."""


def going_on(before: Standing, now: Standing, accept: bool, place: str, on_notice: Callable[[str], None]) -> Standing:
    """Where a run that stands at `before` goes on, when it is asked to as `now`.

    Raises:
        TrainingError: something has changed that may not, or that was not accepted.
    """
    changes = _changes(before, now)
    told = ", ".join(f"{name.removeprefix('config.')}: {there} there, {here} now" for name, there, here in changes)
    if not changes:
        return replace(before, config=now.config)
    if any(name.startswith(FIXED) for name, _, _ in changes):
        raise TrainingError(f"{place} is another run ({told}): name another --run folder, and this one by --init")
    if not accept:
        raise TrainingError(
            f"{place} is another run ({told}): name another --run folder, give what it was begun with, "
            "or add --accept-changes"
        )
    on_notice(f"changes that are accepted: {told}")
    changed = replace(before, config=now.config, data=now.data, dev=now.dev, noises=now.noises)
    if before.step and any(name.startswith(ORDER) for name, _, _ in changes):
        on_notice("the order of clips is another one now: the epoch under way begins again")
        return replace(changed, step=0, summed_loss=0.0, utterances=0)
    return changed


def _changes(before: Standing, now: Standing) -> list[tuple[str, object, object]]:
    theirs, mine = before.identity(), now.identity()
    return [
        (name, theirs.get(name, "nothing"), mine.get(name, "nothing"))
        for name in sorted(theirs | mine)
        if theirs.get(name) != mine.get(name)
    ]
