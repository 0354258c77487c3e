"""dsprep: our own manifest, as every command takes it. It holds all that a sample is.

    wav_filename,wav_filesize,transcript,id,duration,speaker,offset
    audio/00000/1272-128104-0000.wav,187244,mister quilter is ...,1272-128104-0000,5.855,1272,

Its name makes of the folder something that `dsprep shard` and `dsprep train` take as it stands.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ...manifests import manifest_bytes, read_manifest
from .format import Audio, Clip, Entry, Format, Holds
from .reading import file_in
from .writing import settled

MAIN = "manifest.csv"


def read(place: Path, root: Path | None) -> Iterator[Clip]:
    """The clips of a manifest, a plain DeepSpeech CSV or a folder of shards."""
    for sample in read_manifest(file_in(place, [MAIN]), root):
        yield Clip(sample=sample)


def write(entries: Sequence[Entry], home: Path) -> Mapping[str, bytes]:
    samples = (replace(entry.sample, path=settled(entry.sample.path)) for entry in entries)
    return {MAIN: manifest_bytes(samples, home.resolve())}


FORMAT = Format(
    name="dsprep",
    title="dsprep's manifest CSV",
    mains=(MAIN,),
    holds=Holds(audio=Audio.TAR, id=True, duration=True, speaker=True, extras=True),
    begins=lambda head: "wav_filename" in head.split("\n")[0],
    read=read,
    write=write,
)
