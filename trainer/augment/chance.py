"""Chance: the numbers that are drawn for a clip in an epoch, each by its own name.

    chance = Chance(seed=4567, epoch=0, id="LDC93S1")
    chance.between("speed", 0.9, 1.1)               1.0378...
    chance.below("noise", 930)                      741

A number depends on nothing but (seed, epoch, name, id): not on what else is drawn, on batch mates, workers or ranks.
"""

from dataclasses import dataclass

from ...pipeline.hashing import draw


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """What is drawn for one clip."""

    seed: int
    epoch: int
    id: str

    def share(self, name: str) -> float:
        """From 0 to below 1, in steps of 2 ** -53, which floats hold exactly."""
        return (self._number(name) >> 11) * 2.0**-53

    def between(self, name: str, low: float, high: float) -> float:
        """From one number to another, all alike likely."""
        return low + (high - low) * self.share(name)

    def below(self, name: str, count: int) -> int:
        """From 0 to `count` - 1, all alike likely to within `count` in 2 ** 64."""
        return self._number(name) * count >> 64

    def _number(self, name: str) -> int:
        return int.from_bytes(draw(self.seed, self.epoch, name, self.id))
