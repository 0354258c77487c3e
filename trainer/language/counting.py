"""Counting: sentences in, the n-grams of the highest order out, each with how often it was said, in suffix order.

    eight nine     of order 3:    <s> <s> eight    <s> eight nine    eight nine </s>

A sentence begins with as many <s> as make its first word the end of an n-gram, so that every n-gram of a lower order is
the end of one (Heafield et al. 2013, Scalable modified Kneser-Ney language model estimation, section 3.1).
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ...manifests import Progress
from .ngrams import Records, Words, by_suffix, firsts, keys_of, order_of, record, whole_groups
from .spilling import Room, Sorter
from .vocabulary import BEGIN, END, Vocabulary

TOKEN = 100
"""Bytes that a word takes while it is counted: its n-gram, keys and places."""


class Counter:
    """Counts n-grams of sentences."""

    def __init__(self, room: Room, order: int, vocabulary: Vocabulary) -> None:
        self.sentences = self.words = 0
        self.room, self._order, self._vocabulary = room, order, vocabulary
        self._begin = array("I", [BEGIN] * (order - 1))
        self._tokens = array("I")
        self._most = max(1, room.memory // TOKEN)
        self._sorter = Sorter(room, record(order, raw="<u8"), by_suffix(order), bits=32)

    def add(self, sentences: Iterable[Sequence[str]], progress: Progress) -> None:
        """Count these."""
        number, tokens = self._vocabulary.__getitem__, self._tokens
        for words in sentences:
            tokens.extend(self._begin)
            tokens.extend(map(number, words))
            tokens.append(END)
            self.words += len(words)
            self.sentences += 1
            if len(tokens) >= self._most:
                self._count()
            if self.sentences % 1000 == 0:
                progress("counting", self.sentences, 0, "sentences")

    def counted(self) -> Iterator[Records]:
        """All n-grams, no two alike."""
        self._count()
        self._sorter.bits = bits_of(self._vocabulary)
        columns = by_suffix(self._order)
        for block in whole_groups(self._sorter.sorted(), columns):
            starts = firsts(block["words"], columns)
            together = block[starts]
            together["raw"] = np.add.reduceat(block["raw"], starts)
            yield together

    def _count(self) -> None:
        if not self._tokens:
            return
        tokens = np.frombuffer(self._tokens, np.uint32)
        words_MN = np.lib.stride_tricks.sliding_window_view(tokens, self._order)
        words_MN = words_MN[tokens[self._order - 1 :] != BEGIN]
        run = _distinct(words_MN, self._order, bits_of(self._vocabulary))
        del tokens, words_MN  # an array whose memory is looked at cannot be emptied
        del self._tokens[:]
        self._sorter.add_run(run)


def bits_of(vocabulary: Vocabulary) -> int:
    """That the number of any of its words needs."""
    return (len(vocabulary) - 1).bit_length()


def _distinct(words_MN: Words, order: int, bits: int) -> Records:
    """These n-grams in suffix order, those that are alike once."""
    keys = keys_of(words_MN, by_suffix(order), bits)
    if len(keys) == 1:  # sorted as they are, half the time and memory
        distinct, counts = np.unique(keys[0], return_counts=True)
        found = np.empty(len(distinct), record(order, raw="<u8"))
        mask = np.uint64((1 << bits) - 1)
        for column in range(order):
            found["words"][:, column] = (distinct >> np.uint64(bits * column)) & mask
        found["raw"] = counts
        return found
    places = order_of(keys)
    words_MN = words_MN[places]
    starts = firsts(words_MN, by_suffix(order))
    found = np.empty(len(starts), record(order, raw="<u8"))
    found["words"], found["raw"] = words_MN[starts], np.diff(starts, append=len(words_MN))
    return found
