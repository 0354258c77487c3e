"""Unreadable: what is said of one audio file that cannot be had whole and true.

    ValueError
    └── Unreadable           not audio, damaged, not finite, or without the channel or the times that are asked for
        ├── Truncated        it ends before its header says
        └── NeedsFfmpeg      this machine lacks the reader; the file may be sound

They are no part of the tree of DsprepError: a clip that cannot be read costs a row, not the import.
"""


class Unreadable(ValueError):
    """Audio that cannot be had whole and true: it is not audio, or damaged."""


class Truncated(Unreadable):
    """Audio that ends before its header says."""


class NeedsFfmpeg(Unreadable):
    """Audio that libsndfile does not read, or reads wrongly, on a machine without ffmpeg."""
