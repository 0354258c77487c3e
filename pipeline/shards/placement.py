"""Shards: which samples go to which tar, and in which order.

    OUT/000000.tar        KEY.wav KEY.txt KEY.json, KEY.wav ...: a sample's members together (tar.py)
    OUT/000000.tar.json   its record: key, sha256, settings, and each sample's place, size, sha256, length
    OUT/manifest.csv      every sample with its tar and the byte at which its audio begins
    OUT/rejected.csv      every row that is in no tar, with the reason
    OUT/shards.json       written last: settings, counts, sha256 of each tar, and of the whole

Samples go to shards by a hash of (seed, id) alone. The hashes are a line that is cut in halves until each
piece fits: a shard is a stretch of that line, so when a corpus grows, what was together stays together, and
only a shard that grows too big is cut in two. Or they keep the order in which the manifests have them.
"""

import itertools
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

from ...manifests import Sample
from ...manifests.ctc import RATE
from ...manifests.sample import ROUNDED
from ..commit import digest_of
from ..hashing import draw
from ..sound.plain import HEADER
from .tar import END, described, taken

CODE = "shards-2"
"""Changes whenever the code would make other bytes of the same samples."""
FORMS = ("keep", "wav", "flac")
SPARE = len("99999999.9999375")
"""Characters by which a sample's JSON may become longer when its length is measured."""
LINE = 1 << 64
"""How long the line is that samples lie on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharding:
    """All that decides the bytes of shards, besides the samples."""

    shard_bytes: int | None = 256_000_000
    """Largest size of a tar, its end included; a sample that is larger has a shard of its own. None: any."""
    shard_samples: int | None = None
    """Most samples in a shard. None: any number."""
    seed: int = 0
    """Of the order."""
    form: str = "keep"
    """`wav`, `flac`, or `keep`: WAV stays WAV, FLAC stays FLAC, all else becomes WAV."""
    keep_order: bool = False
    """Whether samples stay in the order of the manifests, as they are named."""

    def __post_init__(self) -> None:
        if self.form not in FORMS:
            raise ValueError(f"format {self.form!r} is none of {', '.join(FORMS)}")
        if any(bound is not None and bound < 1 for bound in (self.shard_bytes, self.shard_samples)):
            raise ValueError(f"a shard of {self.shard_bytes} bytes and {self.shard_samples} samples holds nothing")

    def fits(self, samples: int, size: int) -> bool:
        """Whether so many samples, which take `size` bytes in a tar, may be one shard."""
        return (self.shard_bytes is None or size + len(END) <= self.shard_bytes) and (
            self.shard_samples is None or samples <= self.shard_samples
        )

    def facts(self) -> dict[str, Any]:
        """These settings as JSON."""
        return {
            "shard bytes": self.shard_bytes,
            "shard samples": self.shard_samples,
            "seed": self.seed,
            "format": self.form,
            "keep order": self.keep_order,
            "code": CODE,
        }

    @classmethod
    def of(cls, facts: dict[str, Any]) -> Self:
        """Inverse of `facts`; KeyError, TypeError or ValueError if they are not that."""
        return cls(
            shard_bytes=facts["shard bytes"],
            shard_samples=facts["shard samples"],
            seed=facts["seed"],
            form=facts["format"],
            keep_order=facts["keep order"],
        )


@dataclass(frozen=True, slots=True)
class Item:
    """A sample that is to go into a shard."""

    sample: Sample
    """Its `sha256` is what its audio must have, where anybody tells."""
    part: str
    """Name of the manifest that it stands in."""
    whole: bool = False
    """Whether dsprep decoded or made the audio of that sha256, so that it need not be decoded again."""


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard, planned: which samples, in which order."""

    index: int
    items: tuple[Item, ...]

    @property
    def name(self) -> str:
        """Of its tar."""
        return f"{self.index:06d}.tar"

    def key(self, sharding: Sharding) -> str:
        """Digest of everything that decides its bytes; a promised length does not, for lengths are measured."""
        return digest_of([sharding.facts(), [_deciding(one.sample) for one in self.items]])


def _deciding(sample: Sample) -> list[Any]:
    facts = described(sample)
    del facts["duration"]
    return [list(facts.items()), sample.size, sample.transcript, sample.sha256]


def plan_shards(items: Iterable[Item], sharding: Sharding) -> list[Shard]:
    """The shards of `items`; the same whatever their order, unless that is to be kept."""
    if sharding.keep_order:
        ordered = list(items)
        pieces = _cut(ordered, sharding)
    else:
        placed = sorted((place(sharding.seed, one.sample.id), one.sample.id, one) for one in items)
        ordered = [one for _, _, one in placed]
        pieces = _Line([at for at, _, _ in placed], ordered, sharding).pieces()
    return [Shard(index, tuple(ordered[first:last])) for index, (first, last) in enumerate(pieces)]


def place(seed: int, name: str) -> int:
    """Where a sample lies on the line from 0 to 2**64."""
    return int.from_bytes(draw(seed, name))


def bound(sample: Sample, form: str) -> int:
    """Bytes that a sample may take in a tar, at the most.

    What is not converted takes just these, or a block less. Of what is converted the manifest's duration tells;
    without one, or with a wrong one, the size of the audio as it is has to do, and a shard may become larger than
    was asked for.
    """
    return taken(sample, _audio_bound(sample, form), SPARE)


def _audio_bound(sample: Sample, form: str) -> int:
    ending = "" if sample.offset is not None else sample.path.suffix.lower()
    stays = ("", ".flac") if form == "keep" else (".flac",) if form == "flac" else ()
    if sample.duration is None or ending in stays:
        return sample.size
    wav = HEADER + 2 * (round(sample.duration * RATE) + 1)
    if abs(sample.size - wav) <= 2 * RATE * ROUNDED:
        wav = max(wav, sample.size)
    # FLAC of noise is as large as WAV, and has a header before each 4096 samples and some before the first.
    return wav + wav // 256 + 8192 if form == "flac" else wav


def _cut(items: Sequence[Item], sharding: Sharding) -> Iterator[tuple[int, int]]:
    """From where to where the pieces go in that order, each as long as it fits."""
    first, size = 0, 0
    for index, one in enumerate(items):
        more = bound(one.sample, sharding.form)
        if index > first and not sharding.fits(index + 1 - first, size + more):
            yield first, index
            first, size = index, 0
        size += more
    if items:
        yield first, len(items)


class _Line:
    """Samples in the order of their places on the line."""

    def __init__(self, places: Sequence[int], items: Sequence[Item], sharding: Sharding) -> None:
        self._places, self._sharding = places, sharding
        self._before = list(itertools.accumulate((bound(one.sample, sharding.form) for one in items), initial=0))

    def pieces(self) -> Iterator[tuple[int, int]]:
        """From where to where the pieces go, each of them all of a half of a half ... of the line."""
        return self._halve(0, len(self._places), 0, LINE)

    def _halve(self, first: int, last: int, low: int, high: int) -> Iterator[tuple[int, int]]:
        fits = self._sharding.fits(last - first, self._before[last] - self._before[first])
        if fits or last - first <= 1 or high - low == 1:
            if last > first:
                yield first, last
            return
        middle = (low + high) // 2
        cut = bisect_left(self._places, middle, first, last)
        yield from self._halve(first, cut, low, middle)
        yield from self._halve(cut, last, middle, high)
