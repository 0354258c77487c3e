"""Summary: stats and check reports as lines of text, for a person on a terminal of any width.

                train   test
clips            1200    200
hours            0.90   0.14

duration: 2 errors
  train  9000-1  lasts 2.925 s, the manifest says 3.1 s
"""

from collections.abc import Iterator, Sequence

from ..tables import bars, printable, table
from .findings import EXAMPLES, Finding, Kind, Leak, Report
from .stats import Column, Durations, SetStats, Stats

SIDE_BY_SIDE = 4
"""Manifests in one table: a fifth would not fit on 80 columns."""
TOP = 10
"""Values of a column that are listed."""
FIRST = 20
"""Findings of a kind that are listed."""


def stats_lines(stats: Stats, columns: int = 80) -> Iterator[str]:
    """A table of all manifests; then each one's durations, speakers and further columns."""
    every = [*stats.sets, stats.total] if len(stats.sets) > 1 else list(stats.sets)
    for start in range(0, len(every), SIDE_BY_SIDE):
        some = every[start : start + SIDE_BY_SIDE]
        rows = zip(MEASURES, *map(_measures, some), strict=True)
        yield from table(("", *(one.name for one in some)), list(rows))
        yield ""
    for one in stats.sets:
        yield from _of_set(one, columns)


MEASURES = (
    "clips", "hours", "speakers", "words", "characters",
    "shortest, s", "median, s", "mean, s", "longest, s", "characters/s",
)  # fmt: skip


def _measures(one: SetStats) -> list[str]:
    counts = [one.clips, one.speakers.named or "-", one.words, one.characters]
    first, *others = map(str, counts)
    if (timed := one.durations) is None:
        return [first, "-", *others, *["-"] * 5]
    lengths = (timed.shortest, timed.median, timed.mean, timed.longest)
    return [first, _hours(timed.total), *others, *(f"{s:.2f}" for s in lengths), f"{timed.characters_per_second:.1f}"]


def _of_set(one: SetStats, columns: int) -> Iterator[str]:
    name, known = printable(one.name), one.durations.clips if one.durations else 0
    if known < one.clips:
        yield f"{name}: {one.clips - known} of {one.clips} clips have no duration; dsprep check DATA measures them"
        yield ""
    if one.durations:
        yield f"{name}: clips by seconds"
        yield from (f"  {line}" for line in bars(list(_bars(one.durations)), columns - 2))
        yield ""
    if one.speakers.named:
        yield from _column(one, one.speakers)
    for column in one.columns:
        yield from _column(one, column)


def _bars(timed: Durations) -> Iterator[tuple[str, int]]:
    digits = next(count for count in range(3) if count == 2 or round(timed.step, count) == timed.step)
    *closed, last = timed.counts
    for number, count in enumerate(closed):
        low = timed.start + number * timed.step
        yield f"{low:.{digits}f} - {low + timed.step:.{digits}f}", count
    if last:
        yield f"longer than {timed.start + len(closed) * timed.step:.{digits}f}", last


def _column(one: SetStats, column: Column) -> Iterator[str]:
    top, rest = column.shares[:TOP], column.shares[TOP:]
    title = f"{printable(one.name)}: {printable(column.name)}"
    if len(column.shares) > TOP and len(column.shares) > one.clips / 2:
        yield from (f"{title}: {column.named} different values", "")
        return
    if not column.named:
        yield from (f"{title}: always empty", "")
        return
    rows = [(share.value or "(none)", share.clips, share.seconds) for share in top]
    if rest:
        label = f"({len(rest)} others)"
        rows.append((label, sum(share.clips for share in rest), sum(share.seconds for share in rest)))
    hours = [_hours(seconds) if one.durations else "-" for _, _, seconds in rows]
    yield from table((title, "clips", "hours"), [(*row[:2], told) for row, told in zip(rows, hours, strict=True)])
    yield ""


def check_lines(report: Report) -> Iterator[str]:
    """What was looked at, how much of each kind was found, then the first of each kind."""
    sets = [(one.name, one.clips, "-" if one.seconds is None else _hours(one.seconds)) for one in report.sets]
    yield from table(("checked", "clips", "hours"), sets)
    yield ""
    if report.findings or report.leaks:
        yield from table(("found", "errors", "notes"), list(_counts(report)))
        yield ""
    for kind in Kind:
        yield from _listed(kind, [one for one in report.findings if one.kind is kind])
    if report.leaks:
        header = ("in common", "one", "other", "values", "clips of one", "of other")
        rows = [(leak.kind, leak.one, leak.other, len(leak.shared), *leak.clips) for leak in report.leaks]
        yield from table(header, rows, left=3)
        yield ""
    for leak in report.leaks:
        yield from _examples(leak)
    for line in report.unchecked:
        yield f"not checked: {printable(line)}"


def verdict(report: Report) -> str:
    """How much was found, in a few words."""
    return f"{_some(report.errors, 'error')} and {_some(report.notes, 'note')} in {_some(report.clips, 'clip')}"


def _some(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def _counts(report: Report) -> Iterator[tuple[str, int, int]]:
    for kind in Kind:
        everything: tuple[Finding | Leak, ...] = (*report.findings, *report.leaks)
        found = [one for one in everything if one.kind is kind]
        if found:
            errors = sum(one.error for one in found)
            yield kind, errors, len(found) - errors


def _listed(kind: Kind, findings: Sequence[Finding]) -> Iterator[str]:
    if not findings:
        return
    yield f"{kind}: {_some(len(findings), 'error' if findings[0].error else 'note')}"
    rows = [(one.manifest, one.id, one.detail) for one in findings[:FIRST]]
    yield from (f"  {line}" for line in table(rows[0], rows[1:], left=3))
    if len(findings) > FIRST:
        yield f"  and {len(findings) - FIRST} more: --json FILE lists them all"
    yield ""


def _examples(leak: Leak) -> Iterator[str]:
    what = "error" if leak.error else "note"
    yield f"{leak.kind}, {what}: {printable(leak.one)} and {printable(leak.other)} share"
    rows = [(shared.value, _held(shared.one), _held(shared.other)) for shared in leak.shared[:EXAMPLES]]
    yield from (f"  {line}" for line in table(rows[0], rows[1:], left=3))
    if len(leak.shared) > EXAMPLES:
        yield f"  and {len(leak.shared) - EXAMPLES} more: --json FILE lists them all"
    yield ""


def _held(clips: tuple[str, int]) -> str:
    example, count = clips
    return example if count == 1 else f"{example} and {count - 1} more"


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.2f}"
