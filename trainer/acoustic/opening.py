"""Opening: a model that hears, from where a user says it lies."""

from collections.abc import Callable
from pathlib import Path

from .acoustic import AcousticModel


def open_model(
    place: Path, device: str | None = None, on_notice: Callable[[str], None] = lambda notice: None
) -> AcousticModel:
    """The best checkpoint of a run, on a device as users name it, by default a GPU if there is one.

    Raises:
        TrainingError: the run has no whole checkpoint.
        UsageError: there is no such device.
    """
    from ..training.device import device_of
    from .run import open_run

    return open_run(place, device_of(device), on_notice)
