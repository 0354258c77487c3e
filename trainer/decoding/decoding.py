"""Decoding: how text is to be read from log-probabilities, as a user asks for it.

Decoding()                                      greedily
Decoding(lm=Path("3gram.arpa"), alpha=0.9)      by a beam search with a language model
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...manifests import Alphabet, UsageError
from ...pipeline.hashing import sha256_if_there
from ..language.kenlm import require
from .decoder import Decoder
from .greedy import Greedy

ALPHA, BETA = 0.931289039105002, 1.1834137581510284
"""The weights of DeepSpeech 0.9.3 for its own model, by its util/flags.py; `dsprep lm tune` finds those for another."""
THRESHOLD, TOKENS = 25.0, 40
"""Of a search, if nothing else is asked for."""
WIDEST = 100_000
"""Hypotheses that a search may be asked to follow or give back: each takes 100 bytes a step."""
HEAVIEST = 1000.0
"""Nats that a weight may be: it drowns all that a model says, and sums of many are far below what marks an end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoding:
    """What is asked for. With nothing but the defaults it is greedy, else a beam search.

    Raises:
        UsageError: a number is out of bounds.
    """

    beam: int | None = None
    """Hypotheses that are kept from a step to the next; 100 if only something else asks for a search."""
    beam_threshold: float = THRESHOLD
    """In nats: what is so much less likely than the best at a step is not followed."""
    tokens: int = TOKENS
    """Labels that are tried at a step, the likeliest: of an alphabet of letters all."""
    lm: Path | None = None
    """ARPA or KenLM's binary."""
    words: Path | None = None
    """Words that may be heard, white space between them; by default those of the language model."""
    alpha: float | None = None
    """Weight of the language model's natural log-probability."""
    beta: float | None = None
    """What each word adds, in nats."""
    hot_words: tuple[tuple[str, float], ...] = ()
    """What each of these words adds besides, in nats."""
    nbest: int = 1
    """Most hypotheses that are given back."""

    def __post_init__(self) -> None:
        for name, value in (("--beam", self.beam), ("--tokens", self.tokens), ("--nbest", self.nbest)):
            if value is not None and not 1 <= value <= WIDEST:
                raise UsageError(f"{name} {value}: it is a number from 1 to {WIDEST}")
        if not self.beam_threshold > 0:
            raise UsageError(f"--beam-threshold {self.beam_threshold}: it is a number above 0, in nats")
        self._check_weights()
        if self.greedy and (self.beam_threshold, self.tokens) != (THRESHOLD, TOKENS):
            raise UsageError("--beam-threshold and --tokens are for a search: ask for one too, as with --beam 100")

    def _check_weights(self) -> None:
        boosts = [(f"--hot-word {word}", boost) for word, boost in self.hot_words]
        for name, weight in (("--alpha", self.alpha), ("--beta", self.beta), *boosts):
            if weight is not None and not abs(weight) <= HEAVIEST:
                raise UsageError(f"{name} {weight}: a weight is a number from -{HEAVIEST:.0f} to {HEAVIEST:.0f}")
        words = [word for word, _ in self.hot_words]
        if twice := next((word for word in words if words.count(word) > 1), None):
            raise UsageError(f"--hot-word {twice} is there twice: name each word once")
        if (self.alpha or 0) < 0:
            raise UsageError(f"--alpha {self.alpha}: the weight of a language model is not below 0")
        if self.alpha is not None and self.lm is None:
            raise UsageError(f"--alpha {self.alpha} is the weight of a language model: name it with --lm FILE")
        if self.beta is not None and self.lm is None and self.words is None:
            raise UsageError(f"--beta {self.beta} counts words: name them with --lm FILE or --words FILE")

    @property
    def greedy(self) -> bool:
        """Whether no search is asked for."""
        return not (self.beam or self.lm or self.words or self.hot_words or self.nbest > 1)

    def decoder(self, alphabet: Alphabet, on_notice: Callable[[str], None] = lambda notice: None) -> Decoder:
        """The decoder for a model that writes with this alphabet.

        Raises:
            MissingExtraError: a search is asked for, and flashlight-text is not installed.
            DataError: the language model or word list cannot be read, or has no word that the alphabet can write.
            UsageError: a hot word has a character that the alphabet lacks.
        """
        if self.greedy:
            return Greedy(alphabet)
        require()
        from .searching import search_of

        return search_of(self, alphabet, on_notice).weighed(self.weights)

    @property
    def weights(self) -> tuple[float, float]:
        """Alpha and beta: as asked, else DeepSpeech's with a language model, and 0 without."""
        alpha, beta = (ALPHA, BETA) if self.lm else (0.0, 0.0)
        return alpha if self.alpha is None else self.alpha, beta if self.beta is None else self.beta

    @property
    def width(self) -> int:
        """The beam of a search; never less than the hypotheses that are asked for."""
        return max(self.beam or 100, self.nbest)

    def facts(self) -> dict[str, Any]:
        """What decided the texts, as JSON; files with the digest of what they hold."""
        if self.greedy:
            return {"name": "greedy"}
        alpha, beta = self.weights
        return {
            "name": "beam",
            "beam": self.width,
            "beam_threshold": self.beam_threshold,
            "tokens": self.tokens,
            "lm": _file(self.lm),
            "words": _file(self.words),
            "alpha": alpha if self.lm else None,
            "beta": beta if self.lm or self.words else None,
            "hot_words": dict(self.hot_words),
            "nbest": self.nbest,
        }


def _file(path: Path | None) -> dict[str, str | None] | None:
    return {"path": str(path), "sha256": sha256_if_there(path)} if path else None
