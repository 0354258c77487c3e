"""`dsprep corpora`: the corpora that can be imported.

    ldc93s1: LDC93S1 (one TIMIT sentence)
        page     https://catalog.ldc.upenn.edu/LDC93S1
        parts    ldc93s1
        size     93.7 kB
        licence  LDC sample, free of charge
        needs    nothing: dsprep fetches it

They are those of the table in `importers/__init__.py`.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..importers import Corpus

HEADER = "| corpus | what | parts | size | licence | needs |\n|---|---|---|---|---|---|"
COLUMNS = 87
"""Of a fact, before it goes on in the next line."""


@click.command()
@click.option("--markdown", is_flag=True, help="As the table in README.")
def corpora(markdown: bool) -> None:
    """List the corpora that can be imported, with their parts, licences, sizes and what they need."""
    from ..importers import CORPORA

    if markdown:
        click.echo(HEADER)
    for corpus in CORPORA.values():
        needs = corpus.needs or "nothing: dsprep fetches it"
        click.echo(_row(corpus, needs) if markdown else _paragraph(corpus, needs))


def _row(corpus: Corpus, needs: str) -> str:
    """A row of the table in README."""
    parts = ", ".join(f"`{part.name}`" for part in corpus.parts)
    what = f"[{corpus.title}]({corpus.homepage})" if corpus.homepage else corpus.title
    return f"| `{corpus.name}` | {what} | {parts} | {corpus.size} | {corpus.licence} | {needs} |"


def _paragraph(corpus: Corpus, needs: str) -> str:
    """A corpus and its facts, a line or a few each."""
    parts = ", ".join(part.name for part in corpus.parts)
    facts = {"page": corpus.homepage, "parts": parts, "size": corpus.size, "licence": corpus.licence, "needs": needs}
    lines = [f"{corpus.name}: {corpus.title}"]
    for name, text in facts.items():
        wrapped = textwrap.wrap(text or "none", COLUMNS, break_on_hyphens=False)
        lines.append(f"    {name:<9}" + f"\n{' ' * 13}".join(wrapped))
    return "\n".join(lines)
