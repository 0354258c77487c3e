"""The grammar of NIST's segment time marks (STM): one line says who spoke where, when, and what.

    ;; LABEL "f0" "Planned" "Planned speech"
    JoinedTalk_2026 1 mwhw 0.50 1.50 <o,f0,unknown> start(2) <unk>
    JoinedTalk_2026 1 inter_segment_gap 1.50 2.00 <o,,unknown> ignore_time_segment_in_scoring
    2347 a 2347-a 137.10 144.48 because { um / uh / @ } i'm (w-) a (%hesitation) fighter

File, channel, speaker, begin and end in seconds, perhaps a label, the transcript, which may be empty. Source: SCTK,
doc/infmts.htm; where that is silent, what sclite 2.10 does, which the tests ask. Blanks are those of C (sclite), so
that a no-break space is part of a word.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ..manifests import BadRow

_BLANKS = " \t\n\r\f\v"
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_DECLARATION = re.compile(r';;\s*LABEL\s+"([^"]*)"')
_LABEL = re.compile(r"<([^\s<>]+)>(?!\S)\s*", re.ASCII)
_WORDS = ("unk", "sil")
"""What TED-LIUM writes in angle brackets among the words: never the label of a file that does not declare it."""

_TAG = r"\{[^\s{}/@]+\}"
_OUTSIDE = re.compile(rf"(?:{_TAG}|[^\s{{}}])+|[{{}}]", re.ASCII)
_INSIDE = re.compile(rf"(?:{_TAG}|[^\s{{}}/])+|[{{}}/]", re.ASCII)
_EMPTY = re.compile(r"\{[\s/]*\}", re.ASCII)
OPTIONAL = re.compile(r"\(([^()\d]+)\)")
_UNSPELLED = re.compile(r"%[^\W\d_]")

_LONGEST = 1e8
"""Seconds, about three years: no recording is longer, and an id has room for the digits."""
_NAME_LENGTH = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch of one channel of a recording, and what was said in it.

    Raises:
        ValueError: a time is negative, not finite or beyond three years, or the end is not after the beginning.
    """

    file: str
    """Name of the recording, without folder and extension."""
    channel: str
    """As written: `1`, `A`, `b`; `channel_number` counts it."""
    speaker: str
    start: float
    """Seconds from the beginning of the recording."""
    end: float
    """Seconds from the beginning of the recording."""
    label: str = ""
    """Subsets that the segment belongs to, `o,f0,male`, without the angle brackets; empty if there is no label."""
    transcript: str
    """As written; empty if nothing was said. `reading` chooses among its alternatives."""
    place: str
    """File and line, as `stm/JoinedTalk_2026.stm:3`."""

    def __post_init__(self) -> None:
        for name, seconds in (("begin", self.start), ("end", self.end)):
            if not 0 <= seconds < _LONGEST:  # which NaN is not either
                raise ValueError(f"{name} time {seconds} is not between 0 and {_LONGEST:g} seconds")
        if not self.end > self.start:
            raise ValueError(f"end time {self.end} is not after begin time {self.start}")

    @property
    def ignored(self) -> bool:
        """Whether it is not to be scored: in any case of letters and, as sclite has it, whatever else is said."""
        return "ignore_time_segment_in_scoring" in self.transcript.lower()

    @property
    def gap(self) -> bool:
        """Whether it fills the time between segments: a convention of TED-LIUM, not of NIST."""
        return self.speaker.lower() == "inter_segment_gap"


def segments(lines: Iterable[tuple[str, str]]) -> Iterator[Segment | BadRow]:
    """The segments of ONE text file, in its order; a line that is none becomes a BadRow that says which field is wrong.

    `lines` are (place, text) without blank lines; they are read to the end before the first segment comes, for a
    label may be known by its neighbours. Comments, `;;` at the beginning of a line, yield nothing. Segments that
    overlap are legal and all kept.

    The sixth word is a label, and no part of the transcript, if it is `<...>` without a blank, and it
    contains a comma (`<o,f0,male>`); or a comment of the file declares it (`;; LABEL "O" ...`); or every segment of
    the file that has a sixth word has such a one (`<F0_M>`) and it is not `<unk>` or `<sil>`. sclite takes
    whatever begins with `<`, and so would lose the first word of `<unk> he said`.
    """
    rows: list[Segment | BadRow] = []
    declared: set[str] = set()
    for place, line in lines:
        text = line.strip(_BLANKS)
        if not text.startswith(";;"):
            rows.append(_segment(place, text))
        elif found := _DECLARATION.match(text):
            declared.add(found[1])
    texts = [row.transcript for row in rows if isinstance(row, Segment) and row.transcript]
    everywhere = all(map(_LABEL.match, texts))
    for row in rows:
        yield row if isinstance(row, BadRow) else _labelled(row, declared, everywhere)


def _segment(place: str, text: str) -> Segment | BadRow:
    """The segment with its label, if any, still in the transcript."""
    fields = re.split(f"[{_BLANKS}]+", text, maxsplit=5)
    if len(fields) < 5:
        return BadRow(place=place, detail=f"{text!r} lacks some of file, channel, speaker, begin time, end time")
    file, channel, speaker, start, end, *rest = fields
    try:
        return Segment(
            file=file,
            channel=channel,
            speaker=speaker,
            start=_seconds("begin", start),
            end=_seconds("end", end),
            transcript="".join(rest),
            place=place,
        )
    except ValueError as error:
        return BadRow(place=place, detail=str(error))


def _seconds(name: str, written: str) -> float:
    # float() alone would also take "1_0", "nan" and digits of other scripts.
    if not _NUMBER.fullmatch(written):
        raise ValueError(f"{name} time {written!r} is not a number")
    return float(written)


