"""Broken copies are refused: a weight that was changed, a length that was frozen in, padding that is heard."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import ModelProto, numpy_helper

from dsprep.manifests import DataError, TrainingError
from dsprep.trainer.exporting.checking import LENGTHS, check, made_clips
from dsprep.trainer.exporting.drafting import Draft, Drafts, drafted, drafts
from dsprep.trainer.exporting.exporting import verified
from dsprep.trainer.exporting.precise import Precise
from dsprep.trainer.training.standing import Origin

ORIGIN = Origin(name="00001-000000.safetensors", sha256="0" * 64)


def broken(draft: Draft, change: Callable[[ModelProto], None]) -> Draft:
    """A copy that is whole, and wrong."""
    model = onnx.load_model_from_string(draft.data)
    change(model)
    return drafted(draft.name, model, draft.facts)


def other_weight(model: ModelProto) -> None:
    victim = next(one for one in model.graph.initializer if one.name == "layer0.R")
    array = numpy_helper.to_array(victim).copy()
    array[0, 3, 5] += 1
    victim.CopyFrom(numpy_helper.from_array(array, victim.name))


def no_number(model: ModelProto) -> None:
    victim = next(one for one in model.graph.initializer if one.name == "dense.weight")
    victim.CopyFrom(numpy_helper.from_array(np.full_like(numpy_helper.to_array(victim), np.nan), victim.name))


def frozen_time(model: ModelProto) -> None:
    """How many frames there are becomes what it is for one of the made sounds, as a bad tracer would have it."""
    count = next(node for node in model.graph.node if node.op_type == "ReduceMax")
    frozen = numpy_helper.from_array(np.array(1 + LENGTHS[1] // 160), count.output[0])
    model.graph.node.remove(count)
    model.graph.initializer.append(frozen)


def padding_heard(model: ModelProto) -> None:
    """The recurrent layers begin backwards at the end of the batch instead of the utterance's."""
    for node in model.graph.node:
        if node.op_type == "LSTM":
            node.input[4] = ""


def one_step_less(model: ModelProto) -> None:
    steps = next(node for node in model.graph.node if node.output[0] == "steps")
    model.graph.initializer.append(numpy_helper.from_array(np.array(1), "one"))
    model.graph.node.append(onnx.helper.make_node("Sub", [steps.input[0], "one"], ["steps"], name="less"))
    model.graph.node.remove(steps)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (other_weight, "a log-probability differs by "),
        (no_number, "the model's outputs are no numbers"),
        (frozen_time, "onnxruntime cannot compute it|of a clip it makes|a log-probability differs"),
        (padding_heard, "a log-probability differs by "),
        (one_step_less, "of a clip it makes 21 steps, not 22"),
    ],
)
def test_a_broken_copy_is_refused(runs: Any, change: Callable[[ModelProto], None], told: str) -> None:
    truth = runs.model("both ways, LSTM")
    whole = broken(drafts(truth, ORIGIN).whole, change)
    with pytest.raises((TrainingError, DataError), match=told):
        verified(Precise(truth), Drafts(whole, None))


def test_a_stream_that_forgets_is_refused(runs: Any) -> None:
    truth = runs.model("0.7")
    good = drafts(truth, ORIGIN)
    assert good.stream

    def forgets(model: ModelProto) -> None:
        for node in model.graph.node:
            if node.op_type == "LSTM":
                node.input[5] = node.input[6] = ""

    with pytest.raises(TrainingError, match=r"model\.stream\.onnx does not say what PyTorch's model does"):
        verified(Precise(truth), Drafts(good.whole, broken(good.stream, forgets)))


def test_a_graph_that_is_no_sound_onnx_is_refused(runs: Any) -> None:
    truth = runs.model("0.7")

    def cut(model: ModelProto) -> None:
        del model.graph.node[3]

    with pytest.raises(TrainingError, match=r"model\.onnx would be no sound ONNX, nothing is exported"):
        verified(Precise(truth), Drafts(broken(drafts(truth, ORIGIN).whole, cut), None))


@pytest.mark.parametrize("kind", ["both ways, DeepSpeech 1", "both ways, GRU", "live, LSTM", "0.2"])
def test_a_sound_copy_is_not(runs: Any, kind: str) -> None:
    truth = runs.model(kind)
    found = verified(Precise(truth), drafts(truth, ORIGIN))
    assert 0 < found.difference < 1e-4
    assert found.clips == (11 if kind in runs.streams else 8)


def test_made_sounds_are_the_same_each_time_and_of_three_lengths() -> None:
    one, other = made_clips(), made_clips()
    assert [len(clip) for clip in one] == list(LENGTHS)
    assert len(set(LENGTHS)) == 3
    assert all(np.array_equal(a, b) and a.any() for a, b in zip(one, other, strict=True))


def test_another_label_is_refused_where_it_is_less_likely_and_not_where_two_are_alike() -> None:
    truth = np.log(np.array([[0.5 - 4e-4, 0.5 + 4e-4]], np.float32))
    with pytest.raises(TrainingError, match="it would choose another label"):
        check([truth], [np.log(np.array([[0.5, 0.5 - 1e-6]], np.float32))], "model.onnx")
    near = np.log(np.array([[0.5 - 1e-5, 0.5 + 1e-5]], np.float32))
    assert check([near], [near[:, ::-1]], "model.onnx").clips == 1
