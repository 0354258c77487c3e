"""Rules: what hypotheses are compared with, and how, as a user asks for it.

Rules(name="plain", references=(Segment(...), ...), files=("dev.stm",))
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...importers.stm_lines import Segment, segment_id
from ...manifests import DataError
from ...manifests.choice import one_of
from ...pipeline.text import PROFILES, Profile
from .heard import AS_WRITTEN, Evaluation
from .references import read_stm
from .rescoring import by_profile, by_stm

CHOICES = "stm"
"""The column in which an import keeps a reference that offers a choice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How texts are compared."""

    name: str = AS_WRITTEN.name
    """Of the text profile: a profile itself cannot be sent to other processes."""
    references: tuple[Segment, ...] = ()
    """Of STM files; without them the transcripts of the data."""
    files: tuple[str, ...] = ()
    """Those STM files."""

    @property
    def profile(self) -> Profile:
        """What references and hypotheses go through."""
        return PROFILES[self.name]

    def scored(self, evaluation: Evaluation) -> Evaluation:
        """An evaluation by these rules.

        Raises:
            DataError: no utterance has a reference.
        """
        if self.references:
            found = by_stm(evaluation, self.references, self.profile)
        elif self.profile is not AS_WRITTEN:
            found = by_profile(evaluation, self.profile)
        else:
            found = evaluation
        if not any(one.words.words for one in found.heard):
            first = next((f": {one.id}: {one.why}" for one in found.unscored), "")
            raise DataError(f"no utterance has a word of reference{first}; name data with transcripts, or their STM")
        return found

    def notices(self, evaluation: Evaluation) -> Iterator[str]:
        """What a user should know of an evaluation by these rules."""
        everything = len(evaluation.unscored) + len(evaluation.heard)
        for why, ids in _reasons(evaluation):
            yield f"{len(ids)} of {everything} utterances count nowhere, first {ids[0]}: {why}"
        if empty := sum(not one.words.words for one in evaluation.heard):
            yield f"{empty} references are empty: what was heard there counts as put in, as sclite has it"
        changed = sum(one.raw is not None for one in evaluation.heard)
        if changed and self.profile is not AS_WRITTEN:
            yield f"text profile {self.name}: {changed} utterances are compared otherwise than they are written"
        if missing := self._missing(evaluation):
            yield f"{missing} segments of {', '.join(self.files)} are in none of the data: they are not scored"
        choices = sum(bool(dict(one.sample.extras).get(CHOICES)) for one in evaluation.heard)
        if choices and not self.references:
            yield f"{choices} references offer a choice, of which one reading counts: --stm FILE scores all of it"

    def _missing(self, evaluation: Evaluation) -> int:
        there = {one.sample.id for one in evaluation.heard} | {one.id for one in evaluation.unscored}
        return sum(not one.ignored and segment_id(one) not in there for one in self.references)


def rules_of(profile: str, stm: Sequence[Path]) -> Rules:
    """The rules that a user names.

    Raises:
        UsageError: there is no such profile.
        DataError: an STM file cannot be read.
    """
    known = one_of("text profile", profile, PROFILES)
    return Rules(name=known, references=tuple(read_stm(stm)), files=tuple(map(str, stm)))


def _reasons(evaluation: Evaluation) -> list[tuple[str, list[str]]]:
    """Why utterances count nowhere, those of most of them first."""
    found: dict[str, list[str]] = {}
    for one in evaluation.unscored:
        found.setdefault(one.why, []).append(one.id)
    return sorted(found.items(), key=lambda reason: -len(reason[1]))[:3]
