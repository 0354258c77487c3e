"""Progress: how long work tells its caller where it stands, without knowing who listens."""

from typing import Protocol


class Progress(Protocol):
    """Called with the stage's name, units done so far, units in all (0: not known), and the unit's name.

    It is called often and from the main thread only, so it must be cheap; it may raise to stop the work.
    """

    def __call__(self, stage: str, done: int, total: int, unit: str) -> None: ...


def size_text(size: float) -> str:
    """Bytes for people: `12 B`, `93.6 kB`, `61.8 GB`."""
    if size < 1000:
        return f"{size:.0f} B"
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 1000 or unit == "GB":
            break
    return f"{size:.1f} {unit}"


def silent(stage: str, done: int, total: int, unit: str) -> None:
    """The listener that does nothing."""