def _labelled(row: Segment, declared: set[str], everywhere: bool) -> Segment:
    found = _LABEL.match(row.transcript)
    if found is None:
        return row
    label = found[1]
    if "," in label or label in declared or (everywhere and label.lower() not in _WORDS):
        return replace(row, label=label, transcript=row.transcript[found.end() :])
    return row


def channel_number(channel: str) -> int:
    """The channel counted from 0: `1`, `A` and `a`, which mono files have too, are 0; `2`, `B` and `b` are 1.

    Raises:
        ValueError: it is neither one letter nor a number from 1 to 999.
    """
    if re.fullmatch("[A-Za-z]", channel):
        return ord(channel.upper()) - ord("A")
    if re.fullmatch("[1-9][0-9]{0,2}", channel):
        return int(channel) - 1
    raise ValueError(f"channel {channel!r} is neither a letter nor a number from 1 to 999")


@dataclass(slots=True)
class _Alternation:
    """One that is being read: where its brace and its words begin, and where the chosen ones end."""

    at: int
    begin: int
    end: int | None = None

    def keep_first(self, words: list[str]) -> None:
        """Leave only the chosen alternative in `words`, to which the one that now ends was added."""
        if self.end is None and len(words) > self.begin:
            self.end = len(words)
        if self.end is not None:
            del words[self.end :]


def reading(transcript: str) -> str:
    """ONE reading of a transcript, to train on: plain words with single spaces.

    - `{ a b / c / @ }`, also nested and without the blanks: the first alternative that is not `@`. All are right, and
      sclite too keeps the first where it can keep but one; but `@` (nothing) would teach a model to skip a sound
      that somebody heard as a word.
    - `(word)`, which may be missing in a hypothesis: the word, for it was said.
    - `%hesitation`, `(%bcack)`: nothing, for their letters do not spell what was said. `@`: nothing.
    - Fragments, `wo-` and `-rd`, stay: they were heard. A text profile may decide otherwise.
    - What is not NIST's stays for the text profile: `{NOISE}` (a brace without blank or slash inside), `(2)`, `yes(2)`
      and `(AlGore_2009-1)` (parentheses with digits), `<unk>`.

    sclite (-D) finds no error in this reading, but for %words that are bare or alternatives, and what is not NIST's.

    Raises:
        ValueError: a brace has no partner, or an alternation is empty, on which sclite crashes.
    """
    if empty := _EMPTY.search(transcript):
        raise ValueError(f"the alternation at character {empty.start() + 1} is empty")
    words: list[str] = []
    opened: list[_Alternation] = []
    for token in tokens(transcript):
        mark = token[0]
        if mark == "{":
            opened.append(_Alternation(token.start(), len(words)))
        elif mark == "}" and not opened:
            raise ValueError(f"the brace at character {token.start() + 1} closes nothing")
        elif mark == "}":
            opened.pop().keep_first(words)
        elif mark == "/" and opened:
            opened[-1].keep_first(words)
        elif mark != "@":
            words.append(mark)
    if opened:
        raise ValueError(f"the brace at character {opened[-1].at + 1} is not closed")
    plain = (OPTIONAL.sub(r"\1", word) if OPTIONAL.fullmatch(word) else word for word in words)
    return " ".join(word for word in plain if word != "@" and not _UNSPELLED.match(word))


def has_choices(transcript: str) -> bool:
    """Whether scoring needs the transcript as it is, for it has alternations or optional words. Never raises."""
    return any(token[0] == "{" or OPTIONAL.fullmatch(token[0]) for token in tokens(transcript))


def tokens(transcript: str) -> Iterator[re.Match[str]]:
    """Words and braces; within braces also slashes, which elsewhere belong to words, as in `and/or`."""
    depth = end = 0
    while token := (_INSIDE if depth > 0 else _OUTSIDE).search(transcript, end):
        yield token
        end = token.end()
        depth += {"{": 1, "}": -1}.get(token[0], 0)


def segment_id(segment: Segment) -> str:
    """An id of the manifest's kind, `AlGore_2009-0001524-0002735`: file, begin and end in 1/100 s.

    The speaker follows the file after two dashes unless they have the same name, as in TED-LIUM's training talks; the
    channel comes last unless it is the first: `2347--2347-b-0000000-0002051-b`. What this cannot spell (other
    characters in a name, which become single dashes; times between the hundredths; names over 60 characters)
    adds `-x` and 8 hexadecimal digits of SHA-256 over file, channel, speaker and times. So ids differ where any
    of these differ, but for `1` and `A`, which are one channel; equal lines have equal ids.
    """
    names = [segment.file] if segment.speaker == segment.file else [segment.file, segment.speaker]
    spelled = [_spelled(name) for name in names]
    name = "--".join(spelled)
    channel = "" if segment.channel in ("1", "A", "a") else segment.channel
    begin, end = round(segment.start * 100), round(segment.end * 100)
    times = f"-{begin:07d}-{end:07d}"
    named = spelled == names and len(name) <= _NAME_LENGTH and re.fullmatch("[A-Za-z0-9]{0,6}", channel)
    if named and (begin / 100, end / 100) == (segment.start, segment.end):
        return f"{name}{times}-{channel}".removesuffix("-")
    identity = ascii((segment.file, channel, segment.speaker, segment.start, segment.end))
    return f"{name[:_NAME_LENGTH]}{times}-x{hashlib.sha256(identity.encode()).hexdigest()[:8]}"


def _spelled(name: str) -> str:
    """The name in letters, digits, underscores and single inner dashes; `_` if it has none of these."""
    return "-".join(re.findall(r"[A-Za-z0-9_]+", name)) or "_"
