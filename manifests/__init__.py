"""The words everyone speaks: Utterance, Sample, the manifest, the alphabet, the errors. Standard library only."""

from . import ctc
from .alphabet import Alphabet, alphabet_bytes, describe, english, read_alphabet
from .errors import (
    DataError,
    DsprepError,
    FetchError,
    Interrupted,
    MissingExtraError,
    OutputError,
    SourceError,
    TrainingError,
    UsageError,
)
from .manifest import csv_bytes, manifest_bytes, read_manifest, seconds_text
from .progress import Progress, silent
from .sample import Sample
from .utterance import ID, BadRow, Utterance

__all__ = [
    "ID",
    "Alphabet",
    "BadRow",
    "DataError",
    "DsprepError",
    "FetchError",
    "Interrupted",
    "MissingExtraError",
    "OutputError",
    "Progress",
    "Sample",
    "SourceError",
    "TrainingError",
    "UsageError",
    "Utterance",
    "alphabet_bytes",
    "csv_bytes",
    "ctc",
    "describe",
    "english",
    "manifest_bytes",
    "read_alphabet",
    "read_manifest",
    "seconds_text",
    "silent",
]
