"""Standing: where a run stands, everything besides its tensors.

    Standing(config=..., alphabet=..., data="5f2c...", dev="90b1...", origin=None, epoch=3, step=150, ...)

That is all there is to a run: the order of the data and the random numbers of a step are functions of the seed and
(epoch, step).
"""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from ...manifests import Alphabet, DataError
from ..config import Config, config_of
from ..scoring.errors import Errors
from ..scoring.summary import finite

VERSION = 2
"""Of the facts as a checkpoint's record holds them."""
COUNTED = ("data", "dev", "noises", "epoch", "step", "summed_loss", "utterances", "skipped")
"""Fields that are JSON as they are."""
FREE = ("save_minutes", "keep", "stop_epochs", "bad_steps")
"""Keys of `train` that decide when a run is saved or ended, and no weight: they may change in mid-run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochResult:
    """What an epoch came to."""

    epoch: int
    """Counted from 1."""
    loss: float
    """Mean CTC loss of a training utterance, in nats; infinite if every step was skipped."""
    dev_loss: float
    dev_words: Errors
    dev_characters: Errors
    rate: float
    """Learning rate of its last step."""

    def facts(self) -> dict[str, Any]:
        """As JSON, which has no infinity: a loss that no utterance could be given is null."""
        return {**asdict(self), "loss": finite(self.loss), "dev_loss": finite(self.dev_loss)}

    @property
    def merit(self) -> tuple[float, float]:
        """Lower is better: word, then character error rate on the dev data. Of equals, the earlier epoch is better."""
        return self.dev_words.rate, self.dev_characters.rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a run's first weights came from, if not from chance."""

    name: str
    """Of the checkpoint, or of the file of a released model."""
    sha256: str

    def __str__(self) -> str:
        return f"{self.name} ({self.sha256[:12]})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a run stands."""

    config: Config
    alphabet: Alphabet
    data: str
    """Digest of the training data."""
    dev: str
    """Digest of the data that epochs are judged by."""
    noises: str = ""
    """Digest of what augmentation mixes in."""
    origin: Origin | None = None
    epoch: int = 0
    """Epochs done."""
    step: int = 0
    """Batches done in the epoch after them."""
    summed_loss: float = 0.0
    """Of the utterances of these batches."""
    utterances: int = 0
    """In these batches, but for those that were skipped."""
    skipped: int = 0
    """Steps in a row, up to now, whose loss was no number."""
    history: tuple[EpochResult, ...] = ()

    @property
    def best(self) -> EpochResult:
        """The best epoch so far, of which there must be one."""
        return min(self.history, key=lambda result: result.merit)

    def identity(self) -> dict[str, Any]:
        """All that decides a run's weights, and must be the same for it to go on, one fact a name."""
        train = asdict(self.config.train)
        if self.config.train.schedule != "cosine" and not self.config.train.warmup:
            del train["epochs"]  # it decides nothing before the last
        config = {**self.config.facts(), "train": {key: value for key, value in train.items() if key not in FREE}}
        config["augment"] |= {key: bool(config["augment"][key]) for key in ("noise", "reverb")}  # wherever they lie
        others = {"alphabet": "".join(self.alphabet.characters), "blank": self.alphabet.blank}
        told = {"training data": self.data, "dev data": self.dev, "noises": self.noises}
        return dict(_flat({**config, **others, **told}))

    def facts(self) -> dict[str, Any]:
        """As JSON; `standing_of` is its inverse."""
        return {
            "version": VERSION,
            **{name: getattr(self, name) for name in COUNTED},
            "config": self.config.facts(),
            "alphabet": {"characters": list(self.alphabet.characters), "blank": self.alphabet.blank},
            "origin": asdict(self.origin) if self.origin else None,
            "history": [result.facts() for result in self.history],
        }


def standing_of(facts: dict[str, Any], place: str) -> Standing:
    """The standing in a record's facts.

    Raises:
        DataError: another version of dsprep wrote it.
    """
    rest = dict(facts)
    if rest.pop("version", 1) != VERSION:
        raise DataError(f"{place} was written by another version of dsprep")
    return Standing(
        **{
            **rest,
            "config": config_of(rest["config"], place),
            "alphabet": Alphabet(tuple(rest["alphabet"]["characters"]), rest["alphabet"]["blank"]),
            "origin": Origin(**rest["origin"]) if rest["origin"] else None,
            "history": tuple(_result(one) for one in rest["history"]),
        }
    )


def _result(facts: dict[str, Any]) -> EpochResult:
    losses = {key: math.inf if facts[key] is None else facts[key] for key in ("loss", "dev_loss")}
    words, characters = Errors(**facts["dev_words"]), Errors(**facts["dev_characters"])
    return EpochResult(**{**facts, **losses, "dev_words": words, "dev_characters": characters})


def _flat(facts: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in facts.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", list(value) if isinstance(value, tuple) else value
