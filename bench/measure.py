"""What the benchmarks share: CPU, time and memory of a command and all that it starts, and speech to make clips of."""

import io
import os
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Cost:
    """What a command took."""

    cpu: float
    """Seconds, user and system, of the process and its children, start included."""
    wall: float
    """Seconds on the clock."""


def cost(command: list[str], out: Path | None = None) -> Cost:
    """Run a command; `out` is removed first."""
    if out:
        shutil.rmtree(out, ignore_errors=True)
    os.sync()
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    return Cost(usage.ru_utime + usage.ru_stime, time.monotonic() - began)


def peak_bytes(command: list[str], out: Path) -> int:
    """Most memory that a command and all its children hold at a time: their proportional set sizes, every 20 ms."""
    shutil.rmtree(out, ignore_errors=True)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(map(_held, _family(process.pid))))
        time.sleep(0.02)
    return peak


def _family(pid: int) -> Iterator[int]:
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from _family(int(child))


def _held(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def real_members(name: str, ending: str) -> list[bytes]:
    """The members with that ending of an archive of real speech, below DSPREP_CORPORA, if it is there."""
    found = sorted(Path(os.environ.get("DSPREP_CORPORA", "../shared/corpora")).glob(name))
    if not found:
        return []
    with tarfile.open(found[0]) as tar:
        files = [tar.extractfile(member) for member in tar if member.name.endswith(ending)]
        return [file.read() for file in files if file]


def noise(seed: int, samples: int) -> NDArray[np.int16]:
    """Noise that rises and falls as speech does."""
    chance = np.random.default_rng(seed)
    envelope = np.interp(np.arange(samples), np.linspace(0, samples, 80), chance.random(80) ** 2)
    return (envelope * chance.normal(0, 2000, samples)).astype(np.int16)


def pack(root: Path, path: Path) -> None:
    """The folder `root` as a .tar.gz."""
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        tar.add(root, root.name)


def encoded(samples: NDArray[np.int16], rate: int, form: str) -> bytes:
    """`samples` as the bytes of a file."""
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=form)
    return file.getvalue()
