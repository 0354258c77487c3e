"""Importing: a model of an ancestor becomes a run, which can be evaluated and trained further like any other.

    output_graph.pb          alphabet.txt beside it, if that is there
    deepspeech-0.6.1-models.tar.gz    models/output_graph.pb and models/alphabet.txt in it
    deepspeech-0.9.3-models.pbmm
    model.pth, librispeech_pretrained_v3.ckpt

What is made is RUN/checkpoints/00000-000000.safetensors with its record: a checkpoint before the first step.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import torch

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
    spelt: str
    """Whose the alphabet is, and whether its case was changed."""
    parameters: int
    """Numbers that are trained."""
    checkpoint: Path


def import_model(
    source: Path,
    run: Path,
    release: str | None = None,
    alphabet: Alphabet | None = None,
    progress: Progress = silent,
    keep_case: bool = False,
) -> Imported:
    """Make `run` of the model in `source`, whose kind is told by what it is.

    `release`, as "0.6", is wanted where the file does not tell its own; `alphabet` where it has none and none is
    beside it. A model that writes capitals alone is made to write small letters, as dsprep's texts have them, unless
    `alphabet` or `keep_case` says otherwise.

    Raises:
        SourceError: the file is damaged, or no model that can be imported; nothing in it is ever run.
        UsageError: `run` is a run already, or `release` or `alphabet` is wanted or is not the model's.
        MissingExtraError: a frozen graph needs the extra `tensorboard`.
        OutputError: `run` cannot be written.
    """
    if checkpoints(run):
        raise UsageError(f"{run} is a run already: name another folder for the model")
    if not source.is_file():  # nor is a pipe waited for
        raise SourceError(f"there is no file {source}")
    if run.is_dir():
        sweep(run)
    with writing(run):
        taken = run.exists() and (not run.is_dir() or any(run.iterdir()))
    if taken:
        raise UsageError(f"{run} holds something else: name a folder that is empty or not there")
    ancestor, sha256 = _read(source, run, release, alphabet, progress)
    if alphabet is None and not keep_case:
        ancestor = ancestor.in_small_letters()
    config = config_of(Config(features=ancestor.features, model=ancestor.model).facts(), str(source))
    model = _model(config, ancestor, str(source))
    origin = Origin(name=source.name, sha256=sha256)
    return Imported(
        origin=ancestor.origin,
        config=config,
        alphabet=ancestor.alphabet,
        spelt=ancestor.spelt,
        parameters=sum(one.numel() for one in model.parameters() if one.requires_grad),
        checkpoint=_saved(run, config, ancestor.alphabet, model, origin),
    )


def _read(
    source: Path, run: Path, release: str | None, alphabet: Alphabet | None, progress: Progress
) -> tuple[Ancestor, str]:
    """What is in `source`, and its sha256."""
    with reading(source), source.open("rb") as file:
        head = file.read(512)
    if source.suffix in (".pb", ".pbmm"):
        return _read_graph(source, release, alphabet)
    if head.startswith(b"\x1f\x8b") or head[257:262] == b"ustar":
        found = _read_archive(source, release, alphabet, progress)
    elif head[4:8] == b"TFL3":
        raise SourceError(
            f"{source} holds rounded weights, for TensorFlow Lite: import the .pb or .pbmm of that release"
        )
    else:
        package = read_torch_file(source, room_in(run))
        found = read_deepspeech_pytorch(package, str(source), release, alphabet)
    with reading(source):
        return found, digests(source, ["sha256"], "hashing", progress)["sha256"]


def _read_graph(source: Path, release: str | None, alphabet: Alphabet | None) -> tuple[Ancestor, str]:
    with reading(source):
        if source.stat().st_size > LARGEST_GRAPH:
            raise SourceError(f"{source} has {source.stat().st_size} bytes, too many for a graph")
        data = source.read_bytes()
    places = [one.with_name(ALPHABET) for one in (source, source.resolve())]
    beside = next((one for one in places if one.is_file()), None)
    graph = read_graph(data, str(source))
    found = read_mozilla(graph, release, alphabet, partial(read_alphabet, beside) if beside else None)
    return found, hashlib.sha256(data).hexdigest()


def _read_archive(source: Path, release: str | None, alphabet: Alphabet | None, progress: Progress) -> Ancestor:
    found = _members(source, progress)
    name = next((name for name in GRAPHS if name in found), None)
    if name is None:
        raise SourceError(f"{source} holds no {' or '.join(GRAPHS)}: unpack it, and name the file with the model")
    beside = partial(_alphabet_in, found[ALPHABET]) if ALPHABET in found else None
    return read_mozilla(read_graph(found[name], f"{source}: {name}"), release, alphabet, beside)


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
    for name, one in ancestor.weights.items():
        kind = model.state_dict()[name].dtype
        if one.is_floating_point() is not kind.is_floating_point:
            raise SourceError(f"{place} is damaged: our {name} would be of {one.dtype}, and is of {kind}")
        if not torch.isfinite(one).all():
            raise SourceError(f"{place} is damaged: our {name} would hold what is no number; fetch it again")
        if name.endswith("running_var") and (one < 0).any():
            raise SourceError(f"{place} is damaged: our {name} would hold a variance below 0; fetch it again")
    model.load_state_dict(dict(ancestor.weights), assign=True)
    return model


def _saved(run: Path, config: Config, alphabet: Alphabet, model: Model, origin: Origin) -> Path:
    """The checkpoint of a run that has not begun: no data, no epoch, no step, no optimiser."""
    return save(run, Standing(config=config, alphabet=alphabet, data="", dev="", origin=origin), model)
