"""Evaluated: what a model made of data, with all that says what model, data and rules these were.

Evaluated(place="run", checkpoint="00012-000000.safetensors", sha256="5f2c...", epoch=12, decoder={...}, ...)

As JSON it has all that scores are computed from: they can be computed again, by other rules, without the model.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...manifests import DataError, UsageError
from ...manifests.choice import one_of
from ...pipeline.text import PROFILES
from .heard import Evaluation, Heard, Unscored
from .rules import Rules
from .summary import METHOD

GREEDY = "greedy"
VERSION = 1
"""Of the JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """An evaluation that can be cited."""

    evaluation: Evaluation
    place: str
    """The run or the exported model, as it was named."""
    checkpoint: str
    """File name of the weights."""
    sha256: str
    """Of that file."""
    epoch: int | None = None
    """Epochs that the weights had seen; None for an exported model."""
    step: int = 0
    """Batches of the epoch after them."""
    decoder: Mapping[str, Any]
    """What wrote the texts, and its settings."""
    data: tuple[str, ...]
    """Manifests and shard folders, as they were named."""
    digest: str
    """Of the data."""
    rules: Rules = field(default_factory=Rules)
    """How texts were compared."""

    def by(self, rules: Rules) -> "Evaluated":
        """The same by other rules.

        Raises:
            DataError: no utterance has a reference, or those of an STM are to be compared without it.
        """
        if self.rules.files and not rules.references:
            raise DataError(f"{self.place} was scored by {', '.join(self.rules.files)}: name that with --stm too")
        return replace(self, evaluation=rules.scored(self.evaluation), rules=rules)

    @property
    def told(self) -> str:
        """Which weights these are, in a few words."""
        if self.epoch is None:
            return self.checkpoint
        return f"after epoch {self.epoch}" + (f", batch {self.step}" if self.step else "")

    @property
    def title(self) -> str:
        """What was evaluated, in a line."""
        return f"{_name(self.place)} on {', '.join(map(_name, self.data))}"

    def shown(self) -> dict[str, str]:
        """What a report says beside the rates."""
        how = self.evaluation.summary().how
        facts = {
            "model": f"{self.place}, {self.told}",
            "checkpoint": self.checkpoint,
            "sha256": self.sha256,
            "data": ", ".join(self.data),
            "data digest": self.digest,
            "decoder": ", ".join(self._decoder()),
            "text profile": self.rules.name,
            "95% intervals": f"{METHOD}: {how.resamples} resamples of {how.units} {how.unit}, seed {how.seed}",
        }
        if self.rules.files:
            facts["references"] = ", ".join(self.rules.files)
        if self.evaluation.unscored:
            facts["not scored"] = f"{len(self.evaluation.unscored)} utterances without a reference"
        return facts

    def _decoder(self) -> Iterator[str]:
        """Its name and, where there are choices, what was chosen."""
        yield str(self.decoder["name"])
        for key, value in self.decoder.items():
            if key == "hot_words":
                yield from (f"hot word {word} {boost:g}" for word, boost in value.items())
            elif self.decoder["name"] != GREEDY and key != "name" and value is not None:
                yield f"{key} {value['path'] if isinstance(value, Mapping) else value}"

    def facts(self) -> dict[str, Any]:
        """As JSON; `evaluated_of` is its inverse, but for the segments of `rules`, which are with their utterances."""
        model = {"place": self.place, "checkpoint": self.checkpoint, "sha256": self.sha256}
        return {
            "version": VERSION,
            "model": {**model, "epoch": self.epoch, "step": self.step},
            "data": {"places": list(self.data), "digest": self.digest, "references": list(self.rules.files)},
            "decoder": dict(self.decoder),
            "text_profile": self.rules.name,
            **self.evaluation.facts(),
        }


def evaluated_of(facts: Mapping[str, Any]) -> Evaluated:
    """The evaluation in a JSON's facts.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: they are not such facts.
    """
    data = facts["data"]
    heard = tuple(Heard.of(one) for one in facts["results"])
    if len({one.sample.id for one in heard}) < len(heard) or not any(one.words.words for one in heard):
        raise ValueError("an utterance is there twice, or there is no word")
    found = Evaluated(
        evaluation=Evaluation(heard, tuple(Unscored(**one) for one in facts["unscored"])),
        **facts["model"],
        decoder=facts["decoder"],
        data=tuple(data["places"]),
        digest=data["digest"],
        rules=Rules(name=one_of("text profile", facts["text_profile"], PROFILES), files=tuple(data["references"])),
    )
    list(found._decoder())  # raises what it cannot tell
    return found


def read_evaluated(path: Path) -> Evaluated:
    """The evaluation that `dsprep evaluate --json` wrote to a file.

    Raises:
        DataError: it cannot be read, or is none.
    """
    try:
        facts = json.loads(path.read_bytes(), parse_constant=_no_number)
        if facts["version"] != VERSION:
            raise DataError(f"{path} was written by another version of dsprep: evaluate again")
        return evaluated_of(facts)
    except OSError as error:
        raise DataError(
            f"cannot read {path}: {error.strerror}; name what dsprep evaluate --json has written"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, UsageError) as error:
        raise DataError(
            f"{path} is no evaluation of one model: name what dsprep evaluate --json has written"
        ) from error


def _no_number(text: str) -> None:
    """NaN and the infinities, which JSON does not have."""
    raise ValueError(text)


def _name(place: str) -> str:
    return place.rstrip("/").rpartition("/")[2]
