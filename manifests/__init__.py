"""The words everyone speaks: Utterance, Sample, the manifest, the alphabet, the errors. Standard library only."""

from . import ctc
from .alphabet import Alphabet, alphabet_bytes, describe, english, read_alphabet
from .choice import number, one_of
from .errors import (
    DataError,
    DsprepError,
    FailedElsewhere,
    FetchError,
    Interrupted,
    MissingExtraError,
    OutputError,
    SourceError,
    TrainingError,
    UsageError,
)
from .manifest import (
    COLUMNS,
    LEFT_OUT,
    csv_bytes,
    csv_lines,
    manifest_bytes,
    manifest_lines,
    read_manifest,
    seconds_text,
)
from .progress import Progress, silent, size_text
from .sample import Sample
from .utterance import ID, BadRow, Utterance, cleaned

__all__ = [
    "COLUMNS",
    "ID",
    "LEFT_OUT",
    "Alphabet",
    "BadRow",
    "DataError",
    "DsprepError",
    "FailedElsewhere",
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
    "cleaned",
    "csv_bytes",
    "csv_lines",
    "ctc",
    "describe",
    "english",
    "manifest_bytes",
    "manifest_lines",
    "number",
    "one_of",
    "read_alphabet",
    "read_manifest",
    "seconds_text",
    "silent",
    "size_text",
]
