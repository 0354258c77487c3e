"""Sound: the features of `trainer/features` as part of an ONNX graph, so that samples go in.

The features themselves tell their window, filters and constants, so these are the same numbers.

Axes: B utterances, N samples, T frames, P frames with those around them, F numbers a frame, C coefficients.
"""

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..features import Features
from ..features.context import CONTEXT, WIDTH, InContext
from ..features.mfcc import EPSILON, FULL_SCALE, Mfcc
from ..features.spectrogram import LiveLogSpectrogram, LogSpectrogram
from ..features.tensorflow_mfcc import FLOOR, TensorflowMfcc
from .ends import Ends
from .graph import TO_THE_END, Graph, Value
from .spectrum import exact_power, power

QUIET = 1e-10
"""Least deviation that features are divided by, as trainer/features/framing.py has it."""


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """The features of some samples."""

    features_BTF: Value
    frames_B: Value
    """How many of the utterance's frames are in it."""
    used: Value
    """Samples that no later frame needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Samples that a piece of a stream must hold for some number of frames."""

    first: int
    """For one frame, at the beginning."""
    next: int
    """For one frame, later on, with what was kept of the pieces before."""
    hop: int
    """For each frame more."""
    ahead: int = 0
    """Frames to come that the features of one hold: so many more are needed at the beginning."""
    least: int = 0
    """At the beginning, for whatever number."""

    def at_first(self, frames: int) -> int:
        """Samples for so many frames at the beginning."""
        return max(self.least, self.first + (frames + self.ahead - 1) * self.hop)

    def later(self, frames: int) -> int:
        """Samples for so many frames more."""
        return self.next + (frames - 1) * self.hop


def sound(graph: Graph, features: Features, samples_BN: Value, lengths_B: Value, ends: Ends) -> Sound:
    """Features of any kind that is known."""
    graph.section = "features/"
    samples_BN = ends.inside(samples_BN, lengths_B, axis=1, rank=2)
    if isinstance(features, LogSpectrogram):
        made = _spectrogram(graph, features, samples_BN, lengths_B, ends)
    elif isinstance(features, TensorflowMfcc):
        made = _tensorflow_mfcc(graph, features, samples_BN, lengths_B, ends)
    else:
        made = _mfcc(graph, cast(Mfcc, features), samples_BN, lengths_B, ends)
    graph.section = ""
    return made


