"""Splitting: a part without official splits cut into train, dev and test, no speaker in two of them.

    train=0.8,dev=0.1,test=0.1     ratios of the seconds of audio

Speakers are taken in the order of a seeded hash, each to the split that lacks most of what it should have. Audio
whose speaker is not known is a speaker of its own.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass

from ..manifests import ID, UsageError, number


@dataclass(frozen=True, slots=True)
class Split:
    """Names and ratios of the splits, and the seed of the speakers' order."""

    ratios: tuple[tuple[str, float], ...]
    seed: int = 0

    def facts(self) -> list[object]:
        """As JSON."""
        return [list(map(list, self.ratios)), self.seed]

    def assign(self, seconds: Mapping[str, float]) -> dict[str, str]:
        """The split of each speaker, who has so many seconds."""
        total, have = math.fsum(seconds.values()), dict.fromkeys(dict(self.ratios), 0.0)
        of_speaker = {}
        for speaker in sorted(seconds, key=lambda name: (self._hash(name), name)):
            lacking = {name: ratio * total - have[name] for name, ratio in self.ratios}
            best = max(lacking, key=lambda name: lacking[name])
            have[best] += seconds[speaker]
            of_speaker[speaker] = best
        return of_speaker

    def _hash(self, speaker: str) -> bytes:
        return hashlib.sha256(f"{self.seed}:{speaker}".encode()).digest()


def parse(text: str, seed: int) -> Split:
    """The splits that a user typed.

    Raises:
        UsageError: they are none, or do not add up to 1.
    """
    ratios = []
    for one in text.split(","):
        name, _, ratio = one.partition("=")
        if not ID.fullmatch(name) or (share := number(ratio)) is None or not 0 < share < 1:
            raise UsageError(f"--split {text}: a split is a name and a ratio below 1, as train=0.8,dev=0.1,test=0.1")
        ratios.append((name, share))
    if len(dict(ratios)) != len(ratios) or not math.isclose(sum(dict(ratios).values()), 1, abs_tol=1e-6):
        raise UsageError(f"--split {text}: names must differ, and ratios add up to 1")
    return Split(tuple(ratios), seed)
