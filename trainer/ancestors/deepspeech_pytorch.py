"""SeanNaren/deepspeech.pytorch: a package (.pth) or a checkpoint of Lightning (.ckpt) as a DeepSpeech 2 of ours.

    conv.seq_module.0.weight                   conv1.weight          up to v1.2 conv.0.weight
    rnns.1.batch_norm.module.running_mean      layers.1.norm.running_mean
    rnns.1.rnn.weight_ih_l0_reverse            layers.1.recurrent.backwards.weight_ih_l0
    lookahead.0.conv.weight [H, 1, 20]         lookahead.conv.weight          up to v1.2 lookahead.0.weight [H, 20]
    fc.0.module.1.weight                       dense.weight

Both are PyTorch, so that weights are taken as they are. Layers of v1.2 have no bias, ours a bias of 0; a statistic that
it kept for the first layer, which has no batch normalisation, is dropped. Its convolutions had no padding over the
frequencies (672 inputs to the first layer, not 1312), which our network cannot be.

Source: SeanNaren/deepspeech.pytorch model.py at v1.2, v2.0, deepspeech_pytorch/model.py at V2.1, V3.0.
"""

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ...manifests import Alphabet, SourceError, UsageError
from ...manifests.ctc import RATE
from ..config import DeepSpeech2Config
from .ancestor import Ancestor, check_written, in_small_letters
from .torch_files import Package
from .unpickling.reader import shown

NAMES = (
    (r"(?:module\.)?conv\.(?:seq_module\.)?0\.(weight|bias)", r"conv1.\1"),
    (r"(?:module\.)?conv\.(?:seq_module\.)?1\.(\w{1,20})", r"norm1.\1"),
    (r"(?:module\.)?conv\.(?:seq_module\.)?3\.(weight|bias)", r"conv2.\1"),
    (r"(?:module\.)?conv\.(?:seq_module\.)?4\.(\w{1,20})", r"norm2.\1"),
    (r"(?:module\.)?rnns\.(\d{1,3})\.rnn\.(\w{1,20}_l0)_reverse", r"layers.\1.recurrent.backwards.\2"),
    (r"(?:module\.)?rnns\.(\d{1,3})\.rnn\.(\w{1,20}_l0)", r"layers.\1.recurrent.forwards.\2"),
    (r"(?:module\.)?rnns\.0\.batch_norm\..*", r""),
    (r"(?:module\.)?rnns\.(\d{1,3})\.batch_norm\.module\.(\w{1,20})", r"layers.\1.norm.\2"),
    (r"(?:module\.)?lookahead\.0\.(?:conv\.)?weight", r"lookahead.conv.weight"),
    (r"(?:module\.)?fc\.0\.module\.0\.(\w{1,20})", r"norm.\1"),
    (r"(?:module\.)?fc\.0\.module\.1\.weight", r"dense.weight"),
)
"""Their names, and ours; nothing for what is dropped."""
CELLS = {4: "lstm", 3: "gru"}
"""By the gates that a layer's weights are for."""
FIRST = "layers.0.recurrent.forwards.weight_ih_l0"
INPUTS, UNPADDED = 161, 21
"""Frequencies that the network hears, and what convolutions without padding leave of them; ours leave 41."""
SETTINGS = {"sample_rate": RATE, "window_size": 0.02, "window_stride": 0.01, "window": "hamming"}
"""Of their features, in Hz and seconds."""


def read_deepspeech_pytorch(package: Package, place: str, release: str | None, alphabet: Alphabet | None) -> Ancestor:
    """The model in a package.

    Raises:
        SourceError: it is none of deepspeech.pytorch's, or one that our network or features cannot be.
        UsageError: `release` or `alphabet` is not the package's.
    """
    weights = _named(package.weights, place)
    _check_settings(package.facts, place)
    config = _config(weights, place)
    origin, features = _release(package.facts, release, place)
    found = _alphabet(package.facts, alphabet, place)
    if found.size != len(weights["dense.weight"]):
        raise SourceError(f"{place} has {found.size} labels, and weights for {len(weights['dense.weight'])}")
    return Ancestor(
        origin=origin,
        features=features,
        model=config,
        inputs=INPUTS,
        alphabet=found,
        spelt="the model's own",
        weights=_filled(weights, config),
    )


def _named(weights: Mapping[str, Tensor], place: str) -> dict[str, Tensor]:
    found = {}
    for name, tensor in weights.items():
        ours = next((re.sub(theirs, our, name) for theirs, our in NAMES if re.fullmatch(theirs, name)), None)
        if ours is None:
            raise SourceError(f"{place} is no model of deepspeech.pytorch: these have no {shown(name)}")
        if ours in found:
            raise SourceError(f"{place} has our {ours} twice, under two names")
        if ours:
            found[ours] = tensor.float() if tensor.is_floating_point() else tensor
    for needed in (FIRST, FIRST.replace("_ih_", "_hh_"), "conv1.weight", "dense.weight"):
        if needed not in found or found[needed].dim() < 2:
            raise SourceError(f"{place} is no model of deepspeech.pytorch: it has no weights for our {needed}")
    if found.get("lookahead.conv.weight", torch.empty(0)).dim() == 2:
        found["lookahead.conv.weight"] = found["lookahead.conv.weight"][:, None]
    return found


