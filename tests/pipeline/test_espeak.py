import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("espeakng_loader")


@pytest.mark.slow
def test_made_speech_is_the_same_each_time(tmp_path: Path, make: Any) -> None:
    for name in ("one", "two", "three"):
        command = [sys.executable, "-m", "dsprep.pipeline.espeak", str(tmp_path / name)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    one = make.tree(tmp_path / "one")
    assert len(one) == 6
    assert make.tree(tmp_path / "two") == one
    assert make.tree(tmp_path / "three") == one
