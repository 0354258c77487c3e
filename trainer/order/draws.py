"""Draws: what looks random, and is the same on every machine and for ever.

    draw(4567, 0, "LDC93S1").hex()                      455247f1f5568bc1, of BLAKE2b: one at a time
    mixed(keys, salt_of(4567, 0, "clips"))              a number for each of a million keys, in 30 ms
    order(drawn)                                        [2, 0, 1]: the places, lowest number first

Neither Python's nor numpy's generators promise their streams for ever, and both draw one after another: the number of
a clip would depend on how many came before it.
"""

import numpy as np
from numpy.typing import NDArray

from ...pipeline.hashing import draw

STRIDE = np.uint64(0x9E3779B97F4A7C15)
"""From one turn of a key to the next: 2 ** 64 divided by the golden ratio, and odd."""


def salt_of(*parts: int | str) -> np.uint64:
    """The same as a number, for `mixed`."""
    return np.uint64(int.from_bytes(draw(*parts), "little"))


def mixed(keys: NDArray[np.uint64], salt: np.uint64, turns: NDArray[np.uint64] | None = None) -> NDArray[np.uint64]:
    """A random-looking number for each key under this salt; keys that differ get numbers that differ.

    `turns` gives a key that comes several times a number for each time. The function is the output of SplitMix64
    (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014) in Stafford's variant 13.
    """
    found = keys ^ salt
    if turns is not None:
        found += turns * STRIDE
    found ^= found >> np.uint64(30)
    found *= np.uint64(0xBF58476D1CE4E5B9)
    found ^= found >> np.uint64(27)
    found *= np.uint64(0x94D049BB133111EB)
    found ^= found >> np.uint64(31)
    return found


def order(drawn: NDArray[np.uint64], groups: NDArray[np.int16] | None = None) -> NDArray[np.int64]:
    """The places of `drawn`, by group, then from the lowest number on; numbers that are alike, in their order.

    Each number gives its lowest bits for its place, and its highest for its group. So no two are equal, any algorithm
    sorts them alike, and sorting them is 13 times as fast as a stable search for their order (10 ** 6 of them).
    `drawn` is used up: the places lie in its memory.
    """
    low = np.uint64(len(drawn).bit_length())
    high = np.uint64(int(groups.max()).bit_length() if groups is not None and len(groups) else 0)
    drawn >>= high + low
    drawn <<= low
    drawn |= np.arange(len(drawn), dtype=np.uint64)
    if groups is not None and high:
        drawn |= groups.astype(np.uint64) << np.uint64(64 - high)
    drawn.sort()
    drawn &= (np.uint64(1) << low) - np.uint64(1)
    return drawn.view(np.int64)
