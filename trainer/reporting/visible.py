"""Visible: what a page shows of a text or a figure, so that nothing in it hides or moves the page.

    visible("a\\u202eb")  ->  "a[U+202E]b"
    percent(0.0407)      ->  "4.07 %", with a space that does not break

A text is data of other people. Markup is none of this module's business: the template escapes it.
"""

import math
import re

HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # control characters: HTML cannot carry NUL, and shows none of them
    "\u202a-\u202e\u2066-\u2069"  # overrides and isolates of direction: they reorder what stands beside them
    "\u2028\u2029"  # JavaScript once took them for ends of lines
    "\ufeff\ufffe\uffff"  # a mark of byte order, and two that are no characters
    "\ud800-\udfff]"  # half characters, which UTF-8 cannot carry
)
NO_BREAK = "\u00a0"


def visible(text: str) -> str:
    """The text with each character that cannot be seen, or moves others, told by its number."""
    return HIDDEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)


def percent(fraction: float, places: int = 2) -> str:
    """A rate for people."""
    return f"{100 * fraction:.{places}f}{NO_BREAK}%" if math.isfinite(fraction) else "∞"


def count(number: int) -> str:
    """A whole number, its thousands apart."""
    return f"{number:,}"


def hours(seconds: float) -> str:
    """A length for people: `5.40 h`, under an hour `12.3 min`, under a minute `8.1 s`."""
    if seconds >= 3600:
        return f"{seconds / 3600:,.2f}{NO_BREAK}h"
    if seconds >= 60:
        return f"{seconds / 60:.1f}{NO_BREAK}min"
    return f"{seconds:.1f}{NO_BREAK}s"


def plain(value: float, places: int) -> str:
    """A number for people."""
    return f"{value:.{places}f}" if math.isfinite(value) else "∞"
