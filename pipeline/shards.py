"""Shards: manifests to webdataset tars that any consumer can stream and ours can index.

    OUT/000000.tar        KEY.wav KEY.txt KEY.json, KEY.wav ...: USTAR, a sample's members together
    OUT/000000.tar.json   its record: key, sha256, and its samples
    OUT/manifest.csv      every sample with its tar and the byte at which its audio begins
    OUT/shards.json       written last: count, seconds, bytes and sha256 of each tar, and of the whole

Samples go to shards by a hash of (seed, id) alone. The hashes are a line that is cut in halves until each
piece fits in `--shard-bytes`: a shard is a stretch of that line, so when a corpus grows, what was
together stays together, and only a shard that grows too big is cut in two.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..manifests import (
    Sample,
)
from .commit import (
    HashingFile,
    digest_of,
)
from .reading import audio_bytes

INDEX = "shards.json"
CODE = "shards-1"
"""Changes whenever the code would make other bytes of the same samples."""
MEMBER_OVERHEAD = 4 * tarfile.BLOCKSIZE
"""Bytes that a sample takes in a tar besides its audio: three headers and two small members, about."""


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard, planned: which samples, in which order."""

    index: int
    samples: tuple[Sample, ...]

    def path(self, out: Path) -> Path:
        """Where it goes."""
        return out / f"{self.index:06d}.tar"

    def key(self, digests: Mapping[str, str]) -> str:
        """Digest of everything that decides its bytes; `digests` are of the audio by id, as far as records tell."""
        samples = [[_json(one), one.size, one.transcript, digests.get(one.id)] for one in self.samples]
        return digest_of([CODE, self.index, samples])


def plan_shards(samples: Sequence[Sample], shard_bytes: int, seed: int) -> list[Shard]:
    """The shards of `samples`, whatever their order."""
    placed = sorted(((_place(seed, one.id), one) for one in samples), key=lambda pair: (pair[0], pair[1].id))
    pieces = _halve(placed, 0, 1 << 64, shard_bytes)
    return [Shard(index, tuple(sample for _, sample in piece)) for index, piece in enumerate(pieces)]


def write_tar(file: HashingFile, samples: Sequence[Sample]) -> Iterator[dict[str, Any]]:
    """Write samples as a tar, telling of each its id and the offset of its audio.

    Raises:
        DataError: a sample's audio is gone or has another size.
    """
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:  # type: ignore[call-overload]
        for sample in samples:
            audio = audio_bytes(sample)
            offset = tar.offset + tarfile.BLOCKSIZE
            _add(tar, member_name(sample, audio), audio)
            _add(tar, f"{sample.id}.txt", sample.transcript.encode())
            _add(
                tar,
                f"{sample.id}.json",
                json.dumps(dict(_json(sample)), ensure_ascii=False).encode(),
            )
            yield {"id": sample.id, "offset": offset}


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), 0o444
    tar.addfile(info, io.BytesIO(data))


def member_name(sample: Sample, audio: bytes) -> str:
    """The name of a sample's audio in a tar, by what it is."""
    return f"{sample.id}.{'flac' if audio[:4] == b'fLaC' else 'wav'}"


def _json(sample: Sample) -> list[tuple[str, Any]]:
    return [
        ("id", sample.id),
        ("duration", sample.duration),
        ("speaker", sample.speaker),
        *sample.extras,
    ]


def _place(seed: int, name: str) -> int:
    """Where a sample lies on the line from 0 to 2**64."""
    return int.from_bytes(hashlib.blake2b(f"{seed}\0{name}".encode(), digest_size=8).digest())


Placed = list[tuple[int, Sample]]


def _halve(placed: Placed, low: int, high: int, shard_bytes: int) -> Iterator[Placed]:
    """Pieces of the line from `low` to `high` that fit; a piece of one sample always does."""
    size = sum(sample.size + MEMBER_OVERHEAD for _, sample in placed)
    if size <= shard_bytes or len(placed) == 1 or high - low == 1:
        if placed:
            yield placed
        return
    middle = (low + high) // 2
    yield from _halve([one for one in placed if one[0] < middle], low, middle, shard_bytes)
    yield from _halve([one for one in placed if one[0] >= middle], middle, high, shard_bytes)