def need(features: Features) -> Need:
    """What a stream of these features needs."""
    if isinstance(features, LogSpectrogram):
        window = features.WINDOW
        return Need(first=window // 2, next=window + 1, hop=features.HOP, least=window)
    features = cast(Mfcc | TensorflowMfcc, features)
    before = 0 if isinstance(features, TensorflowMfcc) else 1
    return Need(first=features.WINDOW, next=features.WINDOW + before, hop=features.HOP, ahead=CONTEXT)


def whitened(features: Features) -> bool:
    """Whether they are only known when the whole utterance has been heard."""
    if isinstance(features, LogSpectrogram):
        return not isinstance(features, LiveLogSpectrogram)
    return cast(InContext, features).WHITEN


def _spectrogram(graph: Graph, features: LogSpectrogram, samples_BN: Value, lengths_B: Value, ends: Ends) -> Sound:
    """Frames that are centred each 10 ms from the first sample on, with mirrored ends.

    Of a stream, the samples begin one before the window of its next frame: the first that is mirrored at the end.
    """
    window, hop, half = features.WINDOW, features.HOP, features.WINDOW // 2
    first = graph.value(ends.begun) * (half + 1) - half
    frames_B = (lengths_B - first - window + graph.value(ends.last) * half) // hop + 1
    count = frames_B.highest()
    position_1P = graph.count(first, first + count * hop + (window - hop)).unsqueezed(0)
    padded_BP = _mirrored(graph, samples_BN, lengths_B, position_1P)
    power_BTF = power(graph, padded_BP, _array(features.window_N), hop)
    log_BTF = _log1p(graph, graph.op("Sqrt", power_BTF))
    if whitened(features):
        weight_BT = ends.inside(_ones(graph, log_BTF), frames_B, axis=1, rank=2)
        log_BTF = _standardised(graph, log_BTF, weight_BT, features.size, correction=1)
    return Sound(ends.inside(log_BTF, frames_B, axis=1), frames_B, first + count * hop - 1)


def _mirrored(graph: Graph, samples_BN: Value, lengths_B: Value, position_1P: Value) -> Value:
    """The samples at these positions, mirrored at both ends of each utterance; 0 where it is too short for that."""
    last_B1 = lengths_B.unsqueezed(1) - 1
    folded_BP = last_B1 - graph.op("Abs", last_B1 - graph.op("Abs", position_1P))
    found_BP = graph.op("GatherElements", samples_BN, folded_BP.maximum(0), axis=1)
    return found_BP * (graph.value(-1) < folded_BP).cast(np.float32)


def _mfcc(graph: Graph, features: Mfcc, samples_BN: Value, lengths_B: Value, ends: Ends) -> Sound:
    """The recipe of python_speech_features. Of a stream, the samples begin one before its next frame."""
    begun = graph.value(ends.begun)
    before_BN = graph.op("Pad", samples_BN, graph.numbers(0, 1, 0, 0)).between(0, -1, 1)
    raised_BN = ends.inside(samples_BN - before_BN * 0.97, lengths_B, axis=1, rank=2).between(begun, TO_THE_END, 1)
    # Windows that are begun in the last of 10 ms, or of 20, are filled up with zeros.
    filled = features.HOP // 2 - 1 if features.WINDOW < features.HOP + features.HOP // 2 else features.HOP - 1
    frames_B = _frames(graph, lengths_B - begun, features.WINDOW, features.HOP, filled, ends)
    window_N = np.ones(features.WINDOW) if features.window_N is None else _array(features.window_N)
    window_N = window_N * FULL_SCALE / features.FFT**0.5
    power_BTF = exact_power(graph, raised_BN, window_N, features.FFT, features.HOP, frames_B)
    energy_BT1 = _log(graph, power_BTF.summed(2, keep=True))
    mel_BTM = graph.op("MatMul", power_BTF, graph.constant("filters_FM", _array(features.filters_FM)))
    cosines_MC = graph.constant("cosines_MC", _array(features.cosines_MC))
    cepstra_BTC = graph.op("MatMul", _log(graph, mel_BTM), cosines_MC)
    mfcc_BTC = graph.joined(energy_BT1, cepstra_BTC.between(1, TO_THE_END, 2), axis=2)
    made = _in_context(graph, mfcc_BTC, frames_B, features.COEFFICIENTS, features.WHITEN, ends)
    return Sound(made, frames_B, frames_B.highest() * features.HOP + begun - 1)


def _tensorflow_mfcc(graph: Graph, features: TensorflowMfcc, samples_BN: Value, lengths_B: Value, ends: Ends) -> Sound:
    """What TensorFlow's operations do: only whole windows make frames, but for a clip that is shorter than one."""
    frames_B = _frames(graph, lengths_B, features.WINDOW, features.HOP, 0, ends)
    window_N = _array(features.window_N)
    power_BTF = exact_power(graph, samples_BN, window_N, features.WINDOW, features.HOP, frames_B)
    magnitude_BTF = graph.op("Sqrt", power_BTF)
    mel_BTM = graph.op("MatMul", magnitude_BTF, graph.constant("filters_FM", _array(features.filters_FM)))
    cosines_MC = graph.constant("cosines_MC", _array(features.cosines_MC))
    mfcc_BTC = graph.op("MatMul", graph.op("Log", mel_BTM.maximum(FLOOR)), cosines_MC)
    made = _in_context(graph, mfcc_BTC, frames_B, features.COEFFICIENTS, False, ends)
    return Sound(made, frames_B, frames_B.highest() * features.HOP)


def _frames(graph: Graph, lengths_B: Value, window: int, hop: int, filled: int, ends: Ends) -> Value:
    """How many windows are whole, and at the end those whose first samples are there; one at least at the beginning."""
    whole_B = (lengths_B - window + hop + graph.value(ends.last) * filled) // hop
    return whole_B.maximum(1 - graph.value(ends.begun))


def _in_context(graph: Graph, mfcc_BTC: Value, frames_B: Value, coefficients: int, whiten: bool, ends: Ends) -> Value:
    """Frames with 9 neighbours each side by side, BTF."""
    near_BPC = ends.padded(
        "context", ends.inside(mfcc_BTC, frames_B, axis=1), [coefficients], axis=1, before=CONTEXT, after=CONTEXT
    )
    if whiten:
        weight_BP = _windows_of_each(graph, near_BPC, frames_B)
        near_BPC = _standardised(graph, near_BPC, weight_BP, coefficients, correction=0)
    steps = near_BPC.size(1) - 2 * CONTEXT
    places_TW = graph.count(0, steps).unsqueezed(1) + graph.constant("neighbours", np.arange(WIDTH))
    windows_BTF = graph.op("Gather", near_BPC, places_TW, axis=1).reshaped(0, -1, WIDTH * coefficients)
    ends.heard("context", near_BPC, 1, steps)
    return ends.inside(windows_BTF, frames_B, axis=1)


def _windows_of_each(graph: Graph, near_BPC: Value, frames_B: Value) -> Value:
    """In how many windows of its utterance each frame is, BP, as float32."""
    place_1P = graph.count(0, near_BPC.size(1)).unsqueezed(0)
    last_BP = place_1P.minimum(frames_B.unsqueezed(1) - 1)
    first_1P = (place_1P - (WIDTH - 1)).maximum(0)
    return (last_BP - first_1P + 1).maximum(0).cast(np.float32)


def _standardised(graph: Graph, x_BTF: Value, weight_BT: Value, size: int, correction: int) -> Value:
    """Mean 0 and standard deviation 1 over all frames of an utterance, where frame t counts `weight_BT` times."""
    weight_BT1 = weight_BT.unsqueezed(2)
    count_B11 = weight_BT1.summed(1, keep=True) * float(size)
    centred_BTF = x_BTF - _total(x_BTF, weight_BT1) / count_B11
    deviation_B11 = graph.op("Sqrt", _total(centred_BTF * centred_BTF, weight_BT1) / (count_B11 - float(correction)))
    return centred_BTF / deviation_B11.maximum(QUIET)


def _total(x_BTF: Value, weight_BT1: Value) -> Value:
    """The sum of each utterance, frame by frame first: runtimes add up in float32, one number after the other."""
    return (x_BTF.summed(2, keep=True) * weight_BT1).summed(1, keep=True)


def _log1p(graph: Graph, x: Value) -> Value:
    """log(1 + x) for x near 0 too, which ONNX does not have: Kahan's way, whose errors cancel."""
    more = x + 1.0
    exact = graph.op("Equal", more, 1.0)
    return graph.op("Where", exact, x, graph.op("Log", more) * x / (more - 1.0).maximum(1e-30))


def _log(graph: Graph, x: Value) -> Value:
    return graph.op("Log", graph.op("Where", graph.op("Equal", x, 0.0), EPSILON, x))


def _ones(graph: Graph, x_BTF: Value) -> Value:
    """Ones, BT."""
    return graph.op("Expand", 1.0, graph.op("Shape", x_BTF, start=0, end=2))


def _array(buffer: Tensor) -> NDArray[np.float32]:
    return buffer.detach().cpu().numpy()
