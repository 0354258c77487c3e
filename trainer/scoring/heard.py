"""Heard: what a model made of utterances, and how far that is from what was said.

    Heard(sample=..., hypothesis=Hypothesis(text="the bat", ...), loss=3.2, words=Errors(substitutions=1, words=3), ...)

Texts are compared as a text profile has them, by default as they are written (`keep`): in NFC, one space between
words. References never pass through the alphabet: what the model cannot write is an error like others.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from math import inf
from pathlib import Path
from typing import Any, Self

from ...importers.stm_lines import Segment
from ...manifests import Sample
from ...pipeline.text import PROFILES, Profile, Unspoken
from ..decoding.hypothesis import Hypothesis, Word
from .errors import EDIT, Errors, added, count_characters, count_words
from .summary import Summary, finite, summary_of

AS_WRITTEN = PROFILES["keep"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """Texts before a profile."""

    reference: str
    hypothesis: str


@dataclass(frozen=True, slots=True)
class Heard:
    """One utterance: what was said and what the model heard."""

    sample: Sample
    """Its transcript is the reference as it was compared."""
    hypothesis: Hypothesis
    """The likeliest, its text as it was compared; its words are the decoder's own."""
    loss: float
    """CTC loss in nats; infinite when the reference does not fit or cannot be written."""
    words: Errors
    characters: Errors
    raw: Raw | None = None
    """The texts as they were, where comparing took others."""
    segment: Segment | None = None
    """Of an STM, where the reference is one's."""

    @property
    def speaker(self) -> str:
        """Empty if it is not known."""
        return self.sample.speaker

    @property
    def written(self) -> Raw:
        """Reference and hypothesis as they were before any profile."""
        return self.raw or Raw(reference=self.sample.transcript, hypothesis=self.hypothesis.text)

    def facts(self) -> dict[str, Any]:
        """As JSON, with raw texts, so that scores can be computed again with any profile; `of` is its inverse."""
        sample = self.sample
        texts = {"scored_reference": sample.transcript, "scored_hypothesis": self.hypothesis.text}
        return {
            "id": sample.id,
            "speaker": sample.speaker,
            "duration": sample.duration,
            "reference": self.written.reference,
            "hypothesis": self.written.hypothesis,
            **(texts if self.raw else {}),
            "loss": finite(self.loss),
            "score": finite(self.hypothesis.score),
            "words": self.words.facts(),
            "characters": self.characters.facts(),
            "times": [
                {"word": one.text, "start": one.start, "end": one.end, "confidence": one.confidence}
                for one in self.hypothesis.words
            ],
            "audio": {"path": str(sample.path), "offset": sample.offset, "bytes": sample.size},
            "columns": dict(sample.extras),
            **({"segment": asdict(self.segment)} if self.segment else {}),
        }

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Self:
        """The utterance of these facts; its errors are counted again, but for those by an STM's choices."""
        audio, raw = facts["audio"], Raw(reference=facts["reference"], hypothesis=facts["hypothesis"])
        sample = Sample(
            id=facts["id"],
            path=Path(audio["path"]),
            offset=audio["offset"],
            size=audio["bytes"],
            transcript=facts.get("scored_reference", raw.reference),
            duration=facts["duration"],
            speaker=facts["speaker"],
            extras=tuple(facts["columns"].items()),
        )
        hypothesis = Hypothesis(
            text=facts.get("scored_hypothesis", raw.hypothesis),
            score=_number(facts["score"], -inf),
            words=tuple(
                Word(text=one["word"], **{name: float(one[name]) for name in ("start", "end", "confidence")})
                for one in facts["times"]
            ),
        )
        segment = Segment(**facts["segment"]) if "segment" in facts else None
        return cls(
            sample,
            hypothesis,
            _number(facts["loss"], inf),
            _errors(facts["words"]) if segment else count_words(sample.transcript, hypothesis.text),
            count_characters(sample.transcript, hypothesis.text),
            raw if "scored_reference" in facts else None,
            segment,
        )


def _errors(facts: Mapping[str, Any]) -> Errors:
    if not all(isinstance(value, int) and 0 <= value < EDIT for value in facts.values()):
        raise ValueError(f"{facts} are no counts")
    return Errors(**facts)


def _number(value: float | None, instead: float) -> float:
    """What JSON has of a number, or has null for."""
    return instead if value is None else float(value)


def heard_of(sample: Sample, hypothesis: Hypothesis, loss: float, profile: Profile = AS_WRITTEN) -> Heard:
    """An utterance and its errors by that profile.

    Raises:
        Unspoken: the profile refuses the reference.
    """
    reference, text = profile(sample.transcript), spoken(hypothesis.text, profile)
    raw = None
    if (reference, text) != (sample.transcript, hypothesis.text):
        raw = Raw(reference=sample.transcript, hypothesis=hypothesis.text)
        sample, hypothesis = replace(sample, transcript=reference), replace(hypothesis, text=text)
    return Heard(sample, hypothesis, loss, count_words(reference, text), count_characters(reference, text), raw)


def spoken(text: str, profile: Profile) -> str:
    """What a model heard by that profile; what the profile refuses is compared as it is written."""
    try:
        return profile(text)
    except Unspoken:
        return AS_WRITTEN(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unscored:
    """An utterance that counts nowhere."""

    id: str
    why: str
    hypothesis: str
    """What the model heard all the same."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a model made of some data."""

    heard: tuple[Heard, ...]
    """By id."""
    unscored: tuple[Unscored, ...] = ()
    """Those that have no reference. By id."""

    @property
    def words(self) -> Errors:
        """Word errors of the whole."""
        return added(one.words for one in self.heard)

    @property
    def characters(self) -> Errors:
        """Character errors of the whole."""
        return added(one.characters for one in self.heard)

    @property
    def loss(self) -> float:
        """Mean loss of the utterances whose loss is finite."""
        losses = [one.loss for one in self.heard if one.loss < float("inf")]
        return sum(losses) / len(losses) if losses else float("inf")

    def summary(self) -> Summary:
        """All rates with their confidence intervals."""
        return summary_of(self.heard)

    def facts(self) -> dict[str, Any]:
        """All of it as JSON, rates as fractions."""
        return {
            **self.summary().facts(),
            "loss": finite(self.loss),
            "unscored": [{"id": one.id, "why": one.why, "hypothesis": one.hypothesis} for one in self.unscored],
            "results": [one.facts() for one in self.heard],
        }
