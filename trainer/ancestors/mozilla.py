"""mozilla/DeepSpeech: a frozen graph of releases 0.1 to 0.9 as a DeepSpeech 1 of ours.

    layer_1/weights [494 x n]                    h1.weight [n x 494]
    .../kernel [2 n x 4 n], columns i j f o      lstm.forwards.weight_ih_l0, weight_hh_l0 [4 n x n], rows i f g o
    .../bias [4 n]                               lstm.forwards.bias_ih_l0, with the forget bias added to f

j is the candidate, which PyTorch calls g. What TensorFlow adds to the forget gate at each step is added here once.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...manifests import Alphabet, SourceError, UsageError, english
from ...manifests.ctc import RATE
from ..config import DeepSpeech1Config
from .ancestor import Ancestor, check_written
from .frozen_graph import Graph
from .schemes import Scheme, features_of, scheme_of
from .unpickling.reader import shown

INPUTS = 494
"""Numbers of a step of features: 26 MFCCs of 19 frames."""
DENSE = (1, 2, 3, 5, 6)
"""The layers that are not the LSTM, which is the fourth."""
CLIP = re.compile(r"Minimum(_\d{1,4})?/y")
SETTINGS = {"metadata_sample_rate": RATE, "metadata_feature_win_len": 32, "metadata_feature_win_step": 20}
"""What a graph from 0.6 on says of its features, in Hz and ms."""
WINDOWS = {"window_size": 512, "stride": 320}
"""The same in samples, as the AudioSpectrogram node of graphs from 0.5 on has it."""


def read_mozilla(
    graph: Graph, release: str | None, alphabet: Alphabet | None, beside: Callable[[], Alphabet] | None
) -> Ancestor:
    """The model in a graph. `alphabet` is what the user gave, `beside` reads what lies beside the graph.

    Raises:
        SourceError: the graph is none of mozilla/DeepSpeech's, or is one that our network cannot be.
        UsageError: `release` or `alphabet` is not the graph's, or is wanted.
    """
    scheme = scheme_of(graph)
    _check_features(graph)
    forget_bias = _forget_bias(graph, scheme)
    weights = dict(_weights(graph, scheme, forget_bias))
    config = DeepSpeech1Config(
        hidden=len(weights["h1.bias"]),
        bidirectional=len(scheme.cells) > 1,
        forget_bias=forget_bias,
        relu_clip=_relu_clip(graph),
    )
    found, spelt = _alphabet(graph, len(weights["h6.bias"]), alphabet, beside)
    return Ancestor(
        origin=f"mozilla/DeepSpeech {scheme.releases}",
        features=features_of(graph, scheme, release),
        model=config,
        inputs=INPUTS,
        alphabet=found,
        spelt=spelt,
        weights=weights,
    )


def _weights(graph: Graph, scheme: Scheme, forget_bias: float) -> Iterator[tuple[str, Tensor]]:
    n = graph.numbers(scheme.bias.format(1)).size
    ways = len(scheme.cells)
    labels = graph.numbers(scheme.bias.format(6)).size
    shapes = {1: (INPUTS, n), 2: (n, n), 3: (n, ways * n), 5: (ways * n, n), 6: (n, labels)}
    for layer in DENSE:
        yield f"h{layer}.weight", _tensor(_shaped(graph, scheme.weight.format(layer), shapes[layer]).T)
        yield f"h{layer}.bias", _tensor(_shaped(graph, scheme.bias.format(layer), shapes[layer][1:]))
    for cell, way in zip(scheme.cells, ("forwards", "backwards"), strict=False):
        kernel = _gates(_shaped(graph, f"{cell}/kernel", ((ways + 1) * n, 4 * n)))
        bias = _gates(_shaped(graph, f"{cell}/bias", (4 * n,)))
        bias[n : 2 * n] += forget_bias
        yield f"lstm.{way}.weight_ih_l0", _tensor(kernel[: ways * n].T)
        yield f"lstm.{way}.weight_hh_l0", _tensor(kernel[ways * n :].T)
        yield f"lstm.{way}.bias_ih_l0", _tensor(bias)
        yield f"lstm.{way}.bias_hh_l0", torch.zeros(4 * n)


def _shaped(graph: Graph, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    found = graph.numbers(name)
    if found.shape != shape or found.dtype != np.float32:
        raise SourceError(
            f"{graph.place}: {name} is {found.dtype} {list(found.shape)}, not float32 {list(shape)}, "
            "so that this is no network of mozilla/DeepSpeech's with 26 MFCCs of 19 frames"
        )
    return found


def _gates(columns: NDArray[np.float32]) -> NDArray[np.float32]:
    """From TensorFlow's order i, j, f, o on the last axis to PyTorch's: i, f, g, o."""
    i, j, f, o = np.split(columns, 4, axis=-1)
    return np.concatenate([i, f, j, o], axis=-1)


def _tensor(numbers: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(np.array(numbers, np.float32, order="C"))


def _forget_bias(graph: Graph, scheme: Scheme) -> float:
    """As the LSTM's node has it, or as the releases of the scheme had it; also whether the LSTM is a plain one."""
    cell = graph.operation("BlockLSTM")
    if cell is None:
        return scheme.forget_bias
    if cell.attr["use_peephole"].b or cell.attr["cell_clip"].f > 0:
        raise SourceError(f"{graph.place} has an LSTM with peepholes or a clipped cell, which ours is not")
    return float(cell.attr["forget_bias"].f) if "forget_bias" in cell.attr else scheme.forget_bias


