"""Facts: what an exported file says of itself, as JSON under the key `dsprep` of ONNX's metadata.

    {"format": 1, "kind": "whole", "numbers": "float32", "alphabet": {"characters": [" ", "a", ...], "blank": 28},
     "features": "log-spectrogram", "checkpoint": {"name": "00024-000000.safetensors", "sha256": "9f0c..."}, ...}

Whoever has the file needs nothing else to write text. Neither torch nor onnx is needed to read it. They are sealed: a
letter of the alphabet that has changed would be a wrong text, and nobody would know.
"""

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

from ... import __version__
from ...manifests import Alphabet, DataError
from ...manifests.ctc import RATE
from ...pipeline.commit import seal, unseal
from ..decoding.decoder import STEP

KEY = "dsprep"
FORMAT = 1
"""Of these facts, and of what the graphs take and give."""
WHOLE, STREAM = "whole", "stream"
FLOAT, INT8 = "float32", "int8"
MOST = 2**26
"""Numbers that a stream may hand on under a name."""
NEXT = "_next"
"""Ends the name of what a stream hands on, where it comes out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a stream hands on from a piece to the next."""

    name: str
    """Of the input; the output's has `NEXT` after it."""
    type: str
    """`float32` or `int64`."""
    shape: tuple[int, ...]
    """At the beginning of a stream, when it is all zeros."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeding:
    """How a stream is fed: with samples that grow to `first`, later to `next`; `used` says how many to let go."""

    first: int
    """Samples that a stream must have for its first step."""
    next: int
    """Samples that it must have for each later piece, with what is left of those before."""
    state: tuple[Held, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantised:
    """What whole numbers of 8 bits cost, measured on data."""

    utterances: int
    data: str
    """Digest of that data."""
    wer: float
    """Of the float32 file, as a fraction."""
    wer_int8: float
    difference: float
    """Largest of a log-probability."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """An exported file."""

    kind: str
    """`whole` or `stream`."""
    numbers: str
    """Of its weights: `float32` or `int8`."""
    alphabet: Alphabet
    features: str
    model: dict[str, Any]
    """The table [model] of its config."""
    checkpoint: dict[str, str]
    """Name and sha256 of what it was made from."""
    origin: dict[str, str] | None
    """Name and sha256 of what its run began with, if not with chance."""
    data: str
    """Digest of the training data."""
    dev: str
    """Digest of the data that epochs were judged by."""
    epoch: int
    """Epochs done."""
    dev_wer: float | None
    """After that epoch, as a fraction."""
    dev_cer: float | None
    whole_only: str = ""
    """Why there is no stream beside it; empty if there is."""
    feeding: Feeding | None = None
    """Of a stream."""
    quantised: Quantised | None = None
    """Of int8."""
    graph: str = ""
    """sha256 of the graph's bytes in the file, and of all else in it but the metadata."""

    def text(self) -> str:
        """As JSON; `facts_of` is its inverse."""
        rest = {**asdict(self), "alphabet": alphabet_facts(self.alphabet)}
        told = {"format": FORMAT, "version": __version__, "rate": RATE, "step": STEP, **rest}
        return seal(told).decode()


def alphabet_facts(alphabet: Alphabet) -> dict[str, Any]:
    """An alphabet as JSON."""
    return {"characters": list(alphabet.characters), "blank": alphabet.blank}


def facts_of(text: str, place: str) -> Facts:
    """The facts in a file's metadata.

    Raises:
        DataError: another version of dsprep wrote them, they are not what such a version writes, or are damaged.
    """
    found = _facts(text, place)
    try:
        unseal(text.encode(), place)
    except DataError as error:
        raise DataError(f"{error}; export it again") from error
    return found


def _facts(text: str, place: str) -> Facts:
    try:
        told = json.loads(text)
        found = told.pop("format")
        if found != FORMAT:
            raise DataError(
                f"{place} was exported by another version of dsprep (format {found!r}, this one reads {FORMAT}): "
                "export it again from its run"
            )
        for name in ("version", "rate", "step", "seal"):
            del told[name]
        alphabet = told.pop("alphabet")
        feeding, quantised = told.pop("feeding"), told.pop("quantised")
        return Facts(
            alphabet=Alphabet(tuple(alphabet["characters"]), alphabet["blank"]),
            feeding=_feeding(feeding) if feeding else None,
            quantised=Quantised(**quantised) if quantised else None,
            **told,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{place} says of itself what dsprep export never writes: export it again") from error


def _feeding(told: dict[str, Any]) -> Feeding:
    state = tuple(Held(name=one["name"], type=one["type"], shape=tuple(one["shape"])) for one in told["state"])
    for one in state:
        if (
            one.type not in ("float32", "int64")
            or not 0 <= math.prod(one.shape) <= MOST
            or min(one.shape, default=0) < 0
        ):
            raise ValueError(f"{one} cannot be handed on")
    return Feeding(first=int(told["first"]), next=int(told["next"]), state=state)
