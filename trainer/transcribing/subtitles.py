"""Subtitles: words with their times as cues, in SubRip and in WebVTT.

    1                                       WEBVTT
    00:00:00,420 --> 00:00:02,180
    three nine eight five                   00:00:00.420 --> 00:00:02.180
                                            three nine eight five

A cue ends at a pause, before it is too long for the screen, and before it is shown too long.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ...pipeline.tables import printable, width
from ..decoding.hypothesis import Word

COLUMNS = 42
"""Of a line; a cue has one or two. What broadcasters' guidelines for subtitles ask for."""
LONGEST = 7.0
"""Seconds that a cue is shown."""
SHORTEST = 1.0
"""Seconds that it is shown if the next one leaves room."""
PAUSE = 0.6
"""Seconds without a word that end a cue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """What is shown at a time."""

    start: float
    """Seconds."""
    end: float
    lines: tuple[str, ...]
    """One or two."""


def cues_of(words: Iterable[Word]) -> list[Cue]:
    """The cues of a transcript, one after the other."""
    groups: list[list[Word]] = []
    for word in (part for one in words for part in _parts(one)):
        if not groups or not _fits(groups[-1], word):
            groups.append([])
        groups[-1].append(word)
    starts = [group[0].start for group in groups] + [float("inf")]
    return [_cue(group, following) for group, following in zip(groups, starts[1:], strict=True)]


def srt(cues: Iterable[Cue]) -> bytes:
    """As SubRip has them."""
    return "".join(f"{number}\n{_shown(cue, ',', cue.lines)}" for number, cue in enumerate(cues, 1)).encode()


def vtt(cues: Iterable[Cue]) -> bytes:
    """As the W3C's WebVTT has them."""
    return ("WEBVTT\n\n" + "".join(_shown(cue, ".", map(_escaped, cue.lines)) for cue in cues)).encode()


FORMS: dict[str, Callable[[Iterable[Cue]], bytes]] = {"srt": srt, "vtt": vtt}
"""By the ending of a file's name."""


def _fits(group: Sequence[Word], word: Word) -> bool:
    return (
        word.start - group[-1].end < PAUSE
        and word.end - group[0].start <= LONGEST
        and _lines([one.text for one in (*group, word)]) is not None
    )


def _cue(group: Sequence[Word], following: float) -> Cue:
    """A cue that does not overlap with the one that begins at `following`."""
    start, end = group[0].start, group[-1].end
    texts = [printable(one.text) for one in group]
    return Cue(
        start=start,
        end=min(max(end, start + SHORTEST), max(end, following)),
        lines=_lines(texts) or (" ".join(texts),),
    )


def _lines(texts: Sequence[str]) -> tuple[str, ...] | None:
    """Words in one line, or in two that are as alike in length as can be; None if they do not fit."""
    if width(whole := " ".join(texts)) <= COLUMNS:
        return (whole,)
    pairs = [(" ".join(texts[:at]), " ".join(texts[at:])) for at in range(1, len(texts))]
    best = min(pairs, key=lambda pair: max(map(width, pair)), default=(whole, ""))
    return best if max(map(width, best)) <= COLUMNS else None


def _parts(word: Word) -> Iterator[Word]:
    """A word, in equal parts if it is too long for a line or for its time, as in languages without spaces."""
    count = max(-(-width(word.text) // COLUMNS), int((word.end - word.start) // LONGEST) + 1)
    size = max(1, -(-len(word.text) // count))
    texts = [word.text[at : at + size] for at in range(0, len(word.text), size)]
    seconds = (word.end - word.start) / len(texts)
    for number, text in enumerate(texts):
        start = word.start + number * seconds
        yield replace(word, text=text, start=start, end=start + seconds)


def _shown(cue: Cue, point: str, lines: Iterable[str]) -> str:
    return "\n".join([f"{_time(cue.start, point)} --> {_time(cue.end, point)}", *lines, "", ""])


def _time(seconds: float, point: str) -> str:
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}{point}{rest % 1000:03d}"


def _escaped(line: str) -> str:
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
