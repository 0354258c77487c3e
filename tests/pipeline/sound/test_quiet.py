import subprocess
import sys

CODE = """
import os, sys
from dsprep.pipeline.sound.quiet import quiet_libraries
quiet_libraries()
os.write(2, b"from a library")
print("from Python", file=sys.stderr)
raise SystemError("a traceback")
"""


def test_libraries_are_silent_and_python_is_not() -> None:
    run = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert "from a library" not in run.stderr
    assert "from Python" in run.stderr
    assert "SystemError: a traceback" in run.stderr