def _config(weights: Mapping[str, Tensor], place: str) -> DeepSpeech2Config:
    hidden = weights[FIRST.replace("_ih_", "_hh_")].shape[1]
    gates, channels = weights[FIRST].shape[0] // max(1, hidden), weights["conv1.weight"].shape[0]
    if gates not in CELLS:
        raise SourceError(f"{place} has layers of plain recurrent cells, or of none; ours are lstm or gru")
    if weights[FIRST].shape[1] == UNPADDED * channels:
        raise SourceError(
            f"{place} is of deepspeech.pytorch v1.2 or earlier, whose convolutions had no padding over the "
            "frequencies: our network cannot be it; import a model of 2.0 or later"
        )
    bidirectional = any(".backwards." in name for name in weights)
    lookahead = weights.get("lookahead.conv.weight")
    return DeepSpeech2Config(
        channels=channels,
        hidden=hidden,
        layers=sum(name.endswith("forwards.weight_ih_l0") for name in weights),
        cell=CELLS[gates],
        bidirectional=bidirectional,
        lookahead=DeepSpeech2Config().lookahead if lookahead is None else lookahead.shape[-1],
    )


def _filled(weights: dict[str, Tensor], config: DeepSpeech2Config) -> dict[str, Tensor]:
    """With what early releases did not have: biases, here 0, and counts of batches."""
    ways = ("forwards", "backwards") if config.bidirectional else ("forwards",)
    for layer in range(config.layers):
        for way in ways:
            home = f"layers.{layer}.recurrent.{way}"
            rows = weights[f"{home}.weight_ih_l0"].shape[0] if f"{home}.weight_ih_l0" in weights else 0
            for bias in ("bias_ih_l0", "bias_hh_l0"):
                weights.setdefault(f"{home}.{bias}", torch.zeros(rows))
    for name in [name for name in weights if name.endswith(".running_mean")]:
        weights.setdefault(name.replace("running_mean", "num_batches_tracked"), torch.tensor(0))
    return weights


def _check_settings(facts: Mapping[str, Any], place: str) -> None:
    more = facts.get("hyper_parameters")
    told = more.get("spect_cfg") if isinstance(more, dict) else None
    found = facts.get("audio_conf", {}) if told is None else told
    if not isinstance(found, dict):
        raise SourceError(f"{place} does not say its features, where those of deepspeech.pytorch do")
    for name, wanted in SETTINGS.items():
        if found.get(name, wanted) != wanted:
            raise SourceError(
                f"{place} was trained with {name} = {shown(found[name])}; features with {wanted} are read, "
                "those of every released model"
            )


def _release(facts: Mapping[str, Any], release: str | None, place: str) -> tuple[str, str]:
    """(what it is, features). Packages of 2.0 say a version, those of 2.1 do not, checkpoints have hyper_parameters."""
    told = "3.0" if "hyper_parameters" in facts else "2.0" if "version" in facts else "2.1"
    match = re.fullmatch(r"[vV]?(\d{1,3})\.(\d{1,3})(\.\S*)?", release or told)
    if match is None:
        raise UsageError(f"--release {release} is no release of deepspeech.pytorch, as 2.0")
    number = int(match[1]), int(match[2])
    if number not in (((3, 0),) if told == "3.0" else ((2, 0), (2, 1))):
        raise UsageError(f"--release {release}: {place} is of deepspeech.pytorch {told}; leave --release out")
    features = "log-spectrogram-2.0" if number < (2, 1) else "log-spectrogram"
    return f"deepspeech.pytorch {number[0]}.{number[1]}", features


def _alphabet(facts: Mapping[str, Any], given: Alphabet | None, place: str) -> Alphabet:
    """The package's own, which one that is given may spell in small letters."""
    more = facts.get("hyper_parameters")
    labels = facts.get("labels") or (more.get("labels") if isinstance(more, dict) else None)
    if not isinstance(labels, list | str) or "_" not in labels or not all(isinstance(one, str) for one in labels):
        raise SourceError(f"{place} does not say its labels, with '_' for the blank among them")
    blank = labels.index("_")
    try:
        own = Alphabet((*labels[:blank], *labels[blank + 1 :]), blank)
    except ValueError as error:
        raise SourceError(f"{place} has labels that are no alphabet: {str(error)[:80]}") from error
    check_written(own, place)
    if given not in (None, own, in_small_letters(own)):
        raise UsageError(f"{place} has an alphabet, which is not the one of --alphabet: leave that out")
    return given or own
