"""Choice: one of a table's names, or a number, as a user typed it."""

import difflib
import math
from collections.abc import Iterable

from .errors import UsageError


def one_of(kind: str, name: str, known: Iterable[str]) -> str:
    """`name` if it is known.

    Raises:
        UsageError: it is not; names the nearest that is.
    """
    names = list(known)
    if name in names:
        return name
    near = difflib.get_close_matches(name, names, 1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
    raise UsageError(f"there is no {kind} {name!r}: {hint}")


def number(text: str) -> float | None:
    """The finite number that `text` is, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
