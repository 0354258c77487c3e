"""Schemes: how the releases of mozilla/DeepSpeech name their tensors, and what a graph tells of its release.

    0.1          h1 b1 ... h6 b6                         bidirectional_rnn/fw/basic_lstm_cell/kernel [3 n x 4 n]
    0.2 to 0.4   h1 b1 ... h6 b6                         lstm_fused_cell/kernel [2 n x 4 n]
    0.5          layer_1/weights layer_1/bias ...        lstm_fused_cell/kernel
    0.6 on       layer_1/weights layer_1/bias ...        cudnn_lstm/.../cudnn_compatible_lstm_cell/kernel

Releases of one scheme differ in their features. From 0.5 on these are computed in the graph, whose Mfcc node has the
upper frequency limit: the operation's default of 4 kHz up to 0.6, half the rate from 0.7 on. 0.4 was the first with a
softmax in the graph, where 0.2 and 0.3 had it in the decoder.

Source: mozilla/DeepSpeech DeepSpeech.py at v0.1.1, v0.2.0, v0.4.1, v0.5.1, v0.6.1,
training/deepspeech_training/train.py at v0.7.4 and v0.9.3. Coqui STT 0.9 to 1.4 writes what 0.9 wrote.
"""

import re
from dataclasses import dataclass

from ...manifests import SourceError, UsageError
from ...manifests.ctc import RATE
from .frozen_graph import Graph

Release = tuple[int, int]

CELL = "cudnn_lstm/rnn/multi_rnn_cell/cell_0/cudnn_compatible_lstm_cell"
PROFILES: dict[Release, str] = {
    (0, 1): "mfcc-deepspeech-0.1",
    (0, 2): "mfcc-deepspeech-0.2",
    (0, 4): "mfcc-deepspeech-0.4",
    (0, 5): "mfcc-deepspeech-0.5",
    (0, 7): "mfcc-deepspeech-0.7",
}
"""Features by the first release that has them."""
LATEST: Release = (0, 9)
DEFAULT_LIMIT = 4000.0
"""Of TensorFlow's operation, in Hz."""
LIMITS = {DEFAULT_LIMIT: "mfcc-deepspeech-0.5", RATE / 2: "mfcc-deepspeech-0.7"}
"""Features by the upper frequency limit of their mel filters, in Hz."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """The names of some releases."""

    first: Release
    last: Release
    weight: str
    """Of a dense layer, with a place for its number."""
    bias: str
    cells: tuple[str, ...]
    """Of the LSTM of each direction."""
    forget_bias: float
    """What the cell adds to the forget gate at each step."""

    @property
    def releases(self) -> str:
        """As people write them."""
        return " to ".join(dict.fromkeys(f"{major}.{minor}" for major, minor in (self.first, self.last)))


SCHEMES = (
    Scheme(
        (0, 1),
        (0, 1),
        "h{}",
        "b{}",
        ("bidirectional_rnn/fw/basic_lstm_cell", "bidirectional_rnn/bw/basic_lstm_cell"),
        1.0,
    ),
    Scheme((0, 2), (0, 4), "h{}", "b{}", ("lstm_fused_cell",), 1.0),
    Scheme((0, 5), (0, 5), "layer_{}/weights", "layer_{}/bias", ("lstm_fused_cell",), 1.0),
    Scheme((0, 6), LATEST, "layer_{}/weights", "layer_{}/bias", (CELL,), 0.0),
)


def scheme_of(graph: Graph) -> Scheme:
    """The scheme that the tensors of a graph are named by.

    Raises:
        SourceError: none of those there are.
    """
    for scheme in SCHEMES:
        if {scheme.weight.format(1), *(f"{cell}/kernel" for cell in scheme.cells)} <= graph.nodes.keys():
            return scheme
    raise SourceError(f"{graph.place} is no graph of mozilla/DeepSpeech 0.1 to 0.9: it names no tensors as these do")


def features_of(graph: Graph, scheme: Scheme, release: str | None) -> str:
    """The profile of features that a graph was trained on; `release`, as "0.6", decides where the graph does not tell.

    Raises:
        UsageError: `release` is none, or is not what the graph tells, or is wanted and not given.
        SourceError: the graph's own features are none of those there are.
    """
    told = _told(graph, scheme)
    if release is None:
        if told is None:
            raise UsageError(
                f"{graph.place} is of mozilla/DeepSpeech {scheme.releases}, and does not tell of which of them, "
                "though their features differ: say it with --release, as --release 0.6"
            )
        return told
    number = _number(release)
    given = PROFILES[max(first for first in PROFILES if first <= number)]
    if not scheme.first <= number <= scheme.last or told not in (None, given):
        like = "" if told is None else f", with the features {told}"
        raise UsageError(
            f"--release {release}: {graph.place} is of mozilla/DeepSpeech {scheme.releases}{like}; leave --release out"
        )
    return given


def _number(release: str) -> Release:
    """Between the first and the last there is, for 0.0 is like 0.1 and what came after 0.9 like that."""
    match = re.fullmatch(r"v?(\d{1,3})\.(\d{1,3})(\.\S*)?", release)
    if match is None:
        raise UsageError(f"--release {release} is no release of mozilla/DeepSpeech, as 0.6")
    return min(max(min(PROFILES), (int(match[1]), int(match[2]))), LATEST)


def _told(graph: Graph, scheme: Scheme) -> str | None:
    if scheme.last < (0, 2):
        return PROFILES[scheme.first]
    if scheme.last < (0, 5):
        return PROFILES[(0, 4) if graph.operation("Softmax") else (0, 2)]
    if (mfcc := graph.operation("Mfcc")) is not None:
        return _by_limit(graph, mfcc.attr["upper_frequency_limit"].f or DEFAULT_LIMIT)
    if scheme.last == (0, 5):
        return PROFILES[(0, 5)]
    return PROFILES[(0, 7)] if graph.text("metadata_alphabet") else None


def _by_limit(graph: Graph, limit_hz: float) -> str:
    if limit_hz not in LIMITS:
        known = " and ".join(f"{one:g}" for one in LIMITS)
        raise SourceError(
            f"{graph.place} was trained on mel filters up to {limit_hz:g} Hz; there are features with {known} Hz"
        )
    return LIMITS[limit_hz]
