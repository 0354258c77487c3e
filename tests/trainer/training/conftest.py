"""Real processes under torchrun, each with one thread."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


class Torchrun:
    """torchrun on this machine; what of it still runs at the end of a test is killed."""

    def __init__(self) -> None:
        self.begun: list[subprocess.Popen[str]] = []

    def begin(self, count: int, *command: str, options: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        """Start `count` processes of a script or `-m MODULE -- ARGUMENTS`."""
        launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
        env = {**os.environ, "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(
            [*launcher, *options, *command], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.begun.append(process)
        return process

    def run(self, count: int, *command: str) -> tuple[int, str]:
        """Run them to their end: exit status, and what was said."""
        process = self.begin(count, *command)
        told = "".join(process.communicate(timeout=240))
        return process.returncode, told

    @staticmethod
    def workers(process: subprocess.Popen[str]) -> list[int]:
        """The processes that torchrun has started: they are in sessions of their own."""
        return [int(one) for one in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]

    def kill(self, process: subprocess.Popen[str]) -> None:
        """Kill torchrun and its workers, and let go of its pipes."""
        for pid in (process.pid, *self.workers(process)):
            os.kill(pid, signal.SIGKILL)
        process.communicate(timeout=30)


@pytest.fixture
def torchrun() -> Iterator[Torchrun]:
    launcher = Torchrun()
    yield launcher
    for process in launcher.begun:
        if process.poll() is None:
            launcher.kill(process)
