"""Network: a reference that offers a choice, and what a hypothesis makes of it, as sclite does.

    i've { um / uh / @ } as (far) as i'm concerned

Alternatives in braces are all right; `@` is none at all; a word in parentheses may be left out. Words and alternatives
are arcs of a network without circles; the cheapest path through it and the hypothesis decides: 4 for a substitution, 3
for an insertion or a deletion, 2 for an optional word that is left out, which is then right, 0.001 for `@`. Source:
SCTK, doc/infmts.htm and doc/options.htm (-D); costs, and which of equal ones it takes, by sclite 2.10 itself, which
the tests ask.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ...importers.stm_lines import OPTIONAL, tokens
from .errors import Errors

SUBSTITUTION, GAP, LEFT_OUT, NOTHING = 4000, 3000, 2000, 1
"""Of words that differ, of one without a partner, of an optional one without a partner, of `@`."""
NULL = "@"
START = 0
"""The arc before all others, which has no word."""


@dataclass(frozen=True, slots=True)
class Arc:
    """One word of a reference, and what may come before it."""

    word: str
    optional: bool
    before: tuple[int, ...]
    """Arcs by their numbers, all lower than its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The words of a reference with their alternatives."""

    arcs: tuple[Arc, ...]
    """The first is START."""
    ends: tuple[int, ...]
    """Arcs after which nothing need come."""

    @property
    def plain(self) -> bool:
        """Whether there is nothing to choose."""
        chain = all(arc.before == (number,) for number, arc in enumerate(self.arcs[1:]))
        single = chain and self.ends == (len(self.arcs) - 1,)
        return single and not any(arc.optional or arc.word == NULL for arc in self.arcs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The path of a network that suits a hypothesis best."""

    words: tuple[str, ...]
    """Without optional words that the hypothesis lacks."""
    errors: Errors
    """Optional words that the hypothesis lacks are among its words, as right ones."""


@dataclass(slots=True)
class _Choice:
    """An alternation that is being read: where it begins, and where the alternatives that were read end."""

    start: tuple[int, ...]
    ends: list[int] = field(default_factory=list)


@dataclass(slots=True)
class _Builder:
    """A network that is being read."""

    profile: Callable[[str], str]
    arcs: list[Arc] = field(default_factory=lambda: [Arc("", False, ())])
    ends: tuple[int, ...] = (START,)
    choices: list[_Choice] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    """Plain words, which a profile may join."""

    def add(self, text: str, optional: bool = False) -> None:
        """Let the words of a text follow."""
        for word in self.profile(text).split():
            self.follow(word, optional)

    def follow(self, word: str, optional: bool = False) -> None:
        """Let a word follow."""
        self.arcs.append(Arc(word, optional, self.ends))
        self.ends = (len(self.arcs) - 1,)

    def take(self, token: str) -> None:
        """Let a word, or a mark of an alternation, follow."""
        optional = OPTIONAL.fullmatch(token)
        if not optional and token not in ("{", "}", NULL) and not (token == "/" and self.choices):
            self.waiting.append(token)
            return
        self.settle()
        if optional:
            self.add(optional[1], optional=True)
        elif token == NULL:
            self.follow(NULL)
        elif token == "{":
            self.choices.append(_Choice(self.ends))
        else:
            self.turn(closing=token == "}")

    def turn(self, closing: bool) -> None:
        """End an alternative, and perhaps the alternation."""
        choice = self.choices[-1]
        if self.ends == choice.start:  # an alternative without words
            self.follow(NULL)
        choice.ends += self.ends
        self.ends = choice.start
        if closing:
            self.ends = tuple(choice.ends)
            self.choices.pop()

    def settle(self) -> None:
        """Add the plain words that were read."""
        self.add(" ".join(self.waiting))
        self.waiting.clear()


def network_of(transcript: str, profile: Callable[[str], str] = str) -> Network:
    """The network of a transcript of an STM, whose braces must pair; `profile` is for its words.

    Raises:
        ValueError: a brace has no partner.
        Unspoken: the profile refuses a word.
    """
    builder = _Builder(profile)
    for token in tokens(transcript):
        if token[0] == "}" and not builder.choices:
            raise ValueError(f"the brace at character {token.start() + 1} closes nothing")
        builder.take(token[0])
    builder.settle()
    if builder.choices:
        raise ValueError("a brace is not closed")
    return Network(arcs=tuple(builder.arcs), ends=builder.ends)


def read(network: Network, hypothesis: Sequence[str]) -> Reading:
    """What a hypothesis makes of a network."""
    if network.plain and [arc.word for arc in network.arcs[1:]] == list(hypothesis):
        return Reading(words=tuple(hypothesis), errors=Errors(words=len(hypothesis)))
    table = _table(network, hypothesis)
    at = min(network.ends, key=lambda end: table[end][-1][0]), len(hypothesis)
    words, right, wrong = list[str](), 0, Counter[str]()
    while at != (START, 0):
        (arc, place), at = at, table[at[0]][at[1]][1]
        what = network.arcs[arc]
        if at[0] == arc:
            wrong["insertions"] += 1
        elif at[1] != place:
            words.append(what.word)
            same = what.word == hypothesis[place - 1]
            wrong["substitutions"] += not same
            right += same
        elif what.optional:
            right += 1
        elif what.word != NULL:
            words.append(what.word)
            wrong["deletions"] += 1
    of = right + wrong["substitutions"] + wrong["deletions"]
    return Reading(words=tuple(reversed(words)), errors=Errors(**wrong, words=of))


Cell = tuple[int, tuple[int, int]]
"""What the cheapest way to here costs, and where it comes from: an arc, and a place in the hypothesis."""


def _table(network: Network, hypothesis: Sequence[str]) -> list[list[Cell]]:
    """For each arc and each beginning of the hypothesis the cheapest way that ends with them."""
    table: list[list[Cell]] = [[(GAP * place, (START, max(0, place - 1))) for place in range(len(hypothesis) + 1)]]
    for number, arc in enumerate(network.arcs[1:], 1):
        leaving = NOTHING if arc.word == NULL else LEFT_OUT if arc.optional else GAP
        least = _least(table, arc.before)
        row: list[Cell] = [(least[0][0] + leaving, (least[0][1], 0))]
        for place, heard in enumerate(hypothesis, 1):
            here = least[place - 1][0] + (0 if heard == arc.word else SUBSTITUTION)
            left, put_in = least[place][0] + leaving, row[-1][0] + GAP
            if here <= left and here <= put_in:
                row.append((here, (least[place - 1][1], place - 1)))
            elif left < put_in:
                row.append((left, (least[place][1], place)))
            else:
                row.append((put_in, (number, place - 1)))
        table.append(row)
    return table


def _least(table: Sequence[Sequence[Cell]], arcs: Sequence[int]) -> list[tuple[int, int]]:
    """For each place the least cost after one of these arcs, and after which: the first of equal ones."""
    costs = [[cell[0] for cell in table[arc]] for arc in arcs]
    if len(arcs) == 1:
        return [(cost, arcs[0]) for cost in costs[0]]
    return [(min(column), arcs[column.index(min(column))]) for column in zip(*costs, strict=True)]
