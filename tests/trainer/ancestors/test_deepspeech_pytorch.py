"""deepspeech.pytorch: state_dicts of its names and shapes, as torch.save writes them, against PyTorch's own layers."""

import sys
from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dsprep.manifests import Alphabet, SourceError, UsageError
from dsprep.trainer.ancestors.ancestor import Ancestor, in_small_letters
from dsprep.trainer.ancestors.deepspeech_pytorch import read_deepspeech_pytorch
from dsprep.trainer.ancestors.torch_files import Package, read_torch_file
from dsprep.trainer.config import DeepSpeech2Config
from dsprep.trainer.models.deepspeech2 import DeepSpeech2

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
LABELS = list("_'ABC ")
HIDDEN, LAYERS, CHANNELS, BINS = 6, 3, 3, 41
CELLS: dict[str, type[nn.LSTM | nn.GRU]] = {"lstm": nn.LSTM, "gru": nn.GRU}


def state_dict(cell: str, bidirectional: bool, inputs: int = BINS * CHANNELS) -> "OrderedDict[str, Tensor]":
    """Random weights and statistics by the names of V3."""
    torch.manual_seed(5)
    found: OrderedDict[str, Tensor] = OrderedDict()

    def put(prefix: str, module: nn.Module) -> None:
        for name, one in module.state_dict().items():
            trained = torch.rand_like(one.float()) + 0.5 if isinstance(module, NORMS) else 2 * one
            found[f"{prefix}.{name}"] = trained if one.is_floating_point() else one + 7

    put("conv.seq_module.0", nn.Conv2d(1, CHANNELS, (41, 11)))
    put("conv.seq_module.1", nn.BatchNorm2d(CHANNELS))
    put("conv.seq_module.3", nn.Conv2d(CHANNELS, CHANNELS, (21, 11)))
    put("conv.seq_module.4", nn.BatchNorm2d(CHANNELS))
    for layer in range(LAYERS):
        if layer:
            put(f"rnns.{layer}.batch_norm.module", nn.BatchNorm1d(HIDDEN))
        size = HIDDEN if layer else inputs
        put(f"rnns.{layer}.rnn", CELLS[cell](size, HIDDEN, bidirectional=bidirectional))
    if not bidirectional:
        put("lookahead.0.conv", nn.Conv1d(HIDDEN, HIDDEN, 4, groups=HIDDEN, bias=False))
    put("fc.0.module.0", nn.BatchNorm1d(HIDDEN))
    put("fc.0.module.1", nn.Linear(HIDDEN, len(LABELS), bias=False))
    return found


def expected(state: dict[str, Tensor], cell: str, bidirectional: bool, spectrogram_FT: Tensor) -> Tensor:
    """The logits_TV of one utterance by PyTorch's layers, in the order in which the ancestor has them."""

    def norm(x: Tensor, name: str) -> Tensor:
        mean, variance = state[f"{name}.running_mean"], state[f"{name}.running_var"]
        return F.batch_norm(x, mean, variance, state[f"{name}.weight"], state[f"{name}.bias"])

    def conv(x: Tensor, number: int, stride: tuple[int, int], padding: tuple[int, int]) -> Tensor:
        name = f"conv.seq_module.{number}"
        x = F.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], stride, padding)
        return norm(x, f"conv.seq_module.{number + 1}").clamp(0, 20)

    x = conv(conv(spectrogram_FT[None, None], 0, (2, 2), (20, 5)), 3, (2, 1), (10, 5))
    x = x.flatten(1, 2)[0].T
    for layer in range(LAYERS):
        x = norm(x, f"rnns.{layer}.batch_norm.module") if layer else x
        rnn = CELLS[cell](x.shape[1], HIDDEN, bidirectional=bidirectional)
        prefix = f"rnns.{layer}.rnn."
        rnn.load_state_dict({n.removeprefix(prefix): one for n, one in state.items() if n.startswith(prefix)})
        heard = rnn(x)[0]
        x = heard[:, :HIDDEN] + heard[:, HIDDEN:] if bidirectional else heard
    if not bidirectional:
        padded = F.pad(x.T[None], (0, 3))
        x = F.conv1d(padded, state["lookahead.0.conv.weight"], groups=HIDDEN)[0].T.clamp(0, 20)
    return F.linear(norm(x, "fc.0.module.0"), state["fc.0.module.1.weight"])


