"""Job: what is to be imported, and how: everything that a user can ask of an import but where to put it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..importers import Corpus
from ..manifests import UsageError, english, one_of, read_alphabet
from .ancestors import ANCESTORS
from .chunk import Settings
from .screen import Rules
from .splitting import Split, parse
from .text import PROFILES


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is to be imported, and how."""

    corpus: Corpus
    parts: tuple[str, ...] = ()
    """None: all that the sources hold."""
    sources: tuple[str, ...] = ()
    """None: the published archives are fetched."""
    settings: Settings = field(default_factory=Settings)
    only: tuple[str, ...] = ()
    """Filters, as `filters.parse` reads them."""
    split: Split | None = None
    collect_alphabet: bool = False
    """Whether the characters of all transcripts are written as an alphabet."""
    without_ffmpeg: bool = False
    """Whether to go on where audio needs ffmpeg, which is not there: it is rejected."""

    def facts(self) -> dict[str, Any]:
        """All that decides what comes out, besides the sources, as JSON."""
        return {
            **self.settings.facts(),
            "only": list(self.only),
            "split": self.split and self.split.facts(),
            "alphabet": self.collect_alphabet,
        }


def job(
    corpus: Corpus,
    *,
    parts: Sequence[str] = (),
    sources: Sequence[str] = (),
    form: str = "wav",
    channel: int | None = None,
    only: Sequence[str] = (),
    text: str | None = None,
    alphabet: str | None = None,
    model: str | None = None,
    min_seconds: float | None = None,
    max_seconds: float | None = None,
    profile: str | None = None,
    split: str | None = None,
    seed: int = 0,
    without_ffmpeg: bool = False,
) -> Job:
    """The job that a user asked for in words; None is what fits the corpus. `channel` is counted from 0.

    Raises:
        UsageError: a profile, a split or a bound means nothing.
        DataError: the alphabet cannot be read.
    """
    words, rules = corpus.profile, Rules()
    if profile is not None:
        words, rules = _ancestor(profile, corpus)
    rules = replace(
        rules,
        min_seconds=rules.min_seconds if min_seconds is None else min_seconds,
        max_seconds=rules.max_seconds if max_seconds is None else max_seconds,
        fit=model or rules.fit,
        alphabet=_characters(alphabet),
    )
    if not (math.isfinite(rules.min_seconds) and rules.min_seconds <= rules.max_seconds):
        raise UsageError(f"--min-seconds {min_seconds} --max-seconds {max_seconds}: nothing is that long")
    return Job(
        corpus=corpus,
        parts=tuple(parts),
        sources=tuple(sources),
        settings=Settings(
            form=form, text=one_of("text profile", text or words, PROFILES), channel=channel, rules=rules
        ),
        only=tuple(only),
        split=None if split is None else parse(split, seed),
        collect_alphabet=alphabet == "auto",
        without_ffmpeg=without_ffmpeg,
    )


def _ancestor(name: str, corpus: Corpus) -> tuple[str, Rules]:
    settings = ANCESTORS[one_of("profile", name, ANCESTORS)]
    if corpus.name not in settings:
        raise UsageError(f"--profile {name} is known for {', '.join(settings)}, not for {corpus.name}")
    return settings[corpus.name]


def _characters(alphabet: str | None) -> str | None:
    if alphabet is None or alphabet == "auto":
        return None
    return "".join((english() if alphabet == "english" else read_alphabet(Path(alphabet))).characters)
