"""N-grams: records of words by number, as numpy arrays of many, and the orders that they are sorted in.

    words   7 3 2      the words, the first first
    raw     5          how often it was said
    ...

    suffix order       by the last word, then the one before it ...: n-grams with the same end stand together
    context order      by all but the last word in suffix order, then by the last: those with the same beginning do

Axes: M n-grams, N words of each. Numbers of words are those of a `Vocabulary`.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint32]
"""[M, N]"""
Records = NDArray[Any]
"""Of a dtype whose field `words` is such."""
Columns = Sequence[int]
"""Of words, from the one that decides most."""


def record(order: int, **fields: str) -> np.dtype[Any]:
    """N-grams of this order, with numbers beside them."""
    return np.dtype([("words", "<u4", (order,)), *fields.items()])


def by_suffix(order: int) -> Columns:
    """Suffix order."""
    return range(order - 1, -1, -1)


def by_context(order: int) -> Columns:
    """Context order."""
    return (*range(order - 2, -1, -1), order - 1)


def keys_of(words_MN: Words, columns: Columns, bits: int) -> list[NDArray[np.uint64]]:
    """Numbers of 64 bits that are in order when the n-grams are, compared one after another; a word has `bits`."""
    room, keys = 64 // bits, []
    for first in range(0, len(columns), room):
        key = np.zeros(len(words_MN), np.uint64)
        for column in columns[first : first + room]:
            key = (key << np.uint64(bits)) | words_MN[:, column]
        keys.append(key)
    return keys


def order_of(keys: Sequence[NDArray[np.uint64]]) -> NDArray[np.intp]:
    """The places of n-grams in their order, equal ones as they came."""
    return np.argsort(keys[0], kind="stable") if len(keys) == 1 else np.lexsort(keys[::-1])


def firsts(words_MN: Words, columns: Columns) -> NDArray[np.intp]:
    """Where, among n-grams in order, some that agree in these columns begin."""
    begins = np.ones(len(words_MN), bool)
    begins[1:] = False
    for column in columns:
        begins[1:] |= words_MN[1:, column] != words_MN[:-1, column]
    return np.flatnonzero(begins)


def whole_groups(blocks: Iterable[Records], columns: Columns) -> Iterator[Records]:
    """The same records, those that agree in these columns, by which they are sorted, in one block.

    There are never more of them than words in the vocabulary.
    """
    left: Records | None = None
    for block in blocks:
        if left is not None:
            block = np.concatenate((left, block))
        if len(block):
            last = firsts(block["words"], columns)[-1]
            if last:
                yield block[:last]
            left = block[last:]
    if left is not None and len(left):
        yield left


def matches(keys: Sequence[NDArray[np.uint64]], among: Sequence[NDArray[np.uint64]]) -> NDArray[np.intp]:
    """Where each of some n-grams in order stands among others, in order and no two alike; -1 where it does not."""
    if len(among[0]) == 0:
        return np.full(len(keys[0]), -1)
    if len(keys) == 1:
        places = np.searchsorted(among[0], keys[0]).clip(max=len(among[0]) - 1)
        return np.where(among[0][places] == keys[0], places, -1)
    both = [np.concatenate(pair) for pair in zip(among, keys, strict=True)]
    order = order_of(both)
    known = order < len(among[0])
    before = np.where(known, order, -1)
    before = np.maximum.accumulate(before)  # those that are looked for stand behind their equal
    places = np.empty(len(order), np.intp)
    places[order] = before
    places = places[len(among[0]) :]
    equal = places >= 0
    for one, other in zip(keys, among, strict=True):
        equal &= other[places] == one
    return np.where(equal, places, -1)