def package(state: Any, **more: Any) -> dict[str, Any]:
    audio = {"sample_rate": 16000, "window_size": 0.02, "window_stride": 0.01, "window": "hamming", "noise_dir": None}
    made = {"version": "0.0.1", "hidden_size": HIDDEN, "audio_conf": audio, "labels": LABELS, "state_dict": state}
    return {**made, "optim_dict": {"state": {0: {"momentum_buffer": torch.rand(9)}}}, "avg_loss": np.float64(3), **more}


def read(tmp_path: Path, saved: Any, release: str | None = None, old: bool = False) -> Ancestor:
    path = tmp_path / "model.pth"
    torch.save(saved, path, _use_new_zipfile_serialization=not old)
    return read_deepspeech_pytorch(read_torch_file(path, tmp_path / "room"), "model.pth", release, None)


def check(ancestor: Ancestor, state: dict[str, Tensor], cell: str, bidirectional: bool) -> None:
    """That our network, with utterances in a batch, has the ancestor's logits."""
    assert isinstance(ancestor.model, DeepSpeech2Config)
    assert (ancestor.model.cell, ancestor.model.bidirectional) == (cell, bidirectional)
    assert ancestor.alphabet == Alphabet(tuple("'ABC "), 0)
    model = DeepSpeech2(ancestor.model, 161, ancestor.alphabet.size).eval()
    model.load_state_dict(dict(ancestor.weights))
    torch.manual_seed(6)
    features_BTF, frames = 2 * torch.randn(3, 50, 161), [50, 33, 8]
    for row, count in zip(features_BTF, frames, strict=True):
        row[count:] = 0
    with torch.inference_mode():
        logits_BTV, steps = model(features_BTF, frames)
        for index, (count, step) in enumerate(zip(frames, steps, strict=True)):
            alone = expected(state, cell, bidirectional, features_BTF[index, :count].T)
            assert alone.std(0).max() > 0.02, "logits that change with time"
            assert (logits_BTV[index, :step] - alone).abs().max() < 1e-5


@pytest.mark.parametrize("old", [False, True], ids=["zip", "old layout"])
@pytest.mark.parametrize(("cell", "bidirectional"), [("lstm", True), ("gru", True), ("lstm", False), ("gru", False)])
def test_the_logits_are_those_of_the_layers_of_pytorch(
    tmp_path: Path, cell: str, bidirectional: bool, old: bool
) -> None:
    state = state_dict(cell, bidirectional)
    check(read(tmp_path, package(state), old=old), state, cell, bidirectional)


def test_names_of_parallel_training_and_of_early_releases_are_the_same_weights(tmp_path: Path) -> None:
    state = state_dict("lstm", False)
    early = {name.replace("seq_module.", ""): one for name, one in state.items() if "num_batches" not in name}
    early["lookahead.0.weight"] = early.pop("lookahead.0.conv.weight")[:, 0]
    early |= {f"rnns.0.batch_norm.module.{name}": torch.rand(HIDDEN) for name in ("weight", "bias", "running_mean")}
    for name in [name for name in early if ".rnn.bias" in name]:
        del early[name]
        state[name] = torch.zeros_like(state[name])
    saved = package({f"module.{name}": one for name, one in early.items()})
    check(read(tmp_path, saved, old=True), state, "lstm", False)


def test_weights_that_share_a_storage_as_on_a_gpu_are_told_apart(tmp_path: Path) -> None:
    state = state_dict("lstm", True)
    names = [name for name in state if name.startswith("rnns.1.rnn")]
    flat = torch.cat([state[name].flatten() for name in names])
    parts = torch.split(flat, [state[name].numel() for name in names])
    shared = state | {name: part.view_as(state[name]) for name, part in zip(names, parts, strict=True)}
    assert len({one.untyped_storage().data_ptr() for one in shared.values()}) < len(state) - 5
    check(read(tmp_path, package(shared)), state, "lstm", True)


