"""Made speech: a small corpus in LibriSpeech's archive layout, spoken by espeak-ng, the same bytes each time.

    train-clean-100.tar.gz    LibriSpeech/train-clean-100/9001/1/9001-1-0000.flac, 9001-1.trans.txt ...
    9001-1-0000 MOVE THE RED LAMP TO THE DOOR

espeak-ng comes as a library in the package espeakng-loader. Its noise differs from call to call in one process
and not between processes, so all of it is made by one process of its own, in a fixed order:

    python -m dsprep.pipeline.espeak FOLDER
"""

import ctypes
import gzip
import io
import random
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr

from ..manifests import MissingExtraError, OutputError, Progress
from ..manifests.ctc import RATE
from .commit import Building, accepted, commit

VOICES = ("en-us+m3", "en-us+f1", "en-gb-x-rp+m7", "en-us+f4", "en-gb-scotland+m1", "en-us+m5")
"""One a speaker; espeak-ng's names. Its voices f2, f3 and f5 are not the same from process to process."""
PARTS = {"train-clean-100": 600, "dev-clean": 40, "test-clean": 80}
"""Utterances of each part. No two parts share a sentence."""
WORDS = (
    ("MOVE", "BRING", "CARRY", "PUSH", "THROW", "SHOW"),
    ("THE", "THAT", "THIS"),
    ("RED", "GREEN", "BLUE", "BLACK", "SMALL", "HEAVY"),
    ("LAMP", "CHAIR", "BOX", "BOOK", "TABLE", "CLOCK", "HORSE"),
    ("TO THE DOOR", "UNDER THE TREE", "OVER THERE", "INTO MY HOUSE", "ACROSS THE WATER", "NOW"),
)
"""A sentence takes one of each."""
CHAPTER = 20
"""Utterances that one speaker says in a row."""
CODE = "espeak-2"
"""Changes whenever the corpus would be another."""
SYNCHRONOUS, UTF8, RATE_PARAMETER, PITCH_PARAMETER = 2, 1, 1, 3
"""Of espeak-ng's C interface (speak_lib.h)."""


def make_corpus(folder: Path, progress: Progress) -> list[Path]:
    """The archives of the made corpus in `folder`, written if they are not there yet.

    Raises:
        MissingExtraError: espeakng-loader is not installed.
        OutputError: espeak-ng failed.
    """
    archives = [folder / f"{part}.tar.gz" for part in PARTS]
    if all(accepted(archive, CODE) for archive in archives):
        return archives
    command = [sys.executable, "-m", __spec__.name, str(folder)]
    total, lines = sum(PARTS.values()), 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for _ in process.stdout:
            lines += 1
            progress("speaking", lines, total, "sentences")
        complaint = process.stderr.read().strip()
    if "espeakng_loader" in complaint:
        raise MissingExtraError("the demo needs espeak-ng: pip install espeakng-loader (dsprep's extra 'demo')")
    if process.returncode:
        raise OutputError(f"espeak-ng could not speak: {complaint.splitlines()[-1] if complaint else 'killed'}")
    return archives


def _write_all(folder: Path) -> None:
    sentences = iter(_sentences())
    voice = Voice()
    for number, (part, count) in enumerate(PARTS.items(), 1):
        members = _members(number, [next(sentences) for _ in range(count)], voice)
        commit(folder / f"{part}.tar.gz", CODE, partial(_write_archive, part, members))


def _write_archive(part: str, members: Iterable[tuple[str, bytes]], building: Building) -> None:
    with (
        building.open() as file,
        gzip.GzipFile("", "wb", 1, file, mtime=0) as packed,  # type: ignore[call-overload]
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for name, data in members:
            info = tarfile.TarInfo(f"LibriSpeech/{part}/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def _sentences() -> list[str]:
    """All sentences there are, in a fixed random order."""
    found = [""]
    for words in WORDS:
        found = [f"{begun} {word}".strip() for begun in found for word in words]
    random.Random(1).shuffle(found)
    return found


def _members(number: int, sentences: list[str], voice: "Voice") -> Iterator[tuple[str, bytes]]:
    for chapter, start in enumerate(range(0, len(sentences), CHAPTER)):
        speaker = chapter % len(VOICES)
        name = f"{9000 + 100 * number + speaker}-{chapter}"
        folder = name.replace("-", "/")
        lines = []
        for index, sentence in enumerate(sentences[start : start + CHAPTER]):
            lines.append(f"{name}-{index:04d} {sentence}\n")
            yield f"{folder}/{name}-{index:04d}.flac", voice.flac(sentence.lower(), VOICES[speaker], seed=start + index)
            print(sentence, flush=True)
        yield f"{folder}/{name}.trans.txt", "".join(lines).encode()


class Voice:
    """espeak-ng, loaded once."""

    def __init__(self) -> None:
        import espeakng_loader

        self._library = ctypes.CDLL(espeakng_loader.get_library_path())  # type: ignore[no-untyped-call]
        data = espeakng_loader.get_data_path().encode()  # type: ignore[no-untyped-call]
        self._rate = self._library.espeak_Initialize(SYNCHRONOUS, 0, data, 0)
        self._pieces: list[bytes] = []
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
        self._callback = kind(self._take)  # must be held: the library keeps only its address
        self._library.espeak_SetSynthCallback(self._callback)

    def flac(self, text: str, voice: str, seed: int) -> bytes:
        """`text` as spoken by `voice`, its speed and pitch a little different each time, 16 kHz FLAC."""
        chance = random.Random(seed)
        self._library.espeak_SetVoiceByName(voice.encode())
        self._library.espeak_SetParameter(RATE_PARAMETER, chance.randint(150, 190), 0)
        self._library.espeak_SetParameter(PITCH_PARAMETER, chance.randint(35, 65), 0)
        self._pieces.clear()
        spoken = text.encode() + b"\0"
        self._library.espeak_Synth(spoken, ctypes.c_size_t(len(spoken)), 0, 0, 0, UTF8, None, None)
        self._library.espeak_Synchronize()
        samples = np.frombuffer(b"".join(self._pieces), dtype=np.int16)
        file = io.BytesIO()
        soundfile.write(file, soxr.resample(samples, self._rate, RATE), RATE, format="FLAC", subtype="PCM_16")
        return file.getvalue()

    def _take(self, samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            self._pieces.append(ctypes.string_at(samples, 2 * count))
        return 0


if __name__ == "__main__":
    _write_all(Path(sys.argv[1]))
