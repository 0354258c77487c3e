"""Clips: the sound of some utterances as MP3 in base64, for a page that has no other files.

MP3 is what every browser plays, about 4 kB a second. libsndfile's Opus and Vorbis carry a random number, so that
the same evaluation would not make the same page.
"""

import io
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import soundfile

from ...manifests import DataError, FetchError, Sample
from ...manifests.ctc import RATE
from ...pipeline.pcm import read_pcm
from ...pipeline.reading import Reader
from ...pipeline.sound.audio import Pcm

CLIPS = 100
"""That are looked at for a page, at most."""
BYTES = 10_000_000
"""Of a page, that clips may take as base64."""
LONGEST = 120.0
"""Seconds of a clip; one that is longer has no player."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clips:
    """What can be listened to, by id, and what cannot."""

    sound: dict[str, str]
    """MP3 in base64."""
    gone: tuple[str, ...]
    """Ids of those that could not be read."""
    long: tuple[str, ...]
    """Ids of those that are too long."""


def clips_of(samples: Iterable[Sample], room: int = BYTES) -> Clips:
    """The first samples that fit in `room` bytes of base64; where the network does not work, what came before."""
    sound: dict[str, str] = {}
    gone: list[str] = []
    long: list[str] = []
    with Reader() as reader:
        for sample in islice(samples, CLIPS):
            try:
                clip = _clip(sample, reader)
            except (DataError, FetchError) as error:
                gone.append(sample.id)
                if isinstance(error, FetchError):
                    break
                continue
            if clip is None:
                long.append(sample.id)
                continue
            room -= len(clip)
            if room < 0:
                break
            sound[sample.id] = clip
    return Clips(sound=sound, gone=tuple(gone), long=tuple(long))


def _clip(sample: Sample, reader: Reader) -> str | None:
    """A sample as MP3 in base64, None if it is too long; one that says so is not read."""
    if (sample.duration or 0.0) > LONGEST:
        return None
    pcm = read_pcm(sample, reader)
    return b64encode(mp3(pcm)).decode() if len(pcm) <= LONGEST * RATE else None


def mp3(pcm: Pcm) -> bytes:
    """16 kHz mono as MP3."""
    file = io.BytesIO()
    soundfile.write(file, pcm, RATE, format="MP3")
    return file.getvalue()