def test_half_precision_becomes_float32(tmp_path: Path) -> None:
    state = state_dict("gru", True)
    half = {name: one.half() if one.is_floating_point() else one for name, one in state.items()}
    rounded = {name: one.float() if one.is_floating_point() else one for name, one in half.items()}
    check(read(tmp_path, package(half)), rounded, "gru", True)


class Stored:
    """What OmegaConf's objects look like to pickle: attributes, and no more."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


@pytest.fixture
def lightning(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The classes that a checkpoint of V3 holds, in modules of their names, while it is written."""

    def home(module: str, *classes: Any) -> None:
        names = module.split(".")
        for count in range(1, len(names) + 1):
            name = ".".join(names[:count])
            made = sys.modules.get(name) if count < len(names) else None
            monkeypatch.setitem(sys.modules, name, made or ModuleType(name))
        for one in classes:
            one.__module__, one.__qualname__ = module, one.__name__
            setattr(sys.modules[module], one.__name__, one)

    class DictConfig(Stored): ...

    class ListConfig(Stored): ...

    class ContainerMetadata(Stored): ...

    class AnyNode(Stored): ...

    class EnumNode(Stored): ...

    class AttributeDict(dict[str, Any]): ...

    class ModelCheckpoint: ...

    class SpectrogramWindow(Enum):
        hamming = "hamming"

    class RNNType(Enum):
        lstm = nn.LSTM

    @dataclass
    class SpectConfig:
        sample_rate: int

    home("omegaconf.dictconfig", DictConfig)
    home("omegaconf.listconfig", ListConfig)
    home("omegaconf.base", ContainerMetadata)
    home("omegaconf.nodes", AnyNode, EnumNode)
    home("pytorch_lightning.utilities.parsing", AttributeDict)
    home("pytorch_lightning.callbacks.model_checkpoint", ModelCheckpoint)
    home("deepspeech_pytorch.enums", SpectrogramWindow, RNNType)
    home("deepspeech_pytorch.configs.train_config", SpectConfig)

    def config(object_type: Any, **content: Any) -> DictConfig:
        metadata = ContainerMetadata(ref_type=Any, object_type=object_type, key_type=str, element_type=Any)
        made = DictConfig(_metadata=metadata, _parent=None, _content={})
        for name, value in content.items():
            node = EnumNode if isinstance(value, Enum) else AnyNode
            made.__dict__["_content"][name] = node(_metadata=metadata, _parent=made, _val=value)
        return made

    def checkpoint(state: Any, rate: int = 16000) -> dict[str, Any]:
        spect = config(
            SpectConfig, sample_rate=rate, window_size=0.02, window_stride=0.01, window=SpectrogramWindow.hamming
        )
        model = config(SpectConfig, rnn_type=RNNType.lstm, hidden_size=HIDDEN)
        labels = ListConfig(_metadata=None, _parent=None, _content=[AnyNode(_val=one) for one in LABELS])
        return {
            "epoch": 3,
            "pytorch-lightning_version": "1.0.8",
            "callbacks": {ModelCheckpoint: {"best_model_score": torch.tensor(9.0)}},
            "optimizer_states": [{"state": {0: {"step": 5, "exp_avg": torch.rand(3)}}}],
            "state_dict": state,
            "hparams_name": "kwargs",
            "hyper_parameters": AttributeDict(labels=labels, model_cfg=model, precision=16, spect_cfg=spect),
        }

    return checkpoint


def test_a_checkpoint_of_lightning_has_its_settings_in_objects_of_omegaconf(tmp_path: Path, lightning: Any) -> None:
    state = state_dict("lstm", True)
    found = read(tmp_path, lightning(state))
    check(found, state, "lstm", True)
    assert (found.origin, found.features) == ("deepspeech.pytorch 3.0", "log-spectrogram")
    with pytest.raises(SourceError, match="sample_rate = 8000"):
        read(tmp_path, lightning(state, rate=8000))


