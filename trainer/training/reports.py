"""Reports: what those who watch a run are told after each step and each epoch.

StepReport(epoch=3, step=41, steps=146, loss=12.7, rate=0.0018, norm=31.2, utterances=16, audio_seconds=54.1, ...)
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReport:
    """One step of the optimiser, on all processes together."""

    epoch: int
    """Counted from 1."""
    step: int
    """In the epoch, counted from 1."""
    steps: int
    """Of the epoch; 0 if nobody knows, as in a stream."""
    loss: float
    """Mean CTC loss of its utterances in nats; not finite in a step that was skipped."""
    rate: float
    """Learning rate."""
    norm: float
    """Of the gradient, before it was cut; not finite in a step that was skipped."""
    utterances: int
    audio_seconds: float
    """Of these utterances."""
    seconds: float
    """Since the step before."""
    waited: float
    """Seconds of them in which this process waited for its data."""
    memory: int
    """Bytes: the most that this process has had on its device, or in memory where that is the CPU."""
    bad: tuple[str, ...] = ()
    """Utterances whose loss was no number: the step was skipped."""
    ids: tuple[str, ...] = ()
    """Utterances that this process had of it."""
