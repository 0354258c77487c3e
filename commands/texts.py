"""`dsprep text`: what text profiles are, and what they make of a text.

    before  "Mister  O'Hara"
    lower   "mister  o'hara"
    words   "mister o'hara"
    after   "mister o'hara"

Rules that change nothing are not shown; one that refuses the text ends it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from ..manifests import UsageError, one_of
from ..pipeline.tables import printable
from .showing import show_table

if TYPE_CHECKING:
    from ..pipeline.text import Profile


@click.group()
def text() -> None:
    """Show what text profiles are, and what they make of a text."""


@text.command()
def profiles() -> None:
    """List the text profiles with their rules, in the order in which they are applied."""
    from ..pipeline.text import PROFILES

    rows = [("profile", "rule", "what it does")]
    for profile in PROFILES.values():
        rows += [(profile.name, "", profile.title), *(("", rule.name, rule.what) for rule in profile.rules)]
    show_table(rows, left=3)


@text.command()
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option("--text", "name", default="plain", show_default=True, help="Text profile.")
@click.option("--all", "every", is_flag=True, help="What each of the profiles makes of it, a line each.")
def explain(texts: tuple[str, ...], name: str, every: bool) -> None:
    """Show what a profile does to each TEXT, rule by rule; without TEXT, to each line of standard input."""
    from ..manifests.utterance import check_text
    from ..pipeline.text import PROFILES

    profile = PROFILES[one_of("text profile", name, PROFILES)]
    for index, given in enumerate(map(_typed, texts) if texts else _lines_of_input()):
        try:
            check_text("the text", given)
        except ValueError as error:
            raise UsageError(str(error)) from error
        if index:
            click.echo()
        outcomes = ((one.name, _explained(one, given)[-1][1]) for one in PROFILES.values())
        show_table([("before", _quoted(given)), *outcomes] if every else _explained(profile, given), left=2)


def _explained(profile: Profile, text: str) -> list[tuple[str, str]]:
    """What a profile does to a text, as rows: before, each rule that did something, after if none refused."""
    from ..pipeline.text import explain

    rows = [("before", _quoted(text))]
    for step in explain(profile, text):
        if step.refused is not None:
            return [*rows, (step.rule.name, f"refused: {printable(step.refused)}")]
        rows.append((step.rule.name, _quoted(step.text)))
    return [*rows, ("after", rows[-1][1])]


def _quoted(text: str) -> str:
    """Text from data between quotation marks, so that spaces at its ends are seen."""
    return f'"{printable(text)}"'


def _typed(text: str) -> str:
    """An argument, as UTF-8 where the locale could not read it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return os.fsencode(text).decode(errors="surrogateescape")
    return text


def _lines_of_input() -> Iterator[str]:
    """The lines of standard input, which is UTF-8 whatever the locale."""
    for number, line in enumerate(sys.stdin.buffer, 1):
        try:
            text = line.decode().rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise UsageError(f"line {number} of standard input is not UTF-8") from error
        yield text