def test_features_are_those_of_the_release_and_a_word_from_the_user_decides(tmp_path: Path, lightning: Any) -> None:
    two = package(state_dict("gru", True))
    later = {name: one for name, one in two.items() if name != "version"}
    assert read(tmp_path, two).features == read(tmp_path, later, "2.0").features == "log-spectrogram-2.0"
    assert read(tmp_path, later).features == read(tmp_path, two, "V2.1").features == "log-spectrogram"
    for saved, release in (
        (two, "3.0"),
        (lightning(state_dict("gru", True)), "2.0"),
        (two, "two"),
        (two, "1.0"),
        (two, "2.7"),
    ):
        with pytest.raises(UsageError, match=f"--release {release}"):
            read(tmp_path, saved, release)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"audio_conf": {"window": "hann"}}, "window = 'hann'"),
        ({"audio_conf": {"window_stride": 0.02}}, "window_stride = 0.02"),
        ({"labels": "ABCDEF"}, "labels"),
        ({"labels": list("_AAB' ")}, "no alphabet"),
        ({"labels": list("_AB' ")}, "5 labels, and weights for 6"),
        ({"labels": 5}, "labels"),
        ({"labels": list("_ABC\n'")}, "labels that no text has"),
        ({"labels": list("_ABC\ud800'")}, "labels that no text has"),
        ({"audio_conf": [1, 2]}, "does not say its features"),
        ({"audio_conf": []}, "does not say its features"),
        ({"labels": ["_", "x" * 50_000]}, r"^.{1,300}$"),
        ({"state_dict": {"x" * 50_000: torch.zeros(2)}}, r"^.{1,300}$"),
        ({"state_dict": {f"rnns.{'9' * 50_000}.rnn.weight_ih_l0": torch.zeros(2)}}, r"^.{1,300}$"),
        ({"state_dict": {f"conv.0.{'9' * 50_000}": torch.zeros(2)}}, r"^.{1,300}$"),
        (
            {"state_dict": {name: torch.zeros(1) for name in ("fc.0.module.0.bias", "module.fc.0.module.0.bias")}},
            "twice, under two names",
        ),
        ({"audio_conf": {"sample_rate": [0] * 50_000}}, r"^.{1,300}$"),
        ({"state_dict": {}}, "no state_dict"),
        ({"state_dict": {"a": torch.zeros(2)}}, "none|no model of deepspeech.pytorch"),
        ({"state_dict": {"fc.0.module.1.weight": torch.zeros(2, 2)}}, "no weights for our layers.0"),
        ({"state_dict": state_dict("lstm", True, inputs=21 * CHANNELS)}, r"v1\.2 or earlier"),
    ],
    ids=range(20),
)
def test_a_package_that_our_network_cannot_be_is_refused(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(SourceError, match=said):
        read(tmp_path, package(state_dict("lstm", True)) | change)


def test_another_alphabet_is_refused() -> None:
    found = Package(state_dict("lstm", True), {"labels": LABELS, "version": "0.0.1"})
    with pytest.raises(UsageError, match="--alphabet"):
        read_deepspeech_pytorch(found, "x.pth", None, Alphabet(("A",), 0))
    for given in ("'ABC ", "'abc "):
        ancestor = read_deepspeech_pytorch(found, "x.pth", None, Alphabet(tuple(given), 0))
        assert ancestor.alphabet == Alphabet(tuple(given), 0)


@pytest.mark.parametrize(
    ("characters", "small"),
    [("AB '", "ab '"), ("ÄSß", "äsß"), ("ab", None), ("АБВ", "абв"), ("Ab", None), ("SsTt", None), ("İI", None)],
)
def test_an_alphabet_of_capitals_alone_has_small_letters_of_the_same_sounds(characters: str, small: str | None) -> None:
    expected = Alphabet(tuple(small), 0) if small else None
    assert in_small_letters(Alphabet(tuple(characters), 0)) == expected
