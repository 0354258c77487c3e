"""ONNX file: an exported model that hears, by onnxruntime. No torch.

    model.onnx                   whole utterances
    model.stream.onnx            pieces of a stream, of a model that hears forwards; beside it
    model.int8.onnx, model.int8.stream.onnx

A file is read and found whole (`exporting/wire.py`) before the runtime sees it.

Axes: B utterances, N samples, T steps, V labels.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as states

from ...manifests import Alphabet, DataError, TrainingError, UsageError
from ...pipeline.sound.audio import FULL_SCALE, Pcm
from ...pipeline.workers import available
from ..decoding.decoder import LogProbs
from ..exporting.facts import INT8, KEY, NEXT, STREAM, WHOLE, Facts, facts_of
from ..exporting.wire import facts_in, read_facts

NAME = "model.onnx"
"""In an exported folder."""
ERRORS = (
    states.EPFail,
    states.Fail,
    states.InvalidArgument,
    states.InvalidGraph,
    states.InvalidProtobuf,
    states.NoSuchFile,
    states.NotImplemented,
    states.RuntimeException,
)
"""onnxruntime's, which share no class but Exception."""
FATAL = 4
"""Of onnxruntime's log: what is wrong, we say ourselves."""


class Net:
    """A graph that onnxruntime computes, and what its file says of it."""

    def __init__(self, source: Path | bytes, place: Path, device: str | None, threads: int | None) -> None:
        self.place = place
        self.facts: Facts = read_facts(place) if isinstance(source, Path) else facts_in(memoryview(source), str(place))
        options = onnxruntime.SessionOptions()  # type: ignore[attr-defined]
        options.log_severity_level = FATAL
        options.intra_op_num_threads = threads or available()
        onnxruntime.disable_telemetry_events()  # type: ignore[attr-defined]
        try:
            self._session = onnxruntime.InferenceSession(  # type: ignore[attr-defined]
                str(source) if isinstance(source, Path) else source, options, _providers(device)
            )
        except ERRORS as error:
            raise DataError(f"{place}: this onnxruntime cannot load it: {_told(error)}") from error
        self._names = [one.name for one in self._session.get_outputs()]
        self._check()

    def run(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """The outputs by name."""
        try:
            return dict(zip(self._names, self._session.run(None, inputs), strict=True))
        except ERRORS as error:
            raise DataError(f"{self.place}: onnxruntime cannot compute it: {_told(error)}") from error

    def _check(self) -> None:
        """Make sure that the graph is one of those that its facts speak of."""
        told = self._session.get_modelmeta().custom_metadata_map.get(KEY, "")
        if facts_of(told, str(self.place)) != self.facts:
            raise DataError(f"{self.place} was replaced while it was opened: type the same command again")
        held = self.facts.feeding.state if self.facts.feeding else ()
        inputs, outputs = {"samples", "lengths"}, {"log_probs", "steps"}
        if self.facts.kind == STREAM:
            inputs = {"samples", "last", *(one.name for one in held)}
            outputs = {"log_probs", "used", *(one.name + NEXT for one in held)}
        labels = [one.shape[-1] for one in self._session.get_outputs() if one.name == "log_probs"]
        found = {one.name for one in self._session.get_inputs()}, set(self._names)
        if found != (inputs, outputs) or labels != [self.facts.alphabet.size]:
            raise DataError(f"{self.place} does not hold the graph that it speaks of: export it again")


class OnnxModel:
    """An exported model that hears."""

    def __init__(self, net: Net, following: Callable[[], Net]) -> None:
        self._net, self._following = net, following
        self._stream: Net | None = None

    @property
    def facts(self) -> Facts:
        """What its file says of itself."""
        return self._net.facts

    @property
    def alphabet(self) -> Alphabet:
        """What it writes with."""
        return self.facts.alphabet

    def log_probs(self, clips: Sequence[Pcm]) -> list[LogProbs]:
        """What it makes of each clip, TV, which does not depend on the others.

        They are one batch, but for int8, whose rounding depends on all that is in a batch: there each is alone.

        Raises:
            TrainingError: its outputs are no numbers.
        """
        if self.facts.numbers == INT8 and len(clips) > 1:
            return [one_TV for clip in clips for one_TV in self.log_probs([clip])]
        lengths_B = np.array([len(pcm) for pcm in clips], np.int64)
        if not len(lengths_B):
            return []
        samples_BN = np.zeros((len(clips), max(1, *lengths_B)), np.float32)
        for row, pcm in zip(samples_BN, clips, strict=True):
            row[: len(pcm)] = pcm
        samples_BN /= FULL_SCALE
        found = self._net.run({"samples": samples_BN, "lengths": lengths_B})
        return [_numbers(one_TV[:count]) for one_TV, count in zip(found["log_probs"], found["steps"], strict=True)]

    def stream(self) -> "OnnxStream":
        """A new stream.

        Raises:
            UsageError: the model needs the whole utterance, or the file for streams is not beside it.
            DataError: that file is not of the same model.
        """
        if self.facts.whole_only:
            raise UsageError(
                f"{self._net.place} hears no stream, for {self.facts.whole_only}: "
                "train one as the presets ds1-uni and ds2-uni, forwards only and without whitening"
            )
        if self._stream is None:
            stream = self._following()
            if stream.facts.checkpoint != self.facts.checkpoint:
                raise DataError(f"{stream.place} is of another model than {self._net.place}: export both again")
            self._stream = stream
        return OnnxStream(self._stream)


class OnnxStream:
    """One utterance that is heard while it comes."""

    def __init__(self, net: Net) -> None:
        assert net.facts.feeding  # whoever opened it has looked
        self._net, self._feeding = net, net.facts.feeding
        self._labels = net.facts.alphabet.size
        self._state = {one.name: np.zeros(one.shape, one.type) for one in self._feeding.state}
        self._samples_N = np.zeros(0, np.float32)
        self._begun = self._over = False

    def feed(self, pcm_N: Pcm) -> LogProbs:
        """The steps that are certain now that these samples have come; there may be none.

        Raises:
            TrainingError: the model's outputs are no numbers.
            UsageError: the stream has ended.
        """
        samples_N = np.concatenate([self._samples_N, pcm_N.astype(np.float32) / FULL_SCALE])
        return self._heard(samples_N, last=False)

    def end(self) -> LogProbs:
        """The steps that are left, for nothing more comes; none if nothing ever came."""
        heard_TV = self._heard(self._samples_N, last=True)
        self._over = True
        return heard_TV

    def _heard(self, samples_N: NDArray[np.float32], last: bool) -> LogProbs:
        """What is handed on changes once all has gone well, so that a piece that was broken off can be fed again."""
        if self._over:
            raise UsageError("this stream has ended: begin another one")
        wanted = self._feeding.next if self._begun else self._feeding.first
        if (not last and len(samples_N) < wanted) or not (self._begun or len(samples_N)):
            self._samples_N = samples_N
            return np.zeros((0, self._labels), np.float32)
        found = self._net.run({"samples": samples_N[None], "last": np.array(last, np.int64), **self._state})
        heard_TV = _numbers(found["log_probs"][0])
        self._samples_N = samples_N[int(found["used"]) :]
        self._state = {name: found[name + NEXT] for name in self._state}
        self._begun = True
        return heard_TV


def open_onnx(place: Path, device: str | None = None, threads: int | None = None) -> OnnxModel:
    """The model in an exported file, or the float32 one in an exported folder, on so many threads.

    Raises:
        DataError: the file is not whole, not ONNX, not ours, of another version, or not for whole utterances.
        UsageError: there is no such device.
    """
    path = place / NAME if place.is_dir() else place
    net = Net(path, path, device, threads)
    if net.facts.kind != WHOLE:
        whole = path.with_name(path.name.replace(".stream.", "."))
        raise DataError(f"{path} hears nothing but pieces of a stream: name {whole}, which finds it by itself")

    def following() -> Net:
        beside = path.with_name(f"{path.stem}.stream{path.suffix}")
        if not beside.exists():
            raise UsageError(f"{beside} is not there, which hears streams: put it beside {path.name}, or export again")
        found = Net(beside, beside, device, threads)
        if found.facts.kind != STREAM or not found.facts.feeding:
            raise DataError(f"{beside} does not hear streams: export it again")
        return found

    return OnnxModel(net, following)


def _providers(device: str | None) -> list[str]:
    """onnxruntime's names for a device; without one, CUDA if this onnxruntime has it, else the CPU."""
    cuda = "CUDAExecutionProvider" in onnxruntime.get_available_providers()  # type: ignore[attr-defined]
    if device not in (None, "cpu", "cuda"):
        raise UsageError(f"--device {device}: an exported model is computed on cpu or cuda")
    if device == "cuda" and not cuda:
        raise UsageError("--device cuda: this onnxruntime has no CUDA: pip install onnxruntime-gpu, or name cpu")
    return ["CUDAExecutionProvider", "CPUExecutionProvider"] if cuda and device != "cpu" else ["CPUExecutionProvider"]


def _numbers(log_probs_TV: LogProbs) -> LogProbs:
    if not np.isfinite(log_probs_TV).all():
        raise TrainingError("the model's outputs are no numbers: its training went astray, begin a new run")
    return log_probs_TV


def _told(error: Exception) -> str:
    """What onnxruntime says, in one line."""
    return " ".join(str(error).split())[:300]
