"""Frozen graph: what TensorFlow calls a graph whose variables have become constants, read without TensorFlow.

    node { name: "layer_1/weights"  op: "Const"  attr { key: "value" value { tensor { dtype: DT_FLOAT ... } } } }
    node { name: "layer_1_weights"  op: "ImmutableConst"  attr { key: "memory_region_name" ... } }      in a .pbmm

A graph is plain protobuf, and tensorboard brings the classes for it. Nothing of it is ever run.

Source: tensorflow/core/framework/{graph,node_def,tensor,types}.proto.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...manifests import MissingExtraError, SourceError
from .memmapped import GRAPH, regions
from .unpickling.reader import shown

NUMBERS = {1: ("<f4", "float_val"), 2: ("<f8", "double_val"), 3: ("<i4", "int_val"), 9: ("<i8", "int64_val")}
"""TensorFlow's DataType: NumPy's name of it, and the field for values that are not in `tensor_content`."""
LARGEST = 1 << 28
"""Elements of a tensor: five times as many as the largest of a released model has."""


FILLED = 1 << 20
"""Elements that one value may stand for: a graph of a few bytes is not to fill the memory."""


@dataclass(frozen=True, slots=True)
class Graph:
    """The nodes of a graph by their names."""

    place: str
    """Where it was read, for messages."""
    nodes: Mapping[str, Any]
    regions: Mapping[str, memoryview]

    def operation(self, name: str) -> Any | None:
        """The first node with this operation, as `Mfcc`; None if there is none."""
        return next((node for node in self.nodes.values() if node.op == name), None)

    def numbers(self, name: str) -> NDArray[Any]:
        """The array in the constant of this name.

        Raises:
            SourceError: there is no such constant, or it does not hold what it says.
        """
        node = self.nodes.get(name)
        if node is None:
            raise SourceError(f"{self.place} has no tensor {name}: is it the whole graph, frozen?")
        if node.op == "ImmutableConst":
            shape, (kind, _) = self._shape(name, node.attr["shape"].shape), self._kind(name, node.attr["dtype"].type)
            content = self.regions.get(node.attr["memory_region_name"].s.decode("utf-8", "replace"), memoryview(b""))
            return self._array(name, content[: math.prod(shape) * int(kind[-1])], kind, shape)
        tensor = node.attr["value"].tensor
        shape, (kind, field) = self._shape(name, tensor.tensor_shape), self._kind(name, tensor.dtype)
        if tensor.tensor_content:
            return self._array(name, tensor.tensor_content, kind, shape)
        return self._filled(name, np.array(getattr(tensor, field), kind), shape)

    def number(self, name: str) -> float:
        """The one number in the constant of this name.

        Raises:
            SourceError: there is no such constant, or it holds more.
        """
        node = self.nodes.get(name)
        if node is not None and math.prod(one.size for one in node.attr["value"].tensor.tensor_shape.dim) != 1:
            raise SourceError(f"{self.place}: {name} is said to hold more than one number, which no such model has")
        return float(self.numbers(name).item())

    def text(self, name: str) -> bytes:
        """The string in the constant of this name; empty if it is not there."""
        node = self.nodes.get(name)
        return b"".join(node.attr["value"].tensor.string_val) if node else b""

    def _shape(self, name: str, shape: Any) -> tuple[int, ...]:
        sizes = tuple(int(one.size) for one in shape.dim)
        if any(size < 1 for size in sizes) or math.prod(sizes) > LARGEST:
            raise SourceError(
                f"{self.place}: {name} is said to have the shape {shown(list(sizes))}, which no such model has"
            )
        return sizes

    def _kind(self, name: str, number: int) -> tuple[str, str]:
        if number not in NUMBERS:
            raise SourceError(
                f"{self.place}: {name} holds numbers of TensorFlow's type {number}, not float32: "
                "a graph that was rounded or made smaller cannot be trained on; import the one it was made of"
            )
        return NUMBERS[number]

    def _array(self, name: str, content: bytes | memoryview, kind: str, shape: tuple[int, ...]) -> NDArray[Any]:
        if len(content) != math.prod(shape) * int(kind[-1]):
            raise SourceError(
                f"{self.place} is damaged: {name} has {len(content)} bytes, not those of {shown(list(shape))}"
            )
        return np.frombuffer(content, kind).reshape(shape)

    def _filled(self, name: str, values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        """Values that were written one by one: the last stands for all that are missing (tensor.proto)."""
        count = math.prod(shape)
        if count - len(values) > FILLED or not 1 <= len(values) <= count:
            raise SourceError(
                f"{self.place} is damaged: {name} has {len(values)} values, not those of {shown(list(shape))}"
            )
        return np.concatenate([values, np.full(count - len(values), values[-1])]).reshape(shape)


def read_graph(data: bytes, place: str) -> Graph:
    """The graph in the bytes of a `.pb` or `.pbmm`, which tell themselves apart.

    Raises:
        SourceError: they are neither.
        MissingExtraError: tensorboard is not installed.
    """
    try:
        from google.protobuf.message import DecodeError
        from tensorboard.compat.proto.graph_pb2 import GraphDef
    except ImportError as error:
        raise MissingExtraError(
            "graphs of mozilla/DeepSpeech are read with tensorboard's classes: pip install 'dsprep[tensorboard]'"
        ) from error
    found = regions(memoryview(data)) or {GRAPH: memoryview(data)}
    graph = GraphDef()
    try:
        graph.ParseFromString(found[GRAPH])
    except DecodeError as error:
        raise SourceError(
            f"{place} is no frozen graph (.pb or .pbmm), or is cut off: fetch it again, or name another file"
        ) from error
    nodes = {node.name: node for node in graph.node}
    if len(nodes) != len(graph.node):
        raise SourceError(f"{place} is damaged: two of its nodes have one name; fetch it again")
    if not nodes:
        raise SourceError(f"{place} is a graph without a node: name another file")
    return Graph(place, nodes, found)
