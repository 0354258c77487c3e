"""Frozen graphs as each release of mozilla/DeepSpeech wrote them, of random weights, and what NumPy makes of these."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tensorboard.compat.proto.graph_pb2 import GraphDef

Array = NDArray[np.float32]
N, INPUTS, LABELS = 8, 494, 29
TYPES = {np.dtype("float32"): 1, np.dtype("float64"): 2, np.dtype("int32"): 3, np.dtype("float16"): 19}
"""TensorFlow's DataType."""
CUDNN = "cudnn_lstm/rnn/multi_rnn_cell/cell_0/cudnn_compatible_lstm_cell"
BOTH = "bidirectional_rnn/{}/basic_lstm_cell"


class Weights:
    """Random weights in TensorFlow's shapes; `forget_bias` is what the cell adds."""

    def __init__(self, ways: int, forget_bias: float, n: int = N, labels: int = LABELS, inputs: int = INPUTS) -> None:
        random = np.random.default_rng(7)
        shapes = {1: (inputs, n), 2: (n, n), 3: (n, ways * n), 5: (ways * n, n), 6: (n, labels)}

        def drawn(*shape: int) -> Array:
            return random.normal(0, 1 / shape[0] ** 0.5, shape).astype(np.float32)

        self.forget_bias = forget_bias
        self.dense = {layer: (drawn(*shape), drawn(shape[1])) for layer, shape in shapes.items()}
        self.cells = [(drawn((ways + 1) * n, 4 * n), drawn(4 * n)) for _ in range(ways)]

    def named(self, weight: str, bias: str, cells: tuple[str, ...]) -> dict[str, Array]:
        """These arrays by the names of a release."""
        found = {weight.format(layer): pair[0] for layer, pair in self.dense.items()}
        found |= {bias.format(layer): pair[1] for layer, pair in self.dense.items()}
        for cell, (kernel, added) in zip(cells, self.cells, strict=True):
            found |= {f"{cell}/kernel": kernel, f"{cell}/bias": added}
        return found

    def logits(self, x_TF: Array, clip: float = 20.0) -> NDArray[Any]:
        """What the ancestor makes of one utterance, in float64."""
        x = x_TF.astype(np.float64)
        for layer in (1, 2, 3):
            x = self._dense(layer, x).clip(0, clip)
        ways = [self._heard(*cell, x[::step])[::step] for cell, step in zip(self.cells, (1, -1), strict=False)]
        x = self._dense(5, np.concatenate(ways, 1)).clip(0, clip)
        return self._dense(6, x)

    def _dense(self, layer: int, x: NDArray[Any]) -> NDArray[Any]:
        weight, bias = self.dense[layer]
        return np.asarray(x @ weight.astype(np.float64) + bias)

    def _heard(self, kernel: Array, bias: Array, x: NDArray[Any]) -> NDArray[Any]:
        """TensorFlow's cell: c = sigmoid(f + forget_bias) c + sigmoid(i) tanh(j), h = sigmoid(o) tanh(c)."""
        n = len(bias) // 4
        h, c, heard = np.zeros(n), np.zeros(n), []
        for step in x:
            i, j, f, o = np.split(np.concatenate([step, h]) @ kernel.astype(np.float64) + bias, 4)
            c = _sigmoid(f + self.forget_bias) * c + _sigmoid(i) * np.tanh(j)
            h = _sigmoid(o) * np.tanh(c)
            heard.append(h)
        return np.array(heard)


