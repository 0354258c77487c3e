"""Torch files: the weights and facts in what torch.save wrote, read by a process of its own (`unpickling/`).

    model.pth -> {"conv.seq_module.0.weight": Tensor ...}, {"labels": ["_", "'", "A" ...], "version": "0.0.1" ...}

This process reads safetensors and JSON alone, neither of which can do anything.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from ...manifests import SourceError
from ...pipeline.commit import discard, temporary_name, writing
from .unpickling.reader import shown

START = "import sys; sys.path.append(sys.argv[1]); from unpickling.program import main; main(*sys.argv[2:])"
"""-I and -S leave the standard library alone to be found: no package, no setting, no folder of the user's."""


@dataclass(frozen=True, slots=True)
class Package:
    """What a file of torch holds."""

    weights: Mapping[str, Tensor]
    facts: Mapping[str, Any]
    """As JSON has them."""


def read_torch_file(source: Path, room: Path) -> Package:
    """What is in `source`.

    `room`, a folder to be, takes what the process writes, and is removed, with those that it is made in.

    Raises:
        SourceError: the file is damaged, or does what no model does.
        OutputError: there is no room.
    """
    if not source.is_file():
        raise SourceError(f"there is no file {source}")
    made = [one for one in room.parents if not one.exists()]
    with writing(room):
        room.mkdir(parents=True)
    try:
        weights, facts = room / "weights.safetensors", room / "facts.json"
        _convert(source, weights, facts)
        with writing(room):
            found = safetensors.torch.load(weights.read_bytes())
            return Package(found, json.loads(facts.read_bytes()))
    except (safetensors.SafetensorError, ValueError) as error:
        raise SourceError(f"{source}: what its reader wrote cannot be read: {shown(str(error))}") from error
    finally:
        discard(room)
        with suppress(OSError):  # another process has put something there
            for one in made:
                one.rmdir()


def _convert(source: Path, weights: Path, facts: Path) -> None:
    paths = (Path(__file__).parent, source, weights, facts)
    command = [sys.executable, "-I", "-S", "-c", START, *(str(path.absolute()) for path in paths)]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={}, check=False
    )
    if done.returncode == 0:
        return
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    why = said[0] if done.returncode == 1 and len(said) == 1 else f"its reader ended with status {done.returncode}"
    raise SourceError(f"{source} is not read: {why}")


def room_in(run: Path) -> Path:
    """A name in `run` that nobody else uses, and that is swept if this process is killed."""
    return temporary_name(run / "import")
