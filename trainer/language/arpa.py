"""ARPA: the text form of an n-gram model that KenLM, SRILM and others read.

    \\data\\
    ngram 1=13
    ngram 2=120

    \\1-grams:
    -1.042752<TAB>eight<TAB>-0.854398          log10 of the probability, the words, log10 of the backoff
    ...
    \\end\\
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from .estimating import Joined, Order
from .vocabulary import BEGIN

LINES = 10_000
"""N-grams that become text at a time."""
NOTHING = 1e-99
"""What is written for a probability of 0, which a context has left when its discounts are 0."""


def head(counts: Sequence[int]) -> bytes:
    """What comes first: how many n-grams there are of each order."""
    return "".join(("\\data\\\n", *(f"ngram {order}={count}\n" for order, count in enumerate(counts, 1)))).encode()


def section(one: Order, words: Sequence[str], bits: int) -> Iterator[bytes]:
    """The n-grams of an order."""
    yield f"\n\\{one.order}-grams:\n".encode()
    gammas = Joined(one.backoffs, "gamma", bits) if one.backoffs else None
    for block in one.probabilities.blocks():
        for start in range(0, len(block), LINES):
            part = block[start : start + LINES]
            texts = (" ".join(map(words.__getitem__, row)) for row in part["words"].tolist())
            logs = _log10(part["p"])
            if one.order == 1:
                logs[part["words"][:, 0] == BEGIN] = 0  # it is never said, and stands there as lmplz has it
            backs = _log10(gammas.of(part["words"], otherwise=1.0)) if gammas else None
            yield from map(str.encode, _lines(texts, logs.tolist(), None if backs is None else backs.tolist()))


def _log10(p: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.log10(np.maximum(p, NOTHING))


END = b"\n\\end\\\n"


def _lines(texts: Iterable[str], logs: Iterable[float], backs: Iterable[float] | None) -> Iterator[str]:
    if backs is None:
        return (f"{log + 0.0:.7g}\t{text}\n" for text, log in zip(texts, logs, strict=True))
    return (f"{log + 0.0:.7g}\t{text}\t{back + 0.0:.7g}\n" for text, log, back in zip(texts, logs, backs, strict=True))
