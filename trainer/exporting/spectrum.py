"""Spectrum: the power of each bin, as part of an ONNX graph.

A product with cosines and sines under a window: no complex numbers, and any runtime has it. (A fast Fourier transform
out of two products takes three times as long here, and is less exact.)

Axes: B utterances, N samples, T frames, F bins, K blocks of a frame.
"""

import math

import numpy as np
from numpy.typing import NDArray

from .graph import Graph, Value


def exact_power(
    graph: Graph, samples_BN: Value, window_N: NDArray[np.floating], fft: int, hop: int, frames_B: Value
) -> Value:
    """The power spectrum of all frames, BTF, of samples with zeros after them.

    In float64, for a logarithm without a floor makes much of what rounding leaves in a quiet bin beside loud ones: so
    it does not matter where a stream is cut.
    """
    size, count = len(window_N), frames_B.highest()
    filled_BN = graph.op("Pad", samples_BN, graph.numbers(0, 0, 0, size)).between(0, (count - 1) * hop + size, 1)
    # Windows are gathered by the blocks that they share: single samples would need eight bytes each to be named.
    block = math.gcd(size, hop)
    place_TK = (graph.count(0, count) * (hop // block)).unsqueezed(1) + graph.count(0, size // block)
    frames_BTKN = graph.op("Gather", filled_BN.reshaped(0, -1, block), place_TK, axis=1)
    frames_BTN = frames_BTKN.reshaped(0, 0, size).cast(np.float64)
    spectrum_BTF = graph.op("MatMul", frames_BTN, _basis(graph, window_N, fft).transposed(1, 0))
    return _squared(graph, spectrum_BTF, fft // 2 + 1, axis=2).cast(np.float32)


def power(graph: Graph, samples_BN: Value, window_N: NDArray[np.floating], hop: int) -> Value:
    """The power spectrum of all windows, BTF."""
    basis_F1N = _basis(graph, window_N, len(window_N)).cast(np.float32).unsqueezed(1)
    spectrum_BFT = graph.op("Conv", samples_BN.unsqueezed(1), basis_F1N, strides=[hop])
    return _squared(graph, spectrum_BFT, len(window_N) // 2 + 1, axis=1).transposed(0, 2, 1)


def _basis(graph: Graph, window_N: NDArray[np.floating], fft: int) -> Value:
    """Cosines, then sines, of each bin, under a window, in float64.

    They are looked up in a circle, so that the file need not hold them; a runtime does that once, when it loads it.
    """
    turn = 2 * np.pi * np.arange(fft) / fft
    place_FN = graph.count(0, fft // 2 + 1).unsqueezed(1) * graph.count(0, len(window_N))
    place_FN = graph.op("Mod", place_FN, fft)
    circle = (graph.constant("cosine", np.cos(turn)), graph.constant("sine", -np.sin(turn)))
    waves_FN = graph.joined(*(graph.op("Gather", one, place_FN) for one in circle), axis=0)
    return waves_FN * graph.constant("window", window_N.astype(np.float64))


def _squared(graph: Graph, spectrum: Value, bins: int, axis: int) -> Value:
    """The squared magnitudes of complex numbers, whose real parts lie before the imaginary ones."""
    real, imaginary = graph.ops(2, "Split", spectrum, graph.numbers(bins, bins), axis=axis)
    return real * real + imaginary * imaginary
