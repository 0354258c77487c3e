"""Frozen graphs: the logits of each release, and what a graph tells of its features, its cell and its alphabet."""

from typing import Any

import numpy as np
import pytest
import torch

from dsprep.manifests import Alphabet, DsprepError, SourceError, UsageError, english
from dsprep.trainer.ancestors.ancestor import Ancestor
from dsprep.trainer.ancestors.frozen_graph import read_graph
from dsprep.trainer.ancestors.mozilla import read_mozilla
from dsprep.trainer.config import DeepSpeech1Config
from dsprep.trainer.models.deepspeech1 import DeepSpeech1

RELEASES = ("0.1", "0.2", "0.4", "0.5", "0.6", "0.7")
PROFILES = {
    "0.1": "mfcc-deepspeech-0.1",
    "0.2": "mfcc-deepspeech-0.2",
    "0.4": "mfcc-deepspeech-0.4",
    "0.5": "mfcc-deepspeech-0.5",
    "0.6": "mfcc-deepspeech-0.5",
    "0.7": "mfcc-deepspeech-0.7",
}
TWO = Alphabet(("a", "b"), 2)


def read(
    graph: Any, release: str | None = None, alphabet: Alphabet | None = None, beside: Alphabet | None = None
) -> Ancestor:
    lying = (lambda: beside) if beside else None
    return read_mozilla(read_graph(graph.SerializeToString(), "x.pb"), release, alphabet, lying)


def model_of(ancestor: Ancestor) -> DeepSpeech1:
    assert isinstance(ancestor.model, DeepSpeech1Config)
    model = DeepSpeech1(ancestor.model, 494, ancestor.alphabet.size).eval()
    model.load_state_dict(dict(ancestor.weights))
    return model


@pytest.mark.parametrize("release", RELEASES)
def test_the_logits_are_those_of_the_formulas(frozen: Any, release: str) -> None:
    weights = frozen.weights(release)
    model = model_of(read(frozen.graph(release, weights)))
    features = np.random.default_rng(3).normal(0, 2, (3, 40, 494)).astype(np.float32)
    frames = [40, 23, 1]
    with torch.inference_mode():
        logits_BTV, steps = model(torch.from_numpy(features), frames)
    assert steps == frames
    for index, count in enumerate(frames):
        expected = weights.logits(features[index, :count])
        assert np.abs(expected).max() > 0.5, "weights that make a difference"
        assert np.abs(logits_BTV[index, :count].numpy() - expected).max() < 1e-5


@pytest.mark.parametrize("release", RELEASES)
def test_a_graph_tells_its_features_and_its_cell(frozen: Any, release: str) -> None:
    found = read(frozen.graph(release, frozen.weights(release)))
    assert found.features == PROFILES[release]
    assert isinstance(found.model, DeepSpeech1Config)
    assert found.model.bidirectional is (release == "0.1")
    assert found.model.forget_bias == (0.0 if release in ("0.6", "0.7") else 1.0)
    assert found.alphabet == english()


def test_a_graph_from_06_on_without_its_features_needs_to_be_told_its_release(frozen: Any) -> None:
    graph = frozen.graph("0.6", frozen.weights("0.6"))
    del graph.node[[one.op for one in graph.node].index("Mfcc")]
    with pytest.raises(UsageError, match=r"--release 0\.6"):
        read(graph)
    assert read(graph, "0.6.1").features == "mfcc-deepspeech-0.5"
    assert read(graph, "v0.9.3").features == read(graph, "1.4").features == "mfcc-deepspeech-0.7"
    frozen.constant(graph, "metadata_alphabet", frozen.serialized([c.encode() for c in english().characters]))
    assert read(graph).features == "mfcc-deepspeech-0.7", "0.7 was the first to write its alphabet down"


@pytest.mark.parametrize(
    ("release", "said"), [("0.1", "0.2"), ("0.4", "0.3"), ("0.5", "0.4"), ("0.7", "0.6"), ("0.6", "0.9"), ("0.5", "x")]
)
def test_a_release_that_the_graph_contradicts_is_refused(frozen: Any, release: str, said: str) -> None:
    with pytest.raises(UsageError, match=f"--release {said}"):
        read(frozen.graph(release, frozen.weights(release)), said)
    assert read(frozen.graph(release, frozen.weights(release)), release).features == PROFILES[release]


def test_an_alphabet_is_the_graphs_own_or_the_given_or_the_one_beside_it_or_english(frozen: Any) -> None:
    plain = frozen.graph("0.2", frozen.weights("0.2", labels=3))
    assert read(plain, alphabet=TWO).alphabet == read(plain, beside=TWO).alphabet == TWO
    assert read(plain, alphabet=TWO, beside=english()).alphabet == TWO
    with pytest.raises(UsageError, match=r"3 labels.*2 characters"):
        read(plain)
    with pytest.raises(UsageError, match="3 labels"):
        read(plain, beside=english())
    own = frozen.graph("0.6", frozen.weights("0.6", labels=3))
    frozen.constant(own, "metadata_alphabet", frozen.serialized([b"x", "ß".encode()]))
    assert read(own).alphabet == read(own, beside=TWO).alphabet == Alphabet(("x", "ß"), 2)
    with pytest.raises(UsageError, match="--alphabet"):
        read(own, alphabet=TWO)


