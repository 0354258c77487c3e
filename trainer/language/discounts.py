"""Discounts: what modified Kneser-Ney smoothing takes from n-grams with adjusted count 1, 2, and 3 or more.

    D(k) = k - (k + 1) * Y * t(k + 1) / t(k),    Y = t(1) / (t(1) + 2 t(2)),    t(k) n-grams have adjusted count k

(Chen and Goodman 1998, equation 26.)
"""

from collections.abc import Iterable

import numpy as np

from ...manifests import UsageError
from .adjusting import genuine
from .spilling import Spilled

Discounts = tuple[float, float, float]
FALLBACK: Discounts = (0.5, 1.0, 1.5)
"""Where the text tells none, as lmplz has them."""


def counts_of_counts(table: Spilled) -> list[int]:
    """How many n-grams of an order have adjusted count 1, 2, 3 and 4.

    The last of all in suffix order counts as it was said, as it does in lmplz (the end of its adjust_counts.cc): of a
    few hundred words that makes other discounts, of more the same.
    """
    found, left = np.zeros(6, np.int64), table.length
    for block in table.blocks():
        counts, left = block["adjusted"].copy(), left - len(block)
        if not left:
            counts[-1:] = block["raw"][-1:]
        found += np.bincount(np.minimum(counts[genuine(block["words"])], 5).astype(np.int64), minlength=6)
    return [int(one) for one in found[1:5]]


def discounts_of(counts: Iterable[int], order: int, fallback: bool) -> Discounts:
    """The discounts of an order, by `counts_of_counts`.

    Raises:
        UsageError: they cannot be told from so little text, and `fallback` is not wanted.
    """
    t = [0, *counts]
    missing = next((k for k in (1, 2, 3) if t[k] == 0), None)
    if missing is None:
        y = t[1] / (t[1] + 2 * t[2])
        found = [k - (k + 1) * y * t[k + 1] / t[k] for k in (1, 2, 3)]
        if all(0 <= found[k - 1] <= k for k in (1, 2, 3)):
            return found[0], found[1], found[2]
        why = f"they would be {', '.join(f'{one:.2f}' for one in found)}"
    else:
        why = f"no {order}-gram has count {missing}"
    if fallback:
        return FALLBACK
    raise UsageError(
        f"the text is too small or too regular to tell the discounts of {order}-grams: {why}; "
        "give more text, or add --discount-fallback"
    )
