"""A stream says what the whole utterance does, however it is cut, and in which language it is computed."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsprep.manifests import UsageError
from dsprep.trainer.acoustic.onnx_file import OnnxModel
from dsprep.trainer.exporting.drafting import drafts
from dsprep.trainer.training.standing import Origin

ORIGIN = Origin(name="00001-000000.safetensors", sha256="0" * 64)
STREAMS = ["0.2", "0.4", "0.5", "0.7", "live, LSTM", "live, GRU"]
EDGES = [1, 100, 160, 161, 320, 321, 399, 400, 401, 511, 512, 513, 3391, 3392, 3393, 8639, 8640, 8641, 20000]


@pytest.fixture(scope="module")
def opened(runs: Any) -> dict[str, OnnxModel]:
    return {kind: drafts(runs.model(kind), ORIGIN).opened(1) for kind in STREAMS}


def heard(model: OnnxModel, pieces: list[Any]) -> Any:
    stream = model.stream()
    return np.concatenate([*(stream.feed(piece) for piece in pieces), stream.end()])


@pytest.mark.parametrize("kind", STREAMS)
@pytest.mark.parametrize("length", EDGES)
def test_pieces_of_any_size_give_the_whole(runs: Any, opened: dict[str, OnnxModel], kind: str, length: int) -> None:
    clip = runs.clip(length, length)
    (whole,) = opened[kind].log_probs([clip])
    for size in (37 if length < 10_000 else 801, 160, 481, 3392, length):
        found = heard(opened[kind], [clip[start : start + size] for start in range(0, length, size)])
        assert found.shape == whole.shape
        assert np.abs(found - whole).max() < 1e-4


@settings(max_examples=15)
@given(cuts=st.lists(st.integers(0, 12_000), max_size=8), kind=st.sampled_from(STREAMS))
def test_cut_anywhere_it_gives_the_whole(runs: Any, opened: dict[str, OnnxModel], cuts: list[int], kind: str) -> None:
    clip = runs.clip(12_000)
    (whole,) = opened[kind].log_probs([clip])
    found = heard(opened[kind], np.split(clip, sorted(cuts)))
    assert np.abs(found - whole).max() < 1e-4


@pytest.mark.parametrize("kind", STREAMS)
def test_it_says_what_pytorch_s_stream_says_and_no_later_by_more_than_a_frame(
    runs: Any, opened: dict[str, OnnxModel], kind: str
) -> None:
    mine, other = opened[kind].stream(), runs.model(kind).stream()
    clip, late = runs.clip(16_000), 0
    made, truth = [], []
    for start in range(0, len(clip), 160):
        made.append(mine.feed(clip[start : start + 160]))
        truth.append(other.feed(clip[start : start + 160]))
        late = max(late, sum(map(len, truth)) - sum(map(len, made)))
    made.append(mine.end())
    truth.append(other.end())
    assert np.abs(np.concatenate(made) - np.concatenate(truth)).max() < 2e-4
    assert late <= 1


def test_a_stream_of_nothing_has_no_steps_and_one_that_has_ended_hears_no_more(opened: dict[str, OnnxModel]) -> None:
    stream = opened["0.7"].stream()
    assert stream.feed(np.zeros(0, np.int16)).shape == (0, 29)
    assert stream.end().shape == (0, 29)
    for wrong in (stream.end, lambda: stream.feed(np.zeros(1, np.int16))):
        with pytest.raises(UsageError, match="this stream has ended"):
            wrong()


def test_streams_of_one_model_know_nothing_of_each_other(runs: Any, opened: dict[str, OnnxModel]) -> None:
    one, other = opened["live, LSTM"].stream(), opened["live, LSTM"].stream()
    first, second = runs.clip(9000, 1), runs.clip(9000, 2)
    found: list[list[Any]] = [[], []]
    for start in range(0, 9000, 1500):
        found[0].append(one.feed(first[start : start + 1500]))
        found[1].append(other.feed(second[start : start + 1500]))
    wholes = opened["live, LSTM"].log_probs([first, second])
    for stream, pieces, whole in zip((one, other), found, wholes, strict=True):
        assert np.abs(np.concatenate([*pieces, stream.end()]) - whole).max() < 1e-4


def test_a_model_for_whole_utterances_says_why_it_hears_no_stream(runs: Any) -> None:
    for kind, why in (("both ways, LSTM", "it hears both ways"), ("whitened", "its features are whitened")):
        with pytest.raises(UsageError, match=f"hears no stream, for {why}.*ds1-uni"):
            drafts(runs.model(kind), ORIGIN).opened(1).stream()
