"""Format: what a writer and a reader of other people's data sets have to say of themselves.

    Format(name="nemo", title="...", holds=Holds(duration=True, speaker=True, ...), read=read, write=write)

A reader yields `Clip`s, a writer takes `Entry`s and returns the bytes of its files by name. Neither copies audio,
decides what is lost, or touches the folder that is written: `pipeline/converting.py` does that once for all.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ...manifests import Sample
from ...manifests.sample import LONGEST


class Audio(StrEnum):
    """Where a format can have its audio."""

    TAR = "files, or members of a tar at an offset"
    FILE = "files anywhere"
    WAV = "WAV files anywhere"
    INSIDE = "files inside the folder"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds:
    """What of a sample a format can hold, besides its text."""

    audio: Audio
    id: bool = False
    """Otherwise an id is only as good as the name of the audio file."""
    duration: bool = False
    speaker: bool = False
    extras: bool = False
    spacing: bool = True
    """Blanks in the text as they are; otherwise words with one space between them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """What a reader yields: a sample, and which piece of its audio is meant."""

    sample: Sample
    start: float = 0.0
    """Seconds from the beginning of the audio."""
    end: float | None = None
    """Seconds from the beginning of the audio; None means its end."""
    channel: int | None = None
    """Channel to take, counted from 0; None takes the audio as it is."""

    def __post_init__(self) -> None:
        if not 0 <= self.start < LONGEST or (self.end is not None and not self.start < self.end < LONGEST):
            raise ValueError(f"{self.sample.id}: bad times {self.start} to {self.end}")
        if self.channel is not None and self.channel < 0:
            raise ValueError(f"{self.sample.id}: there is no channel {self.channel}")

    @property
    def whole(self) -> bool:
        """Whether it is all of its audio, so that nothing needs to be cut."""
        return self.start == 0 and self.end is None and self.channel is None


@dataclass(frozen=True, slots=True)
class Sound:
    """What the header of an audio file tells."""

    frames: int
    rate: int
    """Frames a second."""
    channels: int

    @property
    def seconds(self) -> float:
        """Exact length."""
        return self.frames / self.rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a writer takes: a sample as it will be, and what its format asked for."""

    sample: Sample
    sound: Sound | None = None
    """For formats that need it."""
    text: Path | None = None
    """Where the transcript will lie as a file of its own, for formats that have `texts`."""


Read = Callable[[Path, Path | None], Iterator[Clip]]
"""The clips at a place; relative paths in it begin at the second path, or by default at the place's own folder.

It raises DataError if something in there cannot be a clip, naming file and line."""
Write = Callable[[Sequence[Entry], Path], Mapping[str, bytes]]
"""The files for a folder, by name. It raises DataError if an entry cannot be expressed, naming its id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One row of the table of formats."""

    name: str
    title: str
    """What it is, in one line."""
    mains: tuple[str, ...]
    """Names of files that tell a folder of this format; its writer writes the first."""
    beside: tuple[str, ...] = ()
    """Further files that its writer writes, some of them only where they are needed."""
    holds: Holds
    begins: Callable[[str], bool] = lambda head: False
    """Whether a file that begins so is plainly of this format, for when the user does not say."""
    read: Read | None = None
    write: Write
    needs_duration: bool = False
    """Whether its writer must know how long each sample is."""
    needs_sound: bool = False
    """Whether its writer must know the frames, rate and channels of each file."""
    texts: bool = False
    """Whether each transcript is a file of its own."""
