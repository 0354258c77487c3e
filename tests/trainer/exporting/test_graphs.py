"""Graphs say what PyTorch's models do, at any length and in any company."""

from typing import Any

import numpy as np
import onnx
import pytest

from dsprep.trainer.acoustic.onnx_file import Net
from dsprep.trainer.exporting.drafting import Drafts, drafts
from dsprep.trainer.features import FEATURES
from dsprep.trainer.training.standing import Origin

ORIGIN = Origin(name="00001-000000.safetensors", sha256="0" * 64)
LENGTHS = [[16000], [100], [33333, 16000, 401, 333], [8000, 8161], [320, 160, 161, 560, 561, 511, 512, 513]]
KINDS = ["both ways, DeepSpeech 1", "both ways, LSTM", "both ways, GRU", "whitened"]
STREAMS = ["0.2", "0.4", "0.5", "0.7", "live, LSTM", "live, GRU"]


def drafted(runs: Any, kind: str) -> Drafts:
    return drafts(runs.model(kind), ORIGIN)


def graph(data: bytes) -> onnx.GraphProto:
    return onnx.load_model_from_string(data).graph


def test_every_kind_of_run_is_tried_here(runs: Any) -> None:
    assert tuple(KINDS + STREAMS) == runs.kinds
    assert tuple(STREAMS) == runs.streams
    assert {runs.model(kind).standing.config.features for kind in runs.kinds} >= set(FEATURES) - {"log-spectrogram-1.0"}


@pytest.mark.parametrize("kind", KINDS + STREAMS)
def test_log_probabilities_are_those_of_pytorch(runs: Any, kind: str) -> None:
    truth, exported = runs.model(kind), drafted(runs, kind).opened(1)
    for lengths in LENGTHS:
        clips = [runs.clip(length, length) for length in lengths]
        for mine, other in zip(exported.log_probs(clips), truth.log_probs(clips), strict=True):
            assert mine.shape == other.shape
            assert mine.dtype == np.float32
            assert np.abs(mine - other).max() < 2e-4


def test_the_spectrogram_of_samples_up_to_2_31_is_exported_too(runs: Any) -> None:
    """Its numbers are near 20 before they are whitened, so that float32 has a digit less."""
    found = runs.model("both ways, LSTM")
    found.features = FEATURES["log-spectrogram-1.0"]()
    clip = runs.clip(20000)
    (mine,), (other,) = drafts(found, ORIGIN).opened(1).log_probs([clip]), found.log_probs([clip])
    assert np.abs(mine - other).max() < 1e-3


@pytest.mark.parametrize("kind", ["both ways, DeepSpeech 1", "both ways, LSTM", "0.7", "live, GRU"])
def test_what_lies_past_the_end_of_an_utterance_is_not_heard(runs: Any, kind: str) -> None:
    net = Net(drafted(runs, kind).whole.data, runs.path(kind), "cpu", 1)
    samples_BN = np.zeros((2, 12000), np.float32)
    samples_BN[0], samples_BN[1, :5000] = runs.clip(12000) / 32768, runs.clip(5000, 2) / 32768
    dirty_BN = samples_BN.copy()
    dirty_BN[1, 5000:] = 0.9
    lengths_B = np.array([12000, 5000])
    one, other = (net.run({"samples": some, "lengths": lengths_B}) for some in (samples_BN, dirty_BN))
    count = one["steps"][1]
    assert np.array_equal(one["log_probs"][1, :count], other["log_probs"][1, :count])


@pytest.mark.parametrize(
    ("kind", "operation"), [("both ways, LSTM", "LSTM"), ("both ways, GRU", "GRU"), ("0.7", "LSTM")]
)
def test_recurrent_layers_are_onnx_s_own(runs: Any, kind: str, operation: str) -> None:
    model = runs.model(kind).standing.config.model
    kinds = [node.op_type for node in graph(drafted(runs, kind).whole.data).node]
    assert kinds.count(operation) == getattr(model, "layers", 1)
    assert "Loop" not in kinds
    assert "Scan" not in kinds


@pytest.mark.parametrize("kind", KINDS + STREAMS)
def test_the_same_run_gives_the_same_bytes(runs: Any, kind: str) -> None:
    one, other = drafted(runs, kind), drafted(runs, kind)
    assert [draft.data for draft in one.files] == [draft.data for draft in other.files]


def test_inputs_and_outputs_have_the_names_and_axes_that_are_promised(runs: Any) -> None:
    found = graph(drafted(runs, "live, LSTM").whole.data)
    shapes = {
        one.name: [axis.dim_param or axis.dim_value for axis in one.type.tensor_type.shape.dim]
        for one in (*found.input, *found.output)
    }
    assert shapes == {
        "samples": ["batch", "samples"],
        "lengths": ["batch"],
        "log_probs": ["batch", "steps", 29],
        "steps": ["batch"],
    }


@pytest.mark.parametrize("kind", KINDS)
def test_what_needs_the_whole_utterance_has_no_stream_and_says_why(runs: Any, kind: str) -> None:
    found = drafted(runs, kind)
    assert found.stream is None
    assert found.whole.facts.whole_only.startswith("it hears both ways" if "both" in kind else "its features are white")
