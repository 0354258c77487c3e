"""A file that is cut off, damaged, another's, or that reads other files is refused before a runtime sees it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from dsprep.manifests import DataError
from dsprep.trainer.exporting.drafting import Draft, drafts
from dsprep.trainer.exporting.facts import KEY, facts_of
from dsprep.trainer.exporting.wire import facts_in, read_facts
from dsprep.trainer.training.standing import Origin

ORIGIN = Origin(name="00001-000000.safetensors", sha256="0" * 64)


@pytest.fixture(scope="module")
def draft(runs: Any) -> Draft:
    return drafts(runs.model("0.7"), ORIGIN).whole


def foreign() -> onnx.ModelProto:
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    return helper.make_model(helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "other", [value], [out]))


def test_facts_go_in_and_come_out(draft: Draft) -> None:
    assert facts_in(memoryview(draft.data), "model.onnx") == draft.facts
    assert facts_of(draft.facts.text(), "model.onnx") == draft.facts


@settings(max_examples=60)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_file_that_is_cut_off_anywhere_is_told(draft: Draft, share: float) -> None:
    with pytest.raises(DataError, match=r"^model\.onnx is (not an|an) ONNX file"):
        facts_in(memoryview(draft.data)[: int(share * len(draft.data))], "model.onnx")


@settings(max_examples=60)
@given(share=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_bit_that_is_wrong_is_told(draft: Draft, share: float, bit: int) -> None:
    data = bytearray(draft.data)
    data[int(share * len(data))] ^= 1 << bit
    with pytest.raises(DataError, match=r"^model\.onnx"):
        facts_in(memoryview(data), "model.onnx")


def test_every_bit_beside_the_graph_counts(draft: Draft) -> None:
    model = onnx.load_model_from_string(draft.data)
    graph = model.graph.SerializeToString(deterministic=True)
    start = draft.data.index(graph)
    for place in [*range(start), *range(start + len(graph), len(draft.data))]:
        data = bytearray(draft.data)
        data[place] ^= 1 << place % 8
        with pytest.raises(DataError, match=r"^model\.onnx"):
            facts_in(memoryview(data), "model.onnx")


@settings(max_examples=200)
@given(data=st.binary(max_size=200))
def test_whatever_bytes_there_are_it_is_one_sentence(data: bytes) -> None:
    with pytest.raises(DataError):
        facts_in(memoryview(data), "model.onnx")


def test_messages_within_messages_without_end_are_no_traceback(draft: Draft) -> None:
    graph = b""
    for _ in range(3000):  # a graph in an attribute of a node of a graph
        for tag in (b"\x32", b"\x2a", b"\x0a"):
            length, size = b"", len(graph)
            while size > 127:
                length, size = length + bytes([size & 127 | 128]), size >> 7
            graph = tag + length + bytes([size]) + graph
    entry = onnx.StringStringEntryProto(key=KEY, value=draft.facts.text()).SerializeToString()
    model = onnx.ModelProto()
    model.ParseFromString(b"")
    data = b"\x3a" + _varint(len(graph)) + graph + b"\x72" + _varint(len(entry)) + entry
    with pytest.raises(DataError, match="is not an ONNX file"):
        facts_in(memoryview(data), "model.onnx")


def _varint(size: int) -> bytes:
    out = b""
    while size > 127:
        out, size = out + bytes([size & 127 | 128]), size >> 7
    return out + bytes([size])


def test_another_s_onnx_is_told(tmp_path: Path) -> None:
    onnx.save(foreign(), tmp_path / "other.onnx")
    with pytest.raises(DataError, match="is an ONNX file, but not one of dsprep export"):
        read_facts(tmp_path / "other.onnx")


@pytest.mark.parametrize("where", ["initializer", "attribute", "subgraph"])
def test_weights_in_other_files_are_not_read(draft: Draft, where: str) -> None:
    outside = numpy_helper.from_array(np.zeros(4, np.float32), "outside")
    outside.ClearField("raw_data")
    outside.data_location = TensorProto.EXTERNAL
    outside.external_data.add(key="location", value="../../../../etc/passwd")
    model = onnx.load_model_from_string(draft.data)
    constant = helper.make_node("Constant", [], ["outside"], value=outside)
    if where == "initializer":
        model.graph.initializer.append(outside)
    elif where == "attribute":
        model.graph.node.append(constant)
    else:
        inner = helper.make_graph([constant], "inner", [], [helper.make_tensor_value_info("outside", 1, [4])])
        model.graph.node.append(helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner))
    with pytest.raises(DataError, match=r"keeps weights in other files.*it is not read"):
        facts_in(memoryview(model.SerializeToString()), "model.onnx")


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ('{"format": 2}', "exported by another version of dsprep"),
        ('{"format": 1}', "what dsprep export never writes"),
        ('{"version": 1}', "what dsprep export never writes"),
        ("[]", "what dsprep export never writes"),
        ("nonsense", "what dsprep export never writes"),
    ],
)
def test_facts_of_another_version_or_none_are_told(draft: Draft, told: str, found: str) -> None:
    model = onnx.load_model_from_string(draft.data)
    model.metadata_props[0].value = told
    with pytest.raises(DataError, match=found):
        facts_in(memoryview(model.SerializeToString()), "model.onnx")


@pytest.mark.parametrize("shape", [[10**12], [-1, 5], ["a"], [2**14, 2**14]])
def test_what_a_stream_cannot_hand_on_is_told(runs: Any, shape: list[Any]) -> None:
    stream = drafts(runs.model("0.7"), ORIGIN).stream
    assert stream
    told = json.loads(stream.facts.text())
    told["feeding"]["state"][1]["shape"] = shape
    with pytest.raises(DataError, match="what dsprep export never writes"):
        facts_of(json.dumps(told), "model.stream.onnx")


def test_a_field_more_or_less_is_told(draft: Draft) -> None:
    for text in (
        draft.facts.text().replace('"epoch"', '"epochs"'),
        draft.facts.text().replace('"blank": 28', '"blank": 99'),
    ):
        with pytest.raises(DataError, match="what dsprep export never writes"):
            facts_of(text, "model.onnx")


def test_a_file_that_is_not_there_or_empty_or_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty.onnx").touch()
    for name, told in (("gone.onnx", "cannot read"), ("empty.onnx", "is empty"), (".", "cannot read")):
        with pytest.raises(DataError, match=told):
            read_facts(tmp_path / name)
