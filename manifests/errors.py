"""The error tree, each class named for who mends it.

    DsprepError              anything a user can act on; the command line prints it in one line, exit code 1
    ├── UsageError           the command or its settings: mend what was typed
    ├── SourceError          the corpus or archive that was read: mend or fetch it again
    ├── FetchError           the network or the far server: try again, or name another source
    ├── DataError            a manifest, shard or alphabet that was read: mend it or make it anew
    ├── OutputError          the folder that is written: choose another, free space, change its rights
    ├── TrainingError        a run that cannot go on: its data, its checkpoint, its numbers
    ├── MissingExtraError    an optional package is not installed: the message has the pip command
    └── FailedElsewhere      another process of the same run has told the user: this one ends without a word

    Interrupted              the user or the system asked to stop; what was done is kept (exit code 130)

Each takes exactly one message. An error with a constructor of its own does not unpickle, and hangs the
process pool that it was raised in.
"""

from pathlib import Path
from typing import Self


class DsprepError(Exception):
    """Base of all errors that a user can act on: what happened, where, and what to do next."""

    @classmethod
    def at(cls, path: Path | str, line: int, message: str) -> Self:
        """The error with its place before the message, as ``path:line: message``."""
        return cls(f"{path}:{line}: {message}")


class UsageError(DsprepError):
    """The command or its settings are wrong."""


class SourceError(DsprepError):
    """A corpus, archive or audio file does not hold what it should."""


class FetchError(DsprepError):
    """A download failed or brought something else."""


class DataError(DsprepError):
    """A manifest, shard set or alphabet does not hold what it should."""


class OutputError(DsprepError):
    """The output folder is not ours, not writable or full."""


class TrainingError(DsprepError):
    """A training run cannot start or go on."""


class MissingExtraError(DsprepError):
    """A command needs an optional package that is not installed."""


class FailedElsewhere(DsprepError):
    """Another process of the same run met an error that it tells the user of."""


class Interrupted(Exception):
    """Work was stopped on request and can be resumed by the same command."""
