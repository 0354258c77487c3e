"""Batching: windows of many sounds, heard together, in batches of like length; what comes of them comes in their order.

    asked       Begin a, Window 3 s, End, Begin b, Window 25 s, Window 4 s, End, Begin c, Window 24 s, End
    batches     25 s, 24 s | 4 s, 3 s
    answered    Begin a, Heard, End, Begin b, Heard, Heard, End, Begin c, Heard, End

So many seconds of windows are held at a time, and no more.

Axes: T steps of 20 ms, V labels.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..acoustic.acoustic import AcousticModel
from ..decoding.decoder import STEP, LogProbs
from .sources import Source
from .windows import Window

BATCHES = 8
"""That are held, to have some of like length among them."""
EVENTS = 10_000
"""That are held at the most."""


@dataclass(frozen=True, slots=True)
class Begin:
    """A sound begins."""

    source: Source


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """The next steps of the sound that has begun."""

    log_probs_TV: LogProbs


@dataclass(frozen=True, slots=True)
class End:
    """It has ended."""

    seconds: float
    """It had."""


@dataclass(frozen=True, slots=True)
class Broken:
    """It cannot be heard to its end."""

    reason: str


Answer = Begin | Heard | End | Broken
Asked = Answer | Window


def answered(model: AcousticModel, asked: Iterable[Asked], batch_seconds: float) -> Iterator[Answer]:
    """Everything as it was asked, but windows are heard."""
    pool: list[Asked] = []
    seconds = 0.0
    for one in asked:
        pool.append(one)
        seconds += _seconds(one)
        if seconds >= BATCHES * batch_seconds or len(pool) >= EVENTS:
            yield from _settled(model, pool, batch_seconds)
            pool, seconds = [], 0.0
    yield from _settled(model, pool, batch_seconds)


def batches_of(windows: Iterable[Window], batch_seconds: float) -> list[list[Window]]:
    """The windows by length, longest first, in batches that last so long with their padding, or have one window."""
    batches: list[list[Window]] = []
    for window in sorted(windows, key=lambda one: len(one.pcm_N), reverse=True):
        if not batches or (len(batches[-1]) + 1) * batches[-1][0].seconds > batch_seconds:
            batches.append([])
        batches[-1].append(window)
    return batches


def _settled(model: AcousticModel, pool: list[Asked], batch_seconds: float) -> Iterator[Answer]:
    heard: dict[int, Heard] = {}
    for batch in batches_of((one for one in pool if isinstance(one, Window)), batch_seconds):
        found = model.log_probs([window.pcm_N for window in batch])
        heard |= {id(window): Heard(window.kept(one_TV)) for window, one_TV in zip(batch, found, strict=True)}
    for one in pool:
        yield heard[id(one)] if isinstance(one, Window) else one


def _seconds(one: Asked) -> float:
    if isinstance(one, Window):
        return one.seconds
    return len(one.log_probs_TV) * STEP if isinstance(one, Heard) else 0.0
