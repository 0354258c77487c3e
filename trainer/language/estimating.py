"""Estimating: probabilities and backoffs of interpolated modified Kneser-Ney, order by order.

    p(w | context) = (c - D(c)) / sum of c + gamma(context) * p(w | context without its first word)

c are adjusted counts, D the discounts, gamma the share of a context's counts that discounting and pruning took: what a
context leaves to lower orders, and so its backoff. Below the unigrams all words are alike, the unknown one among them.
(Chen and Goodman 1998, section 2.7; Heafield et al. 2013, sections 3.3 and 3.4.)
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .adjusting import genuine
from .discounts import Discounts
from .ngrams import Records, Words, by_context, by_suffix, firsts, keys_of, matches, record, whole_groups
from .spilling import Room, Sorter, Spilled
from .vocabulary import BEGIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """All n-grams of an order, in suffix order."""

    order: int
    probabilities: Spilled
    """With `p` of each."""
    backoffs: Spilled | None = None
    """`gamma` of those that are contexts; none of the highest order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimation:
    """What is estimated from, and where."""

    room: Room
    bits: int
    """Of a word."""
    thresholds: Sequence[int]
    """For each order: what was said no more often is left out."""
    kept: NDArray[np.bool_]
    """For each word, whether it is in the vocabulary."""

    def pruned(self, block: Records) -> NDArray[np.bool_]:
        """Which n-grams are left out of the model; their counts stay in the sums."""
        words_MN = block["words"]
        seldom = block["raw"] <= self.thresholds[words_MN.shape[1] - 1]
        return np.asarray(seldom | ~self.kept[words_MN].all(1))


def estimated(tables: Sequence[Spilled], discounts: Sequence[Discounts], ways: Estimation) -> Iterator[Order]:
    """The orders from 1 on; each can be read until the one after the next is asked for."""
    before: Order | None = None
    for order, (table, discount) in enumerate(zip(tables, discounts, strict=True), 1):
        contexts = ways.room.file(record(order - 1, gamma="<f8"))
        shares = _shares(table, order, discount, contexts, ways)
        if before is None:
            probabilities = _unigrams(shares, contexts, ways)
        else:
            yield Order(order=before.order, probabilities=before.probabilities, backoffs=contexts)
            probabilities = ways.room.file(record(order, p="<f8"))
            probabilities.extend(_interpolated(shares, before.probabilities, order, ways))
        table.remove()
        before = Order(order=order, probabilities=probabilities)
    assert before
    yield before


def _shares(table: Spilled, order: int, discount: Discounts, contexts: Spilled, ways: Estimation) -> Sorter:
    """Of each n-gram its own share of its context's mass, and the gamma of that; gammas alone go to `contexts`."""
    by_beginning = Sorter(ways.room, table.dtype, by_context(order), ways.bits)
    for block in table.blocks():
        by_beginning.add(block[genuine(block["words"])])
    shares = Sorter(ways.room, record(order, share="<f8", gamma="<f8"), by_suffix(order), ways.bits)
    for block in whole_groups(by_beginning.sorted(), by_context(order)[:-1]):
        starts = firsts(block["words"], by_context(order)[:-1])
        sums = np.add.reduceat(block["adjusted"], starts).astype(np.float64)
        kept = np.where(ways.pruned(block), 0, block["adjusted"].astype(np.int64))
        gamma = (sums - np.add.reduceat(kept, starts) + _discounted(kept, starts, discount)) / sums
        contexts.add(_filled(contexts.dtype, block["words"][starts, :-1], gamma=gamma))
        sizes = np.diff(starts, append=len(block))
        share = (kept - np.array([0.0, *discount])[np.minimum(kept, 3)]) / np.repeat(sums, sizes)
        made = _filled(record(order, share="<f8", gamma="<f8"), block["words"], share=share, gamma=gamma.repeat(sizes))
        shares.add(made[kept > 0])
    return shares


def _filled(dtype: np.dtype[np.void], words_MN: Words, **fields: NDArray[np.float64]) -> Records:
    made = np.empty(len(words_MN), dtype)
    made["words"] = words_MN
    for name, values in fields.items():
        made[name] = values
    return made


def _discounted(kept: NDArray[np.int64], starts: NDArray[np.intp], discount: Discounts) -> NDArray[np.float64]:
    """What discounting takes from each context: counted in whole numbers, so that no order of summing shows."""
    steps = np.minimum(kept, 3)
    counts = [np.add.reduceat(steps == step, starts, dtype=np.int64) for step in (1, 2, 3)]
    return np.asarray(sum(one * count for one, count in zip(discount, counts, strict=True)))


def _unigrams(shares: Sorter, contexts: Spilled, ways: Estimation) -> Spilled:
    """Every word of the vocabulary, among them those that are never said: what is unknown, and the beginning."""
    gamma = float(next(contexts.blocks())["gamma"][0])
    found = np.zeros(len(ways.kept), record(1, p="<f8"))
    found["words"][:, 0] = np.arange(len(found))
    for block in shares.sorted():
        found["p"][block["words"][:, 0]] = block["share"]
    # Of what is spread over all words the beginning gets none: it is never said.
    found = found[ways.kept]
    said = found["words"][:, 0] != BEGIN
    found["p"][said] += gamma / said.sum()
    table = ways.room.file(found.dtype)
    table.add(found)
    return table


def _interpolated(shares: Sorter, lower: Spilled, order: int, ways: Estimation) -> Iterator[Records]:
    """Of each n-gram its probability, by that of its end in the order below."""
    ends = Joined(lower, "p", ways.bits)
    for block in shares.sorted():
        p = block["share"] + block["gamma"] * ends.of(block["words"][:, 1:])
        yield _filled(record(order, p="<f8"), block["words"], p=p)


class Joined:
    """A number of each n-gram in a table, for n-grams that are asked for in the table's own order."""

    def __init__(self, table: Spilled, field: str, bits: int) -> None:
        self._columns, self._field, self._bits = by_suffix(table.dtype["words"].shape[0]), field, bits
        self._coming = table.blocks()
        self._at_hand: Records = np.empty(0, table.dtype)

    def of(self, words_MN: Words, otherwise: float = np.nan) -> NDArray[np.float64]:
        """The number of each, or another where there is none."""
        found, keys = np.full(len(words_MN), otherwise), keys_of(words_MN, self._columns, self._bits)
        rest = slice(0, len(words_MN))
        while rest.start < len(words_MN):
            among = keys_of(self._at_hand["words"], self._columns, self._bits)
            places = matches([key[rest] for key in keys], among)
            found[rest][places >= 0] = self._at_hand[self._field][places[places >= 0]]
            # What stands behind the last that is at hand is looked for in the next.
            behind = _behind([key[rest] for key in keys], among)
            rest = slice(len(words_MN) - behind, len(words_MN))
            if behind:
                following = next(self._coming, None)
                if following is None:
                    break
                self._at_hand = following
        return found


def _behind(keys: Sequence[NDArray[np.uint64]], among: Sequence[NDArray[np.uint64]]) -> int:
    """How many of some n-grams in order come behind all of others."""
    count = len(keys[0])
    if not len(among[0]):
        return count
    low, high = 0, count
    for key, other in zip(keys, among, strict=True):
        end = other[-1]
        low, high = (
            low + int(np.searchsorted(key[low:high], end)),
            low + int(np.searchsorted(key[low:high], end, "right")),
        )
    return count - high
