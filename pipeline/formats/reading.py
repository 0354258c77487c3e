"""What the readers share: lines with their numbers, JSON without surprises, ids, audio files that must be there.

    train.json:17: audio/x.wav is not there

Everything read here is other people's: a path in it is only ever read, a command in it never run.
"""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...manifests import ID, DataError, Sample, cleaned
from ...manifests.manifest import COLUMNS
from ...manifests.utterance import check_text


def file_in(place: Path, mains: Sequence[str]) -> Path:
    """The file that a user means: a file itself, or the first of `mains` that is in a folder."""
    if not place.is_dir():
        return place
    return next((place / name for name in mains if (place / name).is_file()), place / mains[0])


def read_text(path: Path) -> str:
    """A UTF-8 file, gunzipped if its name ends in `.gz`; line ends stay as they are.

    Raises:
        DataError: it is missing, damaged or not UTF-8.
    """
    try:
        data = path.read_bytes()
        return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")
    except FileNotFoundError as error:
        raise DataError(f"there is no {path}") from error
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as text: {error}") from error


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines that are not blank, with their numbers from 1. A line ends with LF or CR LF and with nothing else."""
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if line.strip():
            yield number, line.removesuffix("\r")


@contextmanager
def at(path: Path, number: int) -> Iterator[None]:
    """Say of a ValueError on which line it is."""
    try:
        yield
    except ValueError as error:
        raise DataError.at(path, number, str(error)) from error


def parse_object(text: str) -> dict[str, Any]:
    """A JSON object without NaN, infinities and doubled keys; ValueError if it is anything else."""
    try:
        value = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_unique)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


def string(row: dict[str, Any], key: str, default: str | None = None) -> str:
    """A string of a JSON object; null counts as missing. ValueError if it is missing or no string."""
    value = row.get(key)
    value = default if value is None else value
    if not isinstance(value, str):
        raise ValueError(f"it has no {key}" if value is None else f"{key} {value!r} is not a string")
    return value


def seconds(row: dict[str, Any], key: str) -> float | None:
    """A number of a JSON object that is a time, None where it is missing or null; ValueError if it is no number."""
    value = row.get(key)
    if value is not None and (not isinstance(value, int | float) or isinstance(value, bool)):
        raise ValueError(f"{key} {value!r} is not a number of seconds")
    try:
        return None if value is None else float(value)
    except OverflowError as error:  # JSON's whole numbers have no end
        raise ValueError(f"{key} has too many digits for a number of seconds") from error


def extra(value: Any) -> str:
    """A further value of a JSON object as the text of a column."""
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)


def extras_of(row: Mapping[str, Any], known: Sequence[str] = ()) -> tuple[tuple[str, str], ...]:
    """What of a row is not `known`, as columns; one that has a name of ours is called `original_...`."""
    named = [(f"original_{key}" if key in COLUMNS else key, extra(row[key])) for key in row if key not in known]
    for name, _ in named:
        check_text("the name of a column", name)
    if len(dict(named)) < len(named):
        raise ValueError(f"two columns are called the same: {', '.join(name for name, _ in named)}")
    return tuple(named)


def audio_sample(name: str, folder: Path, **fields: Any) -> Sample:
    """A sample whose audio is the file `name`, seen from `folder`; ValueError if it is not there."""
    path = folder / name
    try:
        if name and path.is_file():
            return Sample(path=path, size=path.stat().st_size, **fields)
    except OSError:  # a name too long, a folder closed to us
        pass
    raise ValueError(f"{name or 'its audio'} is not there (looked for {path}); --root names another folder to look in")


class Ids:
    """Gives each row an id of ours: its own where that is one, or else one made of its name and told from others.

    "sw02001-A_0001" stays; "AlGore 27.35" becomes "AlGore-27-35", and its own name goes into the extras.
    """

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._taken: set[str] = set()
        self._counts: dict[str, int] = {}

    def named(self, name: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        """The id of a row that has the name `name`, and extras; ValueError if another row has that name too."""
        if name in self._names:
            raise ValueError(f"id {name} appears twice")
        self._names.add(name)
        made = self.made(name)
        return made, () if made == name else (("original_id", name),)

    def made(self, name: str) -> str:
        """An id that no other row has, like `name`."""
        plain = name if ID.fullmatch(name) else cleaned(name)[-80:] or "clip"
        made = plain
        while made in self._taken:
            self._counts[plain] = self._counts.get(plain, 1) + 1
            made = f"{plain[-80:]}-{self._counts[plain]}"
        self._taken.add(made)
        return made


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} appears twice in one object")
    return row
