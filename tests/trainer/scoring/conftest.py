"""sclite, NIST's scorer, on this machine."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

Scores = list[tuple[int, int, int, int]]
"""Right, substituted, left out, put in, of each utterance."""


class Sclite:
    """The program, which Debian has under the name of its package."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def run(self, *options: str) -> str:
        """Its standard output."""
        command = ["sctk", "sclite", *options]
        done = subprocess.run(command, cwd=self.home, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done
        return done.stdout

    def trn(self, references: list[list[str]], hypotheses: list[list[str]]) -> Scores:
        """The scores of pairs, in their order."""
        for name, texts in (("r.trn", references), ("h.trn", hypotheses)):
            lines = (f"{' '.join(words)} (s-{number:06d})\n" for number, words in enumerate(texts))
            (self.home / name).write_text("".join(lines))
        told = self.run("-r", "r.trn", "trn", "-h", "h.trn", "trn", "-i", "rm", "-s", "-o", "pralign", "stdout")
        ids = re.findall(r"^id: \(s-(\d+)\)$", told, re.MULTILINE)
        found = dict(zip(map(int, ids), scores(told), strict=True))
        return [found[number] for number in range(len(references))]

    scores = staticmethod(lambda told: scores(told))

    def stm(self, stm: list[str], ctm: list[str]) -> str:
        """What it makes of two files, as their lines."""
        (self.home / "r.stm").write_text("".join(f"{line}\n" for line in stm))
        (self.home / "h.ctm").write_text("".join(f"{line}\n" for line in ctm))
        return self.run("-r", "r.stm", "stm", "-h", "h.ctm", "ctm", "-D", "-o", "pralign", "rsum", "stdout")


def scores(told: str) -> Scores:
    found = re.findall(r"^Scores: \(#C #S #D #I\) (\d+) (\d+) (\d+) (\d+)$", told, re.MULTILINE)
    return [(int(c), int(s), int(d), int(i)) for c, s, d, i in found]


@pytest.fixture
def sclite(tmp_path: Path) -> Sclite:
    if shutil.which("sctk") is None:
        pytest.skip("sclite is not installed (apt install sctk)")
    home = tmp_path / "sclite"
    home.mkdir()
    return Sclite(home)
