"""Damage: where in a shard something is wrong, told by sample and byte.

    000003.tar  byte 3023  header of 1272-128104-0000.txt
    000003.tar  byte 9216  audio to byte 196459 (still decodes)

All of a shard but the audio follows from its samples (`tar.py`), and of the audio they know the sha256. So a shard
needs no second copy to be compared with: `scan` reads it once, and where the sha256 differs, `locate` tells why.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ...manifests import Sample
from ..hashing import BLOCK as PIECE
from ..reading import Opened
from .members import Stretch
from .tar import BLOCK, END, taken

SHOWN = 10
"""Faults of a shard that are told one by one."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in a shard that is not as it was written."""

    byte: int
    """Where it begins, counted from the beginning of the tar."""
    what: str
    key: str = ""
    """Id of the sample; empty if it is of none."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a shard must hold."""

    samples: tuple[Sample, ...]
    """In the order of their offsets, which all have."""
    size: int
    """Bytes of the tar."""
    texts: bool = True
    """Whether the samples are those of the manifest; a record knows neither their texts nor their further columns."""

    def places(self) -> list[tuple[Sample, int, int]]:
        """Each sample with the bytes at which its first header begins and the next sample's does."""
        begins = [(one.offset or 0) - BLOCK for one in self.samples]
        if self.texts:
            ends = [begin + taken(one, one.size) for begin, one in zip(begins, self.samples, strict=True)]
        else:
            ends = [*(other for _, other in pairwise(begins)), self.size - len(END)][: len(begins)]
        return list(zip(self.samples, begins, ends, strict=True))


@dataclass(frozen=True, slots=True)
class Scan:
    """What one reading of a tar tells."""

    sha256: str
    """Of all of it."""
    apart: list[Fault]
    """Where it is not what `Contents` say, audio aside: one of the two is wrong, and the sha256 tells which."""
    unsound: list[Fault]
    """Audio that does not decode, or not to the length that is told."""


def scan(file: Opened, size: int, contents: Contents) -> Scan:
    """Read a tar of `size` bytes from end to end; OSError if it cannot be read."""
    digest, done, found = hashlib.sha256(), 0, Scan("", [], [])
    for sample, begin, end in contents.places():
        if begin != done or not _can_be(sample, begin, end, size):
            found.apart.append(Fault(done, f"told to begin at byte {begin}", sample.id))
            break
        data = file.read(begin, end - begin)
        digest.update(data)
        stretch = Stretch(sample, data, contents.texts)
        if place := stretch.around():
            found.apart.append(Fault(begin + place[0], place[1], sample.id))
        elif place := stretch.unsound():
            found.unsound.append(Fault(begin + place[0], place[1], sample.id))
        done = end
    while block := file.read(done, PIECE):
        digest.update(block)
        done += len(block)
    return replace(found, sha256=digest.hexdigest())


def locate(file: Opened, size: int, contents: Contents) -> list[Fault]:
    """What is wrong with a tar of `size` bytes whose sha256 is not the one it had, at most one fault a sample.

    OSError if the file cannot be read.
    """
    places = contents.places()
    whole = [place for place in places if place[2] <= size]
    found = list(_in_samples(file, whole, size, contents.texts))
    if len(whole) < len(places):
        missing, first = contents.size - size, places[len(whole)][0].id
        what = f"cut off: {missing} bytes are missing, {len(places) - len(whole)} samples are not whole"
        return [*found, Fault(size, what, first)]
    found += _at_end(file, size, places[-1][2] if places else 0)
    if not found and not contents.texts:
        return [Fault(0, "a text or the header of one: which, only manifest.csv could tell")]
    return found


def first(faults: Iterable[Fault]) -> list[Fault]:
    """The first faults one by one, and how many more there are."""
    told = list(faults)
    more = len(told) - SHOWN
    return told if more <= 0 else [*told[:SHOWN], Fault(told[SHOWN].byte, f"... and {more} more faults")]


def _in_samples(file: Opened, places: Sequence[tuple[Sample, int, int]], size: int, texts: bool) -> Iterator[Fault]:
    for sample, begin, end in places:
        if not _can_be(sample, begin, end, size):
            yield Fault(max(0, begin), f"no place for its {sample.size} bytes", sample.id)
        elif pieces := Stretch(sample, file.read(begin, end - begin), texts).differing():
            yield Fault(begin + pieces[0][0], ", ".join(what for _, what in pieces), sample.id)


def _at_end(file: Opened, size: int, end: int) -> Iterator[Fault]:
    closing = file.read(end, len(END))
    if wrong := [at for at, value in enumerate(closing) if value]:
        yield Fault(end + wrong[0], "the zeros at its end")
    if len(closing) < len(END):
        yield Fault(size, f"cut off: {len(END) - len(closing)} of the zeros at its end are missing")
    if size > end + len(END):
        yield Fault(end + len(END), f"{size - end - len(END)} bytes after its end")


def _can_be(sample: Sample, begin: int, end: int, size: int) -> bool:
    """Whether a sample's stretch can lie in a tar of that size, and its audio in the stretch."""
    return begin >= 0 and begin + BLOCK + sample.size <= end <= size
