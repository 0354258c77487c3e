"""The program: within bounds, from a file of torch to safetensors and JSON, or to one line that says why not.

it names 'os.system', which no model needs; nothing of it was run
"""

import json
import pickle
import struct
import sys
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from .facts import Facts
from .layouts import read
from .reader import Refused, shown
from .weights import write_weights

KEYS = ("labels", "audio_conf", "version", "hyper_parameters", "pytorch-lightning_version")
"""What is told of a file besides its weights."""
BROKEN = (
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    ImportError,
    RuntimeError,
)
"""What the standard library raises over a file that is not what it says."""


def main(source: str, weights: str, facts: str) -> None:
    """Read `source` and write the other two."""
    try:
        _convert(Path(source), Path(weights), Path(facts))
    except Refused as error:
        sys.exit(str(error))
    except MemoryError:
        sys.exit("it wants more memory than a file of its size should")
    except BROKEN as error:
        sys.exit(f"it is damaged, or no file that torch.save writes: {shown(str(error))}")


def _convert(source: Path, weights: Path, facts: Path) -> None:
    with source.open("rb") as file, weights.open("wb") as out, facts.open("wb") as told:
        size = source.stat().st_size
        "".encode("cp437")  # zipfile reads names in it; a codec that is first used below would be an import
        _limit(size)
        sys.addaudithook(_refuse)
        found, fetch = read(file, size)
        if not isinstance(found, dict):
            raise Refused("it holds no package of weights, but some other object")
        write_weights(found.get("state_dict"), fetch, size, out)
        kept = {key: found[key] for key in KEYS if key in found}
        told.write(json.dumps(Facts().plain(kept)).encode())


def _limit(size: int) -> None:
    """Bound what this process may take, where the system has such bounds."""
    with suppress(ImportError):
        import resource

        for kind, most in (
            (resource.RLIMIT_AS, 3 * size + (1 << 29)),
            (resource.RLIMIT_CPU, 60 + size // 10_000_000),
            (resource.RLIMIT_FSIZE, size + (1 << 24)),
            (resource.RLIMIT_NOFILE, 16),
            (resource.RLIMIT_NPROC, 0),
            (resource.RLIMIT_CORE, 0),
        ):
            with suppress(ValueError, OSError):
                resource.setrlimit(kind, (most, most))


def _refuse(event: str, arguments: object) -> NoReturn:
    """Opening, importing, running, connecting: all of it is an audit event, and reading on raises none."""
    raise Refused(f"it made its reader do {shown(event)}, which was stopped")
