"""Quiet: C libraries write on the terminal past Python (libmpg123 on odd MP3s); in a worker they shall not."""

import os
import sys


def quiet_libraries() -> None:
    """Send what C code writes to file 2 nowhere; `sys.stderr` still reaches the terminal, so tracebacks do too.

    For a process of its own, once, at its start: it changes the whole process.
    """
    terminal = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    sys.stderr = os.fdopen(terminal, "w", buffering=1, errors="backslashreplace")