@pytest.mark.parametrize("odd", ["\n", "\t", "\x1b"])
def test_an_alphabet_of_what_no_text_has_is_refused(frozen: Any, odd: str) -> None:
    graph = frozen.graph("0.6", frozen.weights("0.6", labels=3))
    frozen.constant(graph, "metadata_alphabet", frozen.serialized([b"a", odd.encode()]))
    with pytest.raises(SourceError, match="labels that no text has") as caught:
        read(graph)
    assert str(caught.value).isprintable()


def test_a_model_that_writes_bytes_is_refused(frozen: Any) -> None:
    graph = frozen.graph("0.6", frozen.weights("0.6", labels=256))
    frozen.constant(graph, "metadata_alphabet", frozen.serialized([bytes([i + 1]) for i in range(255)]))
    with pytest.raises(SourceError, match="write bytes"):
        read(graph)


def test_the_clip_of_the_rectifiers_is_the_graphs(frozen: Any) -> None:
    weights = frozen.weights("0.6")
    graph = frozen.graph("0.6", weights)
    for one in graph.node:
        if one.name.startswith("Minimum"):
            one.attr["value"].tensor.float_val[0] = 0.5
    features = np.random.default_rng(3).normal(0, 2, (1, 9, 494)).astype(np.float32)
    logits_BTV, _ = model_of(read(graph))(torch.from_numpy(features), [9])
    expected = weights.logits(features[0], clip=0.5)
    assert np.abs(logits_BTV[0].detach().numpy() - expected).max() < 1e-5
    assert np.abs(weights.logits(features[0]) - expected).max() > 1e-2


def broken(frozen: Any, how: str) -> Any:
    weights = frozen.weights("0.6", inputs=247 if how == "context" else 494)
    if how == "half":
        weights.dense[2] = (weights.dense[2][0].astype(np.float16), weights.dense[2][1])
    if how == "shape":
        weights.dense[5] = (weights.dense[5][0][:-1], weights.dense[5][1])
    graph = frozen.graph("0.6", weights)
    nodes = {one.name: one for one in graph.node}
    if how == "lacking":
        graph.node.remove(nodes["layer_3/weights"])
    if how == "short":
        content = nodes["layer_3/weights"].attr["value"].tensor
        content.tensor_content = content.tensor_content[:-4]
    if how == "huge":
        nodes["layer_3/bias"].attr["value"].tensor.tensor_shape.dim[0].size = 1 << 60
    if how == "negative":
        nodes["layer_3/bias"].attr["value"].tensor.tensor_shape.dim[0].size = -1
    if how == "long":
        for _ in range(9999):
            nodes["layer_3/bias"].attr["value"].tensor.tensor_shape.dim.add(size=-1)
    if how == "clips":
        for number in range(9999):
            frozen.constant(graph, f"Minimum_{number}/y", np.float32(number))
        del graph.node[: len(nodes)]
        graph.node.extend(one for name, one in nodes.items() if not name.startswith("Minimum"))
    if how == "words":
        frozen.constant(graph, "metadata_alphabet", frozen.serialized([b"x" * 60_000]))
    if how == "twice":
        graph.node.add().CopyFrom(nodes["layer_3/weights"])
    if how == "rate":
        nodes["metadata_sample_rate"].attr["value"].tensor.int_val[0] = 8000
    if how == "limit":
        nodes["Mfcc"].attr["upper_frequency_limit"].f = 7000
    if how == "peephole":
        nodes["cudnn_lstm/BlockLSTM"].attr["use_peephole"].b = True
    if how == "norm":
        frozen.constant(graph, "layer_1/LayerNorm/gamma", np.ones(8, np.float32))
    if how == "other":
        for one in graph.node:
            one.name = f"tower/{one.name}"
    return graph


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("half", "not float32"),
        ("shape", r"layer_5/weights is float32 \[7, 8\]"),
        ("context", "26 MFCCs of 19 frames"),
        ("lacking", "no tensor layer_3/weights"),
        ("short", "is damaged: layer_3/weights has 252 bytes"),
        ("huge", "which no such model has"),
        ("negative", "which no such model has"),
        ("long", "which no such model has"),
        ("clips", "clips its rectifiers"),
        ("words", "not one of characters"),
        ("twice", "two of its nodes have one name"),
        ("rate", "metadata_sample_rate 8000"),
        ("limit", "7000 Hz"),
        ("peephole", "peepholes"),
        ("norm", "--layer_norm"),
        ("other", "no graph of mozilla/DeepSpeech"),
    ],
)
def test_what_our_network_cannot_be_is_refused_in_one_sentence(frozen: Any, how: str, said: str) -> None:
    with pytest.raises(SourceError, match=said) as caught:
        read(broken(frozen, how))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("data", [b"", b"hello world", b"\x0a\x05ab", b"\x00" * 99], ids=repr)
def test_what_is_no_graph_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(SourceError, match=r"x\.pb"):
        read_graph(data, "x.pb")


def test_a_damaged_graph_is_read_or_refused_but_never_brings_an_error_of_another_kind(frozen: Any) -> None:
    whole = frozen.graph("0.7", frozen.weights("0.7", n=1)).SerializeToString()
    random = np.random.default_rng(1)
    read_well = refused = 0
    for _ in range(600):
        data = bytearray(whole[: random.integers(len(whole))] if random.random() < 0.3 else whole)
        data[random.integers(len(data))] ^= 1 << random.integers(8)
        try:
            read_mozilla(read_graph(bytes(data), "x.pb"), None, None, None)
            read_well += 1
        except DsprepError:
            refused += 1
    assert min(read_well, refused) > 100