def _sigmoid(x: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(1 / (1 + np.exp(-x)))


def constant(graph: Any, name: str, value: Any) -> None:
    """A Const node, its numbers in bytes, or in a field where they are but one, as TensorFlow does."""
    node = graph.node.add(name=name, op="Const")
    tensor = node.attr["value"].tensor
    if isinstance(value, bytes):
        tensor.dtype = 7
        tensor.string_val.append(value)
        return
    array = np.asarray(value)
    node.attr["dtype"].type = tensor.dtype = TYPES[array.dtype]
    for size in array.shape:
        tensor.tensor_shape.dim.add(size=size)
    if array.size > 1:
        tensor.tensor_content = array.tobytes()
    else:
        getattr(tensor, "float_val" if array.dtype == np.float32 else "int_val").extend(array.ravel().tolist())


def node(graph: Any, name: str, op: str, **attributes: float | bool) -> None:
    """A node that is no constant."""
    made = graph.node.add(name=name, op=op)
    for key, value in attributes.items():
        kind = "b" if isinstance(value, bool) else "i" if isinstance(value, int) else "f"
        setattr(made.attr[key], kind, value)


def graph_of(arrays: Mapping[str, Any]) -> Any:
    """A graph of constants, with the clip of the rectifiers that all releases have."""
    graph = GraphDef()
    node(graph, "input_node", "Placeholder")
    for name, array in arrays.items():
        constant(graph, name, array)
        node(graph, f"{name}/read", "Identity")
    for name in ("Minimum/y", "Minimum_1/y", "Minimum_2/y", "Minimum_3/y"):
        constant(graph, name, np.float32(20))
    return graph


def metadata(graph: Any, version: int, alphabet: bytes = b"") -> None:
    """What graphs from 0.6 on say of themselves."""
    settings = {"version": version, "sample_rate": 16000, "feature_win_len": 32, "feature_win_step": 20}
    for name, value in settings.items():
        constant(graph, f"metadata_{name}", np.array([value], np.int32))
    if alphabet:
        constant(graph, "metadata_alphabet", alphabet)


def serialized(labels: list[bytes]) -> bytes:
    """An alphabet as graphs from 0.7 on hold it."""
    pairs = [i.to_bytes(2, "little") + len(one).to_bytes(2, "little") + one for i, one in enumerate(labels)]
    return len(labels).to_bytes(2, "little") + b"".join(pairs)


ENGLISH = serialized([c.encode() for c in " abcdefghijklmnopqrstuvwxyz'"])


def release_01(weights: Weights) -> Any:
    return graph_of(weights.named("h{}", "b{}", (BOTH.format("fw"), BOTH.format("bw"))))


def release_02(weights: Weights) -> Any:
    graph = graph_of(weights.named("h{}", "b{}", ("lstm_fused_cell",)))
    node(graph, "lstm_fused_cell/BlockLSTM", "BlockLSTM", forget_bias=1.0, cell_clip=-1.0, use_peephole=False)
    return graph


def release_04(weights: Weights) -> Any:
    graph = release_02(weights)
    node(graph, "Softmax", "Softmax")
    return graph


def release_05(weights: Weights) -> Any:
    graph = graph_of(weights.named("layer_{}/weights", "layer_{}/bias", ("lstm_fused_cell",)))
    node(graph, "lstm_fused_cell/BlockLSTM", "BlockLSTM", forget_bias=1.0, cell_clip=-1.0, use_peephole=False)
    node(graph, "AudioSpectrogram", "AudioSpectrogram", window_size=512, stride=320)
    node(graph, "Mfcc", "Mfcc", upper_frequency_limit=4000.0)
    return graph


def release_06(weights: Weights) -> Any:
    graph = graph_of(weights.named("layer_{}/weights", "layer_{}/bias", (CUDNN,)))
    node(graph, "cudnn_lstm/BlockLSTM", "BlockLSTM", forget_bias=0.0, cell_clip=-1.0, use_peephole=False)
    node(graph, "Mfcc", "Mfcc", upper_frequency_limit=4000.0)
    metadata(graph, 5)
    return graph


def release_07(weights: Weights) -> Any:
    graph = graph_of(weights.named("layer_{}/weights", "layer_{}/bias", (CUDNN,)))
    node(graph, "cudnn_lstm/BlockLSTM", "BlockLSTM", forget_bias=0.0, cell_clip=-1.0, use_peephole=False)
    node(graph, "Mfcc", "Mfcc", upper_frequency_limit=8000.0)
    metadata(graph, 6, ENGLISH)
    return graph


RELEASES: dict[str, tuple[Callable[[Weights], Any], int, float]] = {
    "0.1": (release_01, 2, 1.0),
    "0.2": (release_02, 1, 1.0),
    "0.4": (release_04, 1, 1.0),
    "0.5": (release_05, 1, 1.0),
    "0.6": (release_06, 1, 0.0),
    "0.7": (release_07, 1, 0.0),
}
"""Writer of the graph, directions, forget bias."""


class Frozen:
    """The functions above, for tests: pytest imports no module of helpers."""

    constant = staticmethod(constant)
    node = staticmethod(node)
    metadata = staticmethod(metadata)
    serialized = staticmethod(serialized)
    releases = tuple(RELEASES)

    @staticmethod
    def weights(release: str, **sizes: int) -> Weights:
        """Random weights of a release's network."""
        return Weights(RELEASES[release][1], RELEASES[release][2], **sizes)

    @staticmethod
    def graph(release: str, weights: Weights) -> Any:
        """The graph that a release would have frozen."""
        return RELEASES[release][0](weights)


@pytest.fixture(scope="session")
def frozen() -> type[Frozen]:
    return Frozen
