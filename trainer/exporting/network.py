"""Network: DeepSpeech 1 and 2 as part of an ONNX graph, from features to log-probabilities.

Recurrent layers are ONNX's own LSTM and GRU, which take the length of each utterance and begin backwards at its end.
Batch normalisation is a scale and a shift of each unit once training is over: it goes into the weights of the layer
before it (convolutions) or after it (all others), computed in float64.

Axes: B utterances, T steps, F features, C channels, H units, V labels; D directions.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from ...manifests.ctc import halved
from ..models import DeepSpeech1, DeepSpeech2, Model
from ..models.deepspeech2 import RELU_CLIP, Layer, Lookahead
from ..models.norm import MaskedNorm
from ..models.recurrent import Recurrent
from .ends import Ends
from .graph import Graph, Value
from .sound import Sound

Array = NDArray[np.float64]
GATES = {"LSTM": (0, 3, 1, 2), "GRU": (1, 0, 2)}
"""Where PyTorch has the gates in the order that ONNX wants: i o f c among i f g o, and z r h among r z n."""


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """What batch normalisation does to each unit."""

    scale: Array
    shift: Array


def network(graph: Graph, model: Model, sound: Sound, size: int, ends: Ends) -> tuple[Value, Value]:
    """(log_probs_BTV, steps of each utterance) of features that are `size` numbers a frame."""
    if isinstance(model, DeepSpeech1):
        logits_BTV, steps_B = _deepspeech1(graph, model, sound, ends), sound.frames_B
    else:
        steps_B = (sound.frames_B + 1) // 2
        logits_BTV = _deepspeech2(graph, model, sound.features_BTF, size, steps_B, ends)
    return graph.op("LogSoftmax", logits_BTV, axis=2), steps_B


def frames_needed(model: Model) -> tuple[int, int]:
    """Frames that a stream needs for a step at its beginning, and for one after that."""
    if isinstance(model, DeepSpeech1):
        return 1, 1
    assert model.lookahead is not None
    # A step of the second convolution sees some of the first one's to come, each of which is at every second frame.
    steps = model.lookahead.context + _side(model.conv2)
    return 2 * (steps - 1) + _side(model.conv1) + 1, 2


def hears_forwards(model: Model) -> bool:
    """Whether no layer needs the end of the utterance."""
    recurrent = [model.lstm] if isinstance(model, DeepSpeech1) else [one.recurrent for one in _layers(model)]
    return all(one.backwards is None for one in recurrent)


def _deepspeech1(graph: Graph, model: DeepSpeech1, sound: Sound, ends: Ends) -> Value:
    top, x = float(model.rectifier.max_val), sound.features_BTF
    for name, layer in (("h1", model.h1), ("h2", model.h2), ("h3", model.h3)):
        x = _clipped(graph, _dense(graph, name, layer, x), top)
    heard_TDBH = _recurrent(graph, "lstm", model.lstm, x.transposed(1, 0, 2), sound.frames_B, ends)
    x = heard_TDBH.transposed(2, 0, 1, 3).reshaped(0, 0, model.h5.in_features)
    return _dense(graph, "h6", model.h6, _clipped(graph, _dense(graph, "h5", model.h5, x), top))


def _deepspeech2(graph: Graph, model: DeepSpeech2, x_BTF: Value, size: int, steps_B: Value, ends: Ends) -> Value:
    x = x_BTF.transposed(0, 2, 1).unsqueezed(1)
    x = _convolved(graph, "conv1", (model.conv1, model.norm1), x, size, steps_B, ends)
    x = _convolved(graph, "conv2", (model.conv2, model.norm2), x, halved(size), steps_B, ends)
    x = x.reshaped(0, model.conv2.out_channels * halved(halved(size)), -1).transposed(2, 0, 1)
    for number, layer in enumerate(_layers(model)):
        norm = _affine(layer.norm) if layer.norm else None
        x = _recurrent(graph, f"layer{number}", layer.recurrent, x, steps_B, ends, norm).summed(1)
    if model.lookahead is not None:
        x = _looked_ahead(graph, model.lookahead, x.transposed(1, 2, 0), steps_B, ends).transposed(0, 2, 1)
    else:
        x = x.transposed(1, 0, 2)
    return _dense(graph, "dense", model.dense, x, _affine(model.norm))


def _convolved(
    graph: Graph, name: str, layer: tuple[nn.Conv2d, MaskedNorm], x_BCFT: Value, bins: int, steps_B: Value, ends: Ends
) -> Value:
    """A convolution, batch normalisation and the clipped rectifier."""
    conv, norm = layer[0], _affine(layer[1])
    side, (stride, step), pad = _side(conv), conv.stride, int(conv.padding[0])
    weight = _array(conv.weight) * norm.scale[:, None, None, None]
    bias = norm.shift if conv.bias is None else _array(conv.bias) * norm.scale + norm.shift
    wide_BCFT = ends.padded(name, x_BCFT, [conv.in_channels, bins], axis=3, before=side, after=side)
    y = graph.op(
        "Conv",
        wide_BCFT,
        _weight(graph, f"{name}.weight", weight),
        _weight(graph, f"{name}.bias", bias),
        strides=[stride, step],
        pads=[pad, 0, pad, 0],
    )
    ends.heard(name, wide_BCFT, 3, y.size(3) * step)
    return ends.inside(_clipped(graph, y, RELU_CLIP), steps_B, axis=3, rank=4)


def _recurrent(
    graph: Graph, name: str, layer: Recurrent, x_TBF: Value, steps_B: Value, ends: Ends, norm: Affine | None = None
) -> Value:
    """A recurrent layer, TDBH, on normalised inputs."""
    ways = [one for one in (layer.forwards, layer.backwards) if one is not None]
    kind = "LSTM" if isinstance(layer.forwards, nn.LSTM) else "GRU"
    hidden, lstm = layer.forwards.hidden_size, kind == "LSTM"
    weights = [np.stack(parts) for parts in zip(*(_gates(one, kind, norm) for one in ways), strict=True)]
    states = [ends.state(f"{name}.{one}", hidden) for one in (("hidden", "cell") if lstm else ("hidden",))]
    inputs = [_weight(graph, f"{name}.{one}", w) for one, w in zip(("W", "R", "B"), weights, strict=True)]
    attributes = {"hidden_size": hidden, "direction": "bidirectional" if len(ways) == 2 else "forward"}
    if not lstm:
        attributes["linear_before_reset"] = 1
    heard_TDBH, *left = graph.ops(2 + lstm, kind, x_TBF, *inputs, ends.lengths(steps_B), *states, **attributes)
    for one, value in zip(("hidden", "cell"), left, strict=False):
        ends.left(f"{name}.{one}", value)
    return heard_TDBH


def _gates(layer: nn.Module, kind: str, norm: Affine | None) -> tuple[Array, Array, Array]:
    """ONNX's W, R and B of one direction: of inputs, of what was heard, and both biases in a row."""
    inputs, heard, bias_of_inputs, bias_of_heard = (
        np.concatenate([np.split(_array(getattr(layer, f"{one}_l0")), len(GATES[kind]))[gate] for gate in GATES[kind]])
        for one in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    if norm is not None:
        bias_of_inputs = bias_of_inputs + inputs @ norm.shift
        inputs = inputs * norm.scale
    return inputs, heard, np.concatenate([bias_of_inputs, bias_of_heard])


def _looked_ahead(graph: Graph, layer: Lookahead, x_BHT: Value, steps_B: Value, ends: Ends) -> Value:
    hidden = layer.conv.in_channels
    x_BHT = ends.inside(x_BHT, steps_B, axis=2)
    wide_BHT = ends.padded("lookahead", x_BHT, [hidden], axis=2, before=0, after=layer.context - 1)
    weight = _weight(graph, "lookahead.weight", _array(layer.conv.weight))
    y_BHT = graph.op("Conv", wide_BHT, weight, group=hidden)
    ends.heard("lookahead", wide_BHT, 2, y_BHT.size(2))
    return _clipped(graph, y_BHT, RELU_CLIP)


def _dense(graph: Graph, name: str, layer: nn.Linear, x: Value, norm: Affine | None = None) -> Value:
    """A dense layer on normalised inputs."""
    weight, bias = _array(layer.weight), None if layer.bias is None else _array(layer.bias)
    if norm is not None:
        bias = weight @ norm.shift + (0 if bias is None else bias)
        weight = weight * norm.scale
    y = graph.op("MatMul", x, _weight(graph, f"{name}.weight", weight.T))
    return y if bias is None else y + _weight(graph, f"{name}.bias", bias)


def _clipped(graph: Graph, x: Value, top: float) -> Value:
    return graph.op("Clip", x, 0.0, top)


def _affine(norm: nn.Module) -> Affine:
    assert isinstance(norm, MaskedNorm)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = _array(norm.weight) / np.sqrt(_array(norm.running_var) + norm.eps)
    return Affine(scale, _array(norm.bias) - _array(norm.running_mean) * scale)


def _layers(model: DeepSpeech2) -> list[Layer]:
    return [one for one in model.layers if isinstance(one, Layer)]


def _side(conv: nn.Conv2d) -> int:
    """Frames each side that a convolution sees."""
    return conv.kernel_size[1] // 2


def _weight(graph: Graph, name: str, array: Array) -> Value:
    return graph.constant(name, array.astype(np.float32))


def _array(tensor: Tensor) -> Array:
    return tensor.detach().cpu().double().numpy()
