"""Memory-mapped packages, by a writer of our own of the layout that TensorFlow's converter writes."""

from typing import Any

import numpy as np
import pytest

from dsprep.manifests import DsprepError
from dsprep.trainer.ancestors.frozen_graph import read_graph
from dsprep.trainer.ancestors.memmapped import regions
from dsprep.trainer.ancestors.mozilla import read_mozilla

PREFIX = "memmapped_package://"


def varint(number: int) -> bytes:
    made = bytearray()
    while number > 0x7F:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*made, number])


def element(offset: int, name: str) -> bytes:
    body = b"\x08" + varint(offset) + b"\x12" + varint(len(name)) + name.encode()
    return b"\x0a" + varint(len(body)) + body


def package(graph: Any, least: int = 100) -> bytes:
    """`graph` with its constants of at least so many bytes outside it, each at a multiple of 64."""
    data, directory = bytearray(), b""
    for node in graph.node:
        if node.op != "Const" or len(node.attr["value"].tensor.tensor_content) < least:
            continue
        tensor = type(node.attr["value"].tensor)()
        tensor.CopyFrom(node.attr["value"].tensor)
        name = PREFIX + node.name.replace("/", "_")
        data += bytes(-len(data) % 64)
        directory += element(len(data), name)
        data += tensor.tensor_content
        node.op = "ImmutableConst"
        node.attr.clear()
        node.attr["dtype"].type = tensor.dtype
        node.attr["shape"].shape.CopyFrom(tensor.tensor_shape)
        node.attr["memory_region_name"].s = name.encode()
    directory += element(len(data), PREFIX + ".")
    data += graph.SerializeToString()
    return bytes(data) + directory + len(data).to_bytes(8, "little")


@pytest.mark.parametrize("release", ["0.2", "0.7"])
def test_a_package_is_the_graph_that_it_was_made_of(frozen: Any, release: str) -> None:
    graph = frozen.graph(release, frozen.weights(release))
    plain = read_mozilla(read_graph(graph.SerializeToString(), "x.pb"), None, None, None)
    data = package(graph)
    assert len(graph.SerializeToString()) < len(data) / 2, "the weights are not in the graph any more"
    mapped = read_mozilla(read_graph(data, "x.pbmm"), None, None, None)
    assert (mapped.model, mapped.alphabet, mapped.features) == (plain.model, plain.alphabet, plain.features)
    assert mapped.weights.keys() == plain.weights.keys()
    assert all(mapped.weights[name].equal(plain.weights[name]) for name in plain.weights)


def test_a_package_without_a_part_that_its_graph_names_is_refused(frozen: Any) -> None:
    data = package(frozen.graph("0.7", frozen.weights("0.7")))
    region = (PREFIX + "layer_2_weights").encode()
    renamed = data[: data.rindex(region)] + region[:-1] + b"y" + data[data.rindex(region) + len(region) :]
    with pytest.raises(DsprepError, match="layer_2/weights has 0 bytes"):
        read_mozilla(read_graph(renamed, "x.pbmm"), None, None, None)


def test_a_damaged_package_is_read_or_refused_but_never_brings_an_error_of_another_kind(frozen: Any) -> None:
    whole = package(frozen.graph("0.7", frozen.weights("0.7", n=1)))
    start = int.from_bytes(whole[-8:], "little")
    random = np.random.default_rng(1)
    refused = 0
    for _ in range(600):
        data = bytearray(whole)
        data[random.integers(start, len(data))] ^= 1 << random.integers(8)
        try:
            read_mozilla(read_graph(bytes(data[: len(data) - random.integers(2)]), "x.pbmm"), None, None, None)
        except DsprepError:
            refused += 1
    assert refused > 300


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" * 7,
        b"\x00" * 64,
        b"\xff" * 64,
        element(0, PREFIX + ".") * 2 + (0).to_bytes(8, "little"),
        b"graph" + element(9, PREFIX + ".") + (5).to_bytes(8, "little"),
        b"graph" + element(0, "another") + (5).to_bytes(8, "little"),
        b"graph" + element(0, PREFIX + ".")[:-1] + (5).to_bytes(8, "little"),
        b"graph" + b"\x80" * 20 + (5).to_bytes(8, "little"),
    ],
    ids=range(9),
)
def test_what_is_no_package_is_not_taken_for_one(data: bytes) -> None:
    assert regions(memoryview(data)) is None


def test_a_part_reaches_up_to_the_next() -> None:
    directory = element(0, "a") + element(2, "b") + element(3, PREFIX + ".")
    found = regions(memoryview(b"aabgg" + directory + (5).to_bytes(8, "little")))
    assert found is not None
    assert {name: bytes(part) for name, part in found.items()} == {"a": b"aa", "b": b"b", PREFIX + ".": b"gg"}
