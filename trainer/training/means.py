"""Means: what a run is carried out with, and who hears of it. Not what it is: that is config, alphabet and data."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from ...manifests import Progress, silent
from ...pipeline.places import Cache
from .ranks import Ranks
from .reports import StepReport
from .standing import EpochResult


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
