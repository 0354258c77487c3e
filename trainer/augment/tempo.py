"""Tempo: speech faster or slower at the same pitch, by the program sox, whose words are pysox's.

    tempo(pcm, 1.1)         sox -D -V2 -t raw -e signed-integer -b 16 -r 16000 -c 1 - ... - tempo -s 1.100000

It is WSOLA (Verhelst and Roelands 1993), its segments chosen for speech. sox draws no dither here (-D), so the same
sound gives the same bytes. It is a process a clip, of which the start is the least: 1.7 of 12.5 ms for 10 s.
"""

import importlib.util
import logging
import subprocess

import numpy as np

from ...manifests import MissingExtraError, TrainingError
from ...manifests.ctc import RATE
from ...pipeline.sound.audio import Pcm

ATTEMPTS = 3
"""A signal to all of the terminal's processes, as Ctrl-C is one, stops sox too: training itself still ends its step."""
PATIENCE_SECONDS = 60.0
"""For a clip, which takes thousandths of one: a sox that hangs is killed."""
QUESTIONS = ("--version", "-h")
"""The second is what pysox asks when it is imported, and would wait for an answer for ever."""
SOUND = ("-t", "raw", "-e", "signed-integer", "-b", "16", "-r", str(RATE), "-c", "1")
"""What goes in and comes out."""
ADVICE = "look whether it works, or set augment.tempo=0"


def require_sox() -> None:
    """Make sure that the tempo can be changed here, before hours of training find out.

    Raises:
        MissingExtraError: pysox or sox is not installed.
    """
    if importlib.util.find_spec("sox") is None:
        raise MissingExtraError("augment.tempo needs pysox: pip install sox (dsprep's extra 'tempo')")
    if not _runs():
        raise MissingExtraError(
            "augment.tempo needs the program sox: install it (apt install sox, or brew install sox), and type the same "
            "command again; augment.speed needs no program"
        )
    import sox  # noqa: F401  (imported once, here: it takes a quarter of a second, and asks sox for its formats)

    # It warns at each factor near 1 that its stretch would be better; the ancestor has tempo. What fails, we tell.
    logging.getLogger("sox").setLevel(logging.CRITICAL)


def tempo(pcm: Pcm, factor: float) -> Pcm:
    """Sound at `factor` times its tempo: as long as it was, divided by that, to within a sample.

    Raises:
        TrainingError: sox failed.
    """
    from sox import Transformer

    said, change = "it stopped early", Transformer().tempo(factor, "s")
    command = ["sox", *change.globals, *SOUND, "-", *SOUND, "-", *change.effects]
    for _ in range(ATTEMPTS):
        done = _done(command, pcm.tobytes())
        if done.returncode:
            said = " ".join(done.stderr.decode("utf-8", "replace").split())[-200:] or f"it ended with {done.returncode}"
            continue
        changed = np.frombuffer(done.stdout[: len(done.stdout) // 2 * 2], np.int16)
        # A sox that is interrupted writes what it has, and calls that a success.
        if abs(len(changed) - len(pcm) / factor) <= 1:
            return changed
    raise TrainingError(f"sox cannot change the tempo: {said}: {ADVICE}")


def _done(command: list[str], sound: bytes) -> "subprocess.CompletedProcess[bytes]":
    """pysox would run the same, and wait for ever."""
    try:
        return subprocess.run(command, input=sound, capture_output=True, check=False, timeout=PATIENCE_SECONDS)
    except OSError as error:
        raise TrainingError(f"sox cannot change the tempo: {error.strerror}: {ADVICE}") from error
    except subprocess.TimeoutExpired as error:
        raise TrainingError(
            f"sox cannot change the tempo: it did not end in {PATIENCE_SECONDS:g} s and was stopped: {ADVICE}"
        ) from error


def _runs() -> bool:
    try:
        return not any(
            subprocess.run(["sox", one], capture_output=True, check=False, timeout=PATIENCE_SECONDS).returncode
            for one in QUESTIONS
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
