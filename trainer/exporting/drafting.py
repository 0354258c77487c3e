"""Drafting: the files of an export as bytes, before anybody has said that they are right.

    model.onnx                float32, whole utterances
    model.stream.onnx         float32, pieces of a stream, of a model that hears forwards
    model.int8.onnx           the same two with weights of 8 bits
    model.int8.stream.onnx

The same run gives the same bytes.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from onnx import ModelProto, StringStringEntryProto, load_model_from_string

from ..acoustic.onnx_file import NAME, Net, OnnxModel
from ..acoustic.run import RunModel
from ..training.standing import Origin, Standing
from .facts import FLOAT, INT8, KEY, STREAM, WHOLE, Facts, Quantised
from .quantising import quantised
from .wire import graph_digest
from .writing import stream_graph, whole_graph, whole_only

STREAM_NAME = "model.stream.onnx"


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A file."""

    name: str
    data: bytes
    facts: Facts


@dataclass(frozen=True, slots=True, eq=False)
class Drafts:
    """The files of one kind of numbers."""

    whole: Draft
    stream: Draft | None

    @property
    def files(self) -> Sequence[Draft]:
        """Those that there are."""
        return [self.whole, self.stream] if self.stream else [self.whole]

    def opened(self, threads: int | None = None) -> OnnxModel:
        """The model that they are, as one who has the files opens it, on the CPU."""
        whole, stream = self.whole, self.stream

        def net(draft: Draft) -> Net:
            return Net(draft.data, Path(draft.name), "cpu", threads)

        def following() -> Net:
            assert stream
            return net(stream)

        return OnnxModel(net(whole), following)


def drafts(found: RunModel, origin: Origin) -> Drafts:
    """A run's model in float32."""
    labels, why = found.alphabet.size, whole_only(found.model, found.features)
    facts = _facts(found.standing, origin, why)
    whole = drafted(NAME, whole_graph(found.model, found.features, labels), facts)
    if why:
        return Drafts(whole, None)
    pieces = stream_graph(found.model, found.features, labels)
    facts = replace(facts, kind=STREAM, feeding=pieces.feeding)
    return Drafts(whole, drafted(STREAM_NAME, pieces.model, facts))


def in_int8(plain: Drafts) -> Drafts:
    """The same with weights of 8 bits."""

    def one(draft: Draft) -> Draft:
        name = draft.name.replace("model.", f"model.{INT8}.", 1)
        return drafted(name, quantised(load_model_from_string(draft.data)), replace(draft.facts, numbers=INT8))

    return Drafts(one(plain.whole), one(plain.stream) if plain.stream else None)


def measured(plain: Drafts, found: Quantised) -> Drafts:
    """The same, with what was measured."""

    def one(draft: Draft) -> Draft:
        return drafted(draft.name, load_model_from_string(draft.data), replace(draft.facts, quantised=found))

    return Drafts(one(plain.whole), one(plain.stream) if plain.stream else None)


def drafted(name: str, model: ModelProto, facts: Facts) -> Draft:
    """A graph as a file that tells its facts."""
    del model.metadata_props[:]
    facts = replace(facts, graph=graph_digest(model.SerializeToString(deterministic=True)))
    model.metadata_props.append(StringStringEntryProto(key=KEY, value=facts.text()))
    return Draft(name, model.SerializeToString(deterministic=True), facts)


def _facts(standing: Standing, origin: Origin, why: str) -> Facts:
    last = standing.history[-1] if standing.history else None
    return Facts(
        kind=WHOLE,
        numbers=FLOAT,
        alphabet=standing.alphabet,
        features=standing.config.features,
        model=asdict(standing.config.model),
        checkpoint=asdict(origin),
        origin=asdict(standing.origin) if standing.origin else None,
        data=standing.data,
        dev=standing.dev,
        epoch=standing.epoch,
        dev_wer=last.dev_words.rate if last and last.dev_words.words else None,
        dev_cer=last.dev_characters.rate if last and last.dev_characters.words else None,
        whole_only=why,
    )
