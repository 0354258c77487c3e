"""Adjusting: of counts of the highest order those of all orders, as Kneser and Ney have them.

    order 3    san francisco bay  5 times          counts as it was said
    order 2    francisco bay      after 1 word     counts the different words before it
    order 2    <s> san            7 times          nothing comes before it, so it counts as it was said

(Heafield et al. 2013, section 3.2; Chen and Goodman 1998, section 2.7.) How often it was said is kept, for pruning.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from .ngrams import Records, Words, by_suffix, firsts, record, whole_groups
from .spilling import Room, Spilled
from .vocabulary import BEGIN


def adjusted(counted: Iterable[Records], room: Room, order: int) -> list[Spilled]:
    """A table an order, from 1 on, in suffix order, with `raw` and `adjusted` counts of each n-gram.

    It holds records that are no n-grams too, for each makes one of the next lower order: see `genuine`.
    """
    highest = room.file(_dtype(order))
    for block in counted:
        highest.add(_filled(order, block["words"], block["raw"], block["raw"]))
    tables = [highest]
    for lower in range(order - 1, 0, -1):
        tables.append(room.file(_dtype(lower)).extend(_shortened(tables[-1], lower)))
    return tables[::-1]


def genuine(words_MN: Words) -> NDArray[np.bool_]:
    """Which are n-grams, and not only the padding before a sentence."""
    if words_MN.shape[1] == 1:
        return np.ones(len(words_MN), bool)
    return np.asarray(words_MN[:, 1] != BEGIN)


def _shortened(table: Spilled, order: int) -> Iterator[Records]:
    """The n-grams that those of the next higher order end with."""
    columns = [column + 1 for column in by_suffix(order)]
    for block in whole_groups(table.blocks(), columns):
        starts = firsts(block["words"], columns)
        words_MN, raw = block["words"][starts, 1:], np.add.reduceat(block["raw"], starts)
        before = np.diff(starts, append=len(block)).astype(np.uint64)
        yield _filled(order, words_MN, raw, np.where(words_MN[:, 0] == BEGIN, raw, before))


def _dtype(order: int) -> np.dtype[np.void]:
    return record(order, raw="<u8", adjusted="<u8")


def _filled(order: int, words_MN: Words, raw: NDArray[np.uint64], count: NDArray[np.uint64]) -> Records:
    made = np.empty(len(words_MN), _dtype(order))
    made["words"], made["raw"], made["adjusted"] = words_MN, raw, count
    return made
