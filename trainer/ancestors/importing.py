"""Importing: a model of an ancestor becomes a run, which can be evaluated and trained further like any other.

    output_graph.pb          alphabet.txt beside it, if that is there
    deepspeech-0.6.1-models.tar.gz    models/output_graph.pb and models/alphabet.txt in it
    deepspeech-0.9.3-models.pbmm
    model.pth, librispeech_pretrained_v3.ckpt

What is made is RUN/checkpoints/00000-000000.safetensors with its record: a checkpoint before the first step.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from ...manifests import Alphabet, Progress, SourceError, UsageError, read_alphabet, silent
from ...pipeline.archive import content, members, open_tar, reading
from ...pipeline.commit import sweep, writing
from ...pipeline.hashing import digests
from ..config import Config, config_of
from ..models import Model, build_model
from ..training.checkpoint import checkpoints, save
from ..training.standing import Origin, Standing
from .ancestor import Ancestor
from .deepspeech_pytorch import read_deepspeech_pytorch
from .frozen_graph import read_graph
from .mozilla import read_mozilla
from .torch_files import read_torch_file, room_in

GRAPHS = ("output_graph.pb", "output_graph.pbmm")
"""In an archive of mozilla/DeepSpeech, the first that is there."""
ALPHABET = "alphabet.txt"
LARGEST_ALPHABET, LARGEST_GRAPH = 1 << 20, 1 << 31
"""Bytes of a member that is taken into memory; protobuf has no messages beyond the second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What was made of a model."""

    origin: str
    config: Config
    alphabet: Alphabet
    parameters: int
    """Numbers that are trained."""
    checkpoint: Path


def import_model(
    source: Path,
    run: Path,
    release: str | None = None,
    alphabet: Alphabet | None = None,
    progress: Progress = silent,
) -> Imported:
    """Make `run` of the model in `source`, whose kind is told by what it is.

    `release`, as "0.6", is wanted where the file does not tell its own; `alphabet` where it has none and none is
    beside it.

    Raises:
        SourceError: the file is damaged, or no model that can be imported; nothing in it is ever run.
        UsageError: `run` is a run already, or `release` or `alphabet` is wanted or is not the model's.
        MissingExtraError: a frozen graph needs the extra `tensorboard`.
        OutputError: `run` cannot be written.
    """
    if checkpoints(run):
        raise UsageError(f"{run} is a run already: name another folder for the model")
    with writing(run):
        run.mkdir(parents=True, exist_ok=True)
        sweep(run)
    ancestor = _read(source, run, release, alphabet, progress)
    config = config_of(Config(features=ancestor.features, model=ancestor.model).facts(), str(source))
    model = _model(config, ancestor, str(source))
    with reading(source):
        origin = Origin(name=source.name, sha256=digests(source, ["sha256"], "hashing", progress)["sha256"])
    return Imported(
        origin=ancestor.origin,
        config=config,
        alphabet=ancestor.alphabet,
        parameters=sum(one.numel() for one in model.parameters() if one.requires_grad),
        checkpoint=_saved(run, config, ancestor.alphabet, model, origin),
    )


def _read(source: Path, run: Path, release: str | None, alphabet: Alphabet | None, progress: Progress) -> Ancestor:
    with reading(source), source.open("rb") as file:
        head = file.read(512)
    if source.suffix in (".pb", ".pbmm"):
        beside = source.with_name(ALPHABET)
        own = read_alphabet(beside) if alphabet is None and beside.is_file() else None
        with reading(source):
            graph = read_graph(source.read_bytes(), str(source))
        return read_mozilla(graph, release, alphabet, own)
    if head.startswith(b"\x1f\x8b") or head[257:262] == b"ustar":
        return _read_archive(source, release, alphabet, progress)
    if head[4:8] == b"TFL3":
        raise SourceError(
            f"{source} holds rounded weights, for TensorFlow Lite: import the .pb or .pbmm of that release"
        )
    return read_deepspeech_pytorch(read_torch_file(source, room_in(run)), str(source), release, alphabet)


def _read_archive(source: Path, release: str | None, alphabet: Alphabet | None, progress: Progress) -> Ancestor:
    found = _members(source, progress)
    name = next((name for name in GRAPHS if name in found), None)
    if name is None:
        raise SourceError(f"{source} holds no {' or '.join(GRAPHS)}: unpack it, and name the file with the model")
    own = _alphabet_in(found[ALPHABET]) if ALPHABET in found else None
    return read_mozilla(read_graph(found[name], f"{source}: {name}"), release, alphabet, own)


def _members(source: Path, progress: Progress) -> Mapping[str, bytes]:
    """What is wanted of an archive, by the last part of its names. The rest is read too, to know that it is whole."""
    found: dict[str, bytes] = {}
    with open_tar(source, "", progress) as (tar, stream):
        for member in members(tar, stream, source):
            name = PurePosixPath(member.name).name
            if name not in (*GRAPHS, ALPHABET) or name in found or (name == GRAPHS[1] and GRAPHS[0] in found):
                continue
            if member.size > (LARGEST_ALPHABET if name == ALPHABET else LARGEST_GRAPH):
                raise SourceError(f"{source}: {member.name} has {member.size} bytes, too many for what it should be")
            found[name] = content(tar, member).read()
    return found


def _alphabet_in(data: bytes) -> Alphabet:
    with TemporaryDirectory() as folder:
        path = Path(folder) / ALPHABET
        path.write_bytes(data)
        return read_alphabet(path)


def _model(config: Config, ancestor: Ancestor, place: str) -> Model:
    """Our network with the ancestor's weights, once they are known to be all of it."""
    with torch.device("meta"):
        model = build_model(config, ancestor.inputs, ancestor.alphabet.size)
    wanted = {name: list(one.shape) for name, one in model.state_dict().items()}
    given = {name: list(one.shape) for name, one in ancestor.weights.items()}
    if wanted != given:
        name = min(name for name in {*wanted, *given} if wanted.get(name) != given.get(name))
        raise SourceError(f"{place}: weights for our {name} are {given.get(name)}, and should be {wanted.get(name)}")
    if infinite := [name for name, one in ancestor.weights.items() if not _finite(one)]:
        raise SourceError(f"{place} is damaged: our {infinite[0]} would hold what is no number; fetch it again")
    model.load_state_dict(dict(ancestor.weights), assign=True)
    return model


def _finite(weights: Tensor) -> bool:
    return bool(torch.isfinite(weights).all())


def _saved(run: Path, config: Config, alphabet: Alphabet, model: Model, origin: Origin) -> Path:
    """The checkpoint of a run that has not begun: no data, no epoch, no step, no optimiser."""
    return save(run, Standing(config=config, alphabet=alphabet, data="", dev="", origin=origin), model)
