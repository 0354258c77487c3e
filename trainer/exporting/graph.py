"""Graph: an ONNX graph that is written down operation by operation, with arithmetic that reads as such.

    graph = Graph()
    lengths_B = graph.input("lengths", np.int64, ["batch"])
    frames_B = (lengths_B - 512 + 320) // 320           Sub, Add, Div, with their constants

Nothing is traced, so no length of an example can be frozen in, and the same weights give the same bytes. Python's
whole numbers become int64, its floats float32. Operations are those of opset 17, which runtimes of 2022 know.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8
"""Of ONNX's file, which came with that opset."""
TO_THE_END = 2**62
"""Past the end of any axis."""


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """What an operation gave, or an input, or a constant."""

    graph: "Graph"
    name: str

    def __add__(self, other: "Operand") -> "Value":
        return self.graph.op("Add", self, other)

    def __sub__(self, other: "Operand") -> "Value":
        return self.graph.op("Sub", self, other)

    def __rsub__(self, other: "int | float") -> "Value":
        return self.graph.op("Sub", other, self)

    def __mul__(self, other: "Operand") -> "Value":
        return self.graph.op("Mul", self, other)

    def __truediv__(self, other: "Operand") -> "Value":
        return self.graph.op("Div", self, other)

    def __floordiv__(self, other: "int") -> "Value":
        """Of whole numbers: towards 0, as ONNX has it."""
        return self.graph.op("Div", self, other)

    def __lt__(self, other: "Operand") -> "Value":
        return self.graph.op("Less", self, other)

    def maximum(self, other: "Operand") -> "Value":
        """The greater of each two."""
        return self.graph.op("Max", self, other)

    def minimum(self, other: "Operand") -> "Value":
        """The lesser of each two."""
        return self.graph.op("Min", self, other)

    def size(self, axis: int) -> "Value":
        """How long an axis is, a scalar."""
        shape = self.graph.op("Shape", self, start=axis, end=axis + 1)
        return self.graph.op("Squeeze", shape, self.graph.numbers(0))

    def unsqueezed(self, *axes: int) -> "Value":
        """With new axes of 1."""
        return self.graph.op("Unsqueeze", self, self.graph.numbers(*axes))

    def transposed(self, *axes: int) -> "Value":
        """Its axes in another order."""
        return self.graph.op("Transpose", self, perm=list(axes))

    def reshaped(self, *shape: int) -> "Value":
        """In another shape: 0 leaves an axis as it is, -1 is what is left over."""
        return self.graph.op("Reshape", self, self.graph.numbers(*shape))

    def between(self, start: "int | Value", end: "int | Value", axis: int) -> "Value":
        """What lies between two places of an axis."""
        places = [self.graph.vector(one) for one in (start, end)]
        return self.graph.op("Slice", self, *places, self.graph.numbers(axis))

    def cast(self, kind: DTypeLike) -> "Value":
        """As numbers of another kind."""
        return self.graph.op("Cast", self, to=_kind(kind))

    def summed(self, *axes: int, keep: bool = False) -> "Value":
        """The sum over axes."""
        return self.graph.op("ReduceSum", self, self.graph.numbers(*axes), keepdims=int(keep))

    def highest(self) -> "Value":
        """The greatest of all, a scalar."""
        return self.graph.op("ReduceMax", self, keepdims=0)


Operand = Value | int | float


@dataclass(slots=True, eq=False)
class Graph:
    """A graph that is being written."""

    section: str = ""
    """Goes before the names of operations, as `features/`."""
    nodes: list[NodeProto] = field(default_factory=list)
    constants: dict[str, TensorProto] = field(default_factory=dict)
    inputs: list[ValueInfoProto] = field(default_factory=list)
    outputs: list[ValueInfoProto] = field(default_factory=list)

    def input(self, name: str, kind: DTypeLike, shape: Sequence[int | str]) -> Value:
        """An input; axes that are names may have any length."""
        self.inputs.append(helper.make_tensor_value_info(name, _kind(kind), list(shape)))
        return Value(self, name)

    def output(self, name: str, value: Value, kind: DTypeLike, shape: Sequence[int | str]) -> None:
        """Give a value out under a name."""
        self.nodes.append(helper.make_node("Identity", [value.name], [name], name=name))
        self.outputs.append(helper.make_tensor_value_info(name, _kind(kind), list(shape)))

    def op(self, kind: str, *inputs: Operand | None, **attributes: Any) -> Value:
        """The first, mostly only, value of an operation; None is an input that is left out."""
        return self.ops(1, kind, *inputs, **attributes)[0]

    def ops(self, count: int, kind: str, *inputs: Operand | None, **attributes: Any) -> list[Value]:
        """The values of an operation that gives several."""
        name = f"{self.section}{kind}_{len(self.nodes)}"
        given = ["" if one is None else self.value(one).name for one in inputs]
        names = [f"{name}:{number}" for number in range(count)]
        self.nodes.append(helper.make_node(kind, given, names, name=name, **attributes))
        return [Value(self, one) for one in names]

    def value(self, operand: Operand) -> Value:
        """A value, or a number as one."""
        if isinstance(operand, Value):
            return operand
        kind = np.int64 if isinstance(operand, int) else np.float32
        return self.constant(f"{kind.__name__}:{operand}", np.array(operand, kind))

    def numbers(self, *those: int) -> Value:
        """Whole numbers, a vector."""
        return self.constant(f"int64:{list(those)}", np.array(those, np.int64))

    def vector(self, number: "int | Value") -> Value:
        """A scalar as a vector of one."""
        return self.numbers(number) if isinstance(number, int) else number.unsqueezed(0)

    def constant(self, name: str, array: NDArray[Any]) -> Value:
        """An array that is part of the graph; of the same name there is one."""
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.asarray(array, order="C"), name)
        return Value(self, name)

    def count(self, start: Operand, end: Operand) -> Value:
        """The whole numbers from one to another, which is left out."""
        return self.op("Range", start, end, 1)

    def joined(self, *those: Value, axis: int) -> Value:
        """Values one after the other along an axis."""
        return self.op("Concat", *those, axis=axis)

    def model(self) -> ModelProto:
        """The whole as a file holds it."""
        graph = helper.make_graph(self.nodes, "dsprep", self.inputs, self.outputs, list(self.constants.values()))
        opsets = [helper.make_opsetid("", OPSET)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="dsprep")


def _kind(kind: DTypeLike) -> int:
    return helper.np_dtype_to_tensor_dtype(np.dtype(kind))
