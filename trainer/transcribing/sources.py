"""Sources: the sounds that a user names, one after another.

    a.wav                       a file of any kind that is read
    talks/                      a folder: its audio files and those below it, by name
    dev-clean.csv  shards/      manifests and shards: their clips, in the manifest's order, by id
    (samples, 48000)            numbers, from Python

What audio is, its content tells; a file with the ending of one that is none is named, not passed over.
"""

import io
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...manifests import DataError, Sample, UsageError
from ...pipeline.places import Cache, Place, Url, manifest_of
from ...pipeline.reading import Reader
from ...pipeline.samples import rows_of
from ...pipeline.shards.foreign import tars_in
from ...pipeline.sound.audio import FULL_SCALE, Pcm, Unreadable
from ...pipeline.sound.blocks import Flow, pcm_blocks
from ...pipeline.sound.probe import HEAD, probe
from ...pipeline.sound.stream import RATES, open_stream

ENDINGS = frozenset(
    f".{name}"
    for names in (
        ("wav", "flac", "mp3", "ogg", "oga", "opus", "sph", "aiff", "aif", "au", "caf"),
        ("m4a", "mp4", "aac", "wma", "webm", "amr", "ac3", "wv", "ape", "shn"),
    )
    for name in names
)
"""Of names that say that a file is audio."""
CHANNELS = 64
"""Of samples, at the most: who has more has most likely channels first."""
Sound = Callable[[], AbstractContextManager[Iterator[Pcm]]]
"""What opens a sound, to be read in blocks, once; raises Unreadable, DataError or OSError where it cannot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A sound that can be opened."""

    name: str
    """What the user is told of it."""
    sound: Sound
    beside: Path | None = None
    """The file whose neighbours are its subtitles; None for what is no file of its own."""
    below: str = ""
    """Where they lie in a folder that is named for them, but for their ending."""


def sources_of(places: Sequence[Place], cache: Cache) -> list[Source]:
    """The sounds of all places, in their order.

    Raises:
        DataError: a folder or manifest cannot be read, or holds no sound.
        FetchError: a URL cannot be had.
        UsageError: a path names nothing.
    """
    return [source for place in places for source in _sources(place, cache)]


def _sources(place: Place, cache: Cache) -> Iterator[Source]:
    if isinstance(place, Url) or place.suffix.lower() == ".csv" or _is_shards(place):
        yield from map(_of_sample, rows_of(place, manifest_of(place, cache)))
    elif place.is_dir():
        yield from _in_folder(place)
    elif os.path.lexists(place):
        yield of_file(place, place.stem)
    else:
        raise UsageError(f"there is no {place}: name an audio file, a folder, a manifest or a shard folder")


def _is_shards(place: Path) -> bool:
    try:
        return (place / "manifest.csv").is_file() or bool(tars_in(place))
    except OSError as error:
        raise DataError(f"cannot read {place}: {error.strerror}") from error


def of_file(path: Path, below: str = "") -> Source:
    """A file by its path."""
    return Source(name=str(path), sound=partial(file_sound, path), beside=path, below=below)


def of_numbers(samples: NDArray[Any], rate: int) -> Source:
    """Samples [N] or [N, channels], int16 or floating point from -1 to 1.

    Raises:
        UsageError: they are of another shape or kind, or their rate is that of no sound.
    """
    shape, kind = getattr(samples, "shape", ()), getattr(samples, "dtype", type(samples).__name__)
    if (
        not isinstance(samples, np.ndarray)
        or samples.ndim not in (1, 2)
        or not 1 <= (*shape, 1)[1] <= CHANNELS
        or (samples.dtype.kind != "f" and samples.dtype != np.int16)
    ):
        raise UsageError(
            f"samples of shape {list(shape)} and type {kind} are not heard: an array [N] or [N, channels] is, "
            "int16 or floating point from -1 to 1"
        )
    if not isinstance(rate, int | float | np.number) or not RATES[0] <= rate <= RATES[-1]:
        raise UsageError(f"a rate of {rate} is not heard: it is samples a second, from {RATES[0]} to {RATES[-1]}")
    return Source(name="samples", sound=partial(number_sound, samples, rate))


def _in_folder(folder: Path) -> Iterator[Source]:
    found = [path for path in sorted(_files(folder)) if _is_audio(path)]
    if not found:
        raise DataError(f"there is no audio in {folder}: name a folder of audio files, a manifest or a shard folder")
    for path in found:
        yield of_file(path, path.relative_to(folder).with_suffix("").as_posix())


def _files(folder: Path) -> Iterator[Path]:
    def tell(error: OSError) -> None:
        raise DataError(f"cannot read {error.filename}: {error.strerror}") from error

    for home, _, names in os.walk(folder, onerror=tell):
        yield from (Path(home) / name for name in names if not name.startswith("."))


def _is_audio(path: Path) -> bool:
    if path.suffix.lower() in ENDINGS:
        return True
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return probe(file.read(HEAD), path.stat().st_size).kind != "unknown"
    except OSError:
        return False


def _of_sample(sample: Sample) -> Source:
    beside = sample.path if sample.offset is None else None
    return Source(name=sample.id, sound=partial(sample_sound, sample), beside=beside, below=sample.id)


@contextmanager
def file_sound(path: Path) -> Iterator[Iterator[Pcm]]:
    """The sound of a file."""
    # Without waiting: a pipe that nobody writes to would hold us for ever.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise Unreadable("it is not a file; a pipe is read from standard input, named -")
        with open_stream(file, found.st_size) as stream:
            yield pcm_blocks(stream)


@contextmanager
def sample_sound(sample: Sample) -> Iterator[Iterator[Pcm]]:
    """The sound of a manifest's row."""
    with Reader() as reader:
        data = reader.read(sample)
    with open_stream(io.BytesIO(data), len(data)) as stream:
        yield pcm_blocks(stream)


@contextmanager
def number_sound(samples: NDArray[Any], rate: int) -> Iterator[Iterator[Pcm]]:
    """The sound of numbers."""
    samples_NC = samples[:, None] if samples.ndim == 1 else samples
    if samples.dtype == np.int16:
        samples_NC = samples_NC / np.float32(FULL_SCALE)
    yield iter([Flow(rate).take(samples_NC.astype(np.float32), last=True)])
