"""deepspeech: the three columns of mozilla/DeepSpeech and Coqui STT, and nothing else.

    wav_filename,wav_filesize,transcript
    audio/00000/1272-128104-0000.wav,187244,mister quilter is the apostle of the middle classes

Paths are relative to the CSV's folder, as DeepSpeech reads them from 0.2 on (util/preprocess.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ...manifests import csv_bytes, read_manifest
from .format import Audio, Clip, Entry, Format, Holds
from .reading import file_in
from .writing import relative

MAIN = "deepspeech.csv"
HEADER = ("wav_filename", "wav_filesize", "transcript")


def read(place: Path, root: Path | None) -> Iterator[Clip]:
    """The clips of a CSV. Its rows have no ids: they get the names of their files."""
    for sample in read_manifest(file_in(place, [MAIN]), root):
        yield Clip(sample=sample)


def write(entries: Sequence[Entry], home: Path) -> Mapping[str, bytes]:
    samples = [entry.sample for entry in entries]
    return {MAIN: csv_bytes(HEADER, ((relative(one.path, home), str(one.size), one.transcript) for one in samples))}


FORMAT = Format(
    name="deepspeech",
    title="mozilla/DeepSpeech's and Coqui STT's CSV of three columns",
    mains=(MAIN,),
    holds=Holds(audio=Audio.WAV),
    read=read,
    write=write,
)
