"""Tempo: speech faster or slower at the same pitch, by the program sox, through pysox.

    tempo(pcm, 1.1)         sox -D -t s16 -r 16000 -c 1 - -t raw ... - tempo -s 1.100000

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
    from sox import SoxError, Transformer

    said = "it stopped early"
    for _ in range(ATTEMPTS):
        change = Transformer().tempo(factor, "s")
        try:
            changed = np.asarray(change.build_array(input_array=pcm, sample_rate_in=RATE), np.int16)
        except SoxError as error:
            said = " ".join(str(error).split())[-200:]
            continue
        # A sox that is interrupted writes what it has, and calls that a success.
        if abs(len(changed) - len(pcm) / factor) <= 1:
            return changed
    raise TrainingError(f"sox cannot change the tempo: {said}: look whether it works, or set augment.tempo=0")


def _runs() -> bool:
    try:
        return subprocess.run(["sox", "--version"], capture_output=True, check=False, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
