"""Other people's data sets: each file of this folder is a format, its reader beside its writer."""

import gzip
import zlib
from pathlib import Path

from ...manifests import DataError, UsageError
from . import audiofolder, deepspeech, deepspeech_pytorch, dsprep, kaldi, lhotse, nemo, trn
from .format import Audio, Clip, Entry, Format, Holds, Sound

__all__ = ["FORMATS", "Audio", "Clip", "Entry", "Format", "Holds", "Sound", "guess"]

FORMATS: dict[str, Format] = {
    one.name: one
    for one in (
        dsprep.FORMAT,
        deepspeech.FORMAT,
        deepspeech_pytorch.JSON_FORMAT,
        deepspeech_pytorch.CSV_FORMAT,
        nemo.FORMAT,
        kaldi.FORMAT,
        lhotse.FORMAT,
        audiofolder.FORMAT,
        trn.FORMAT,
    )
}

HEAD = 65_536
"""Bytes of a file that tell its format."""


def guess(place: Path) -> Format:
    """The format of a file or folder, by what is in it.

    Raises:
        DataError: there is no such place.
        UsageError: it is of none that can be told.
    """
    if place.is_dir():
        found = [one for one in FORMATS.values() if any((place / name).is_file() for name in one.mains)]
    else:
        head = _head(place)
        found = [one for one in FORMATS.values() if place.name in one.mains or one.begins(head)]
    if not found:
        readable = ", ".join(one.name for one in FORMATS.values() if one.read)
        what = "holds no data set we know: name a file in it, or" if place.is_dir() else "does not tell its format:"
        raise UsageError(f"{place} {what} add --from, one of {readable}")
    return found[0]


def _head(place: Path) -> str:
    try:
        with gzip.open(place) if place.suffix == ".gz" else place.open("rb") as file:
            return file.read(HEAD).decode("utf-8-sig", "replace")
    except FileNotFoundError as error:
        raise DataError(f"there is no {place}") from error
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{place} cannot be read: {error}") from error