def _relu_clip(graph: Graph) -> float:
    """Where the rectifiers saturate, each of which is a Minimum; 20 where the graph does not tell."""
    names = [name for name, node in graph.nodes.items() if CLIP.fullmatch(name) and node.op == "Const"]
    bounds = [graph.number(name) for name in names]
    clips = set(bounds)
    if len(clips) > 1 or not all(clip > 0 for clip in clips):
        raise SourceError(
            f"{graph.place} clips its rectifiers at {shown(sorted(clips))}; ours are all clipped at one number"
        )
    return clips.pop() if clips else DeepSpeech1Config().relu_clip


def _check_features(graph: Graph) -> None:
    for name, wanted in SETTINGS.items():
        if name in graph.nodes and (found := graph.number(name)) != wanted:
            raise SourceError(f"{graph.place} has {name} {found}; features of 16000 Hz, 32 ms each 20 ms are read")
    if (window := graph.operation("AudioSpectrogram")) is not None:
        for name, wanted in WINDOWS.items():
            if (found := window.attr[name].i) != wanted:
                raise SourceError(f"{graph.place} has features with a {name} of {found} samples, not {wanted}")
    if any("LayerNorm" in name for name in graph.nodes):
        raise SourceError(f"{graph.place} was trained with --layer_norm, which our network has not")


def _alphabet(
    graph: Graph, labels: int, given: Alphabet | None, beside: Callable[[], Alphabet] | None
) -> tuple[Alphabet, str]:
    """The alphabet, and whose it is."""
    own = _own_alphabet(graph)
    if own is not None and given not in (None, own):
        raise UsageError(f"{graph.place} has an alphabet, which is not the one of --alphabet: leave that out")
    if own or given:
        alphabet, whose = own or given or english(), "the model's own" if own else "the one that was given"
    else:
        alphabet, whose = (beside(), "alphabet.txt beside it") if beside else (english(), "taken to be English")
    if alphabet.size != labels or alphabet.blank != labels - 1:
        raise UsageError(
            f"{graph.place} writes {labels} labels, the blank last: give its alphabet.txt, of {labels - 1} characters, "
            "with --alphabet"
        )
    check_written(alphabet, graph.place)
    return alphabet, whose


def _own_alphabet(graph: Graph) -> Alphabet | None:
    """From 0.7 on: how many labels, then for each its number, the bytes of its text, and these. All of 16 bits."""
    data = graph.text("metadata_alphabet")
    if not data:
        return None
    found, at = dict[int, str](), 2
    try:
        for _ in range(int.from_bytes(data[:2], "little")):
            number, size = (int.from_bytes(data[at + i : at + i + 2], "little") for i in (0, 2))
            found[number] = unicodedata.normalize("NFC", data[at + 4 : at + 4 + size].decode())
            at += 4 + size
        return Alphabet(tuple(found[number] for number in range(len(found))), len(found))
    except (ValueError, KeyError) as error:
        raise SourceError(
            f"{graph.place} has an alphabet that is not one of characters ({str(error)[:80]}): models that write "
            "bytes, as those of --bytes_output_mode, cannot be imported"
        ) from error
