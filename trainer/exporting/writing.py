"""Writing: a model and its features as ONNX files, whole utterances in one, pieces of a stream in another.

    samples [batch, samples], lengths [batch]  ->  log_probs [batch, steps, labels], steps [batch]
    samples [batch, samples], last, state...   ->  log_probs [batch, steps, labels], used, state...

`samples` are float32 from -1 to 1 at 16 kHz, `log_probs` natural logarithms.
"""

from dataclasses import dataclass

import numpy as np
from onnx import ModelProto

from ..features import Features
from ..models import Model
from .ends import Pieces, Whole
from .facts import Feeding
from .graph import Graph
from .network import frames_needed, hears_forwards, network
from .sound import need, sound, whitened


@dataclass(frozen=True, slots=True, eq=False)
class StreamGraph:
    """A graph for pieces, and how it is to be fed."""

    model: ModelProto
    feeding: Feeding


def whole_graph(model: Model, features: Features, labels: int) -> ModelProto:
    """The graph for whole utterances."""
    graph = Graph()
    samples_BN = graph.input("samples", np.float32, ["batch", "samples"])
    lengths_B = graph.input("lengths", np.int64, ["batch"])
    ends = Whole(graph)
    log_probs_BTV, steps_B = network(
        graph, model, sound(graph, features, samples_BN, lengths_B, ends), features.size, ends
    )
    graph.output("log_probs", log_probs_BTV, np.float32, ["batch", "steps", labels])
    graph.output("steps", steps_B, np.int64, ["batch"])
    return graph.model()


def whole_only(model: Model, features: Features) -> str:
    """Why a model cannot hear a stream; empty if it can."""
    if not hears_forwards(model):
        return "it hears both ways"
    return "its features are whitened over the whole utterance" if whitened(features) else ""


def stream_graph(model: Model, features: Features, labels: int) -> StreamGraph:
    """The graph for pieces, of a model that can hear them."""
    graph = Graph()
    samples_BN = graph.input("samples", np.float32, ["batch", "samples"])
    ends = Pieces(graph)
    lengths_B = graph.op("Expand", samples_BN.size(1), graph.op("Shape", samples_BN, start=0, end=1))
    heard = sound(graph, features, samples_BN, lengths_B, ends)
    log_probs_BTV, _ = network(graph, model, heard, features.size, ends)
    graph.output("log_probs", log_probs_BTV, np.float32, ["batch", "steps", labels])
    graph.output("used", heard.used, np.int64, [])
    ends.count(heard.frames_B.highest())
    needed, (first, later) = need(features), frames_needed(model)
    feeding = Feeding(first=needed.at_first(first), next=needed.later(later), state=tuple(ends.held.values()))
    return StreamGraph(graph.model(), feeding)
