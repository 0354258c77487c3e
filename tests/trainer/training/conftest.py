"""Real processes under torchrun, each with one thread."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


class Torchrun:
    """torchrun on this machine."""

    @staticmethod
    def begin(count: int, *command: str, options: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        """Start `count` processes of a script or `-m MODULE -- ARGUMENTS`."""
        launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
        env = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.Popen(
            [*launcher, *options, *command], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    @classmethod
    def run(cls, count: int, *command: str) -> tuple[int, str]:
        """Run them to their end: exit status, and what was said."""
        process = cls.begin(count, *command)
        told = "".join(process.communicate(timeout=240))
        return process.returncode, told

    @staticmethod
    def workers(process: subprocess.Popen[str]) -> list[int]:
        """The processes that torchrun has started: they are in sessions of their own."""
        return [int(one) for one in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


@pytest.fixture(scope="session")
def torchrun() -> type[Torchrun]:
    return Torchrun
