"""deepspeech.pytorch: its JSON manifests from V3 on, and its CSV manifests up to V2.1.

    {"root_path": "/data/an4", "samples": [{"wav_path": "wav/x.wav", "transcript_path": "txt/x.txt"}]}
    /data/an4/wav/x.wav,/data/an4/txt/x.txt

Layouts: SeanNaren/deepspeech.pytorch, deepspeech_pytorch/data/utils.py; V2.1 data/utils.py. Each transcript is a file
of its own. The CSV has neither header nor quotes, is split at its first comma, and is read from wherever training
runs: so its paths are absolute, and cannot hold commas. It is in the order of length, in which V2.1 first trains.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from ...manifests import DataError
from .format import Audio, Clip, Entry, Format, Holds
from .reading import Ids, at, audio_sample, file_in, parse_object, read_lines, read_text, string
from .writing import absolute, relative

JSON, CSV = "pytorch_manifest.json", "pytorch_manifest.csv"


def text_bytes(transcript: str) -> bytes:
    """A transcript as a file of its own; deepspeech.pytorch drops its line end."""
    return transcript.encode() + b"\n"


def read_json(place: Path, root: Path | None) -> Iterator[Clip]:
    """The clips of a JSON manifest; `root` overrules its root_path."""
    path = file_in(place, [JSON])
    ids = Ids()
    with _in(path, "the whole"):
        content = parse_object(read_text(path))
        folder = root or path.parent / string(content, "root_path", ".")
        samples = content.get("samples")
        if not isinstance(samples, list) or not all(isinstance(row, dict) for row in samples):
            raise ValueError("it has no list of samples")
    for number, row in enumerate(samples, 1):
        with _in(path, f"sample {number}"):
            yield _clip(string(row, "wav_path"), string(row, "transcript_path"), folder, ids)


def read_csv(place: Path, root: Path | None) -> Iterator[Clip]:
    """The clips of a CSV of two columns."""
    path = file_in(place, [CSV])
    ids = Ids()
    for number, line in read_lines(path):
        with at(path, number):
            audio, comma, text = line.strip().partition(",")
            if not comma:
                raise ValueError("not a pair of wav_path,txt_path")
            yield _clip(audio, text, root or path.parent, ids)


def write_json(entries: Sequence[Entry], home: Path) -> Mapping[str, bytes]:
    samples = [
        {"wav_path": relative(entry.sample.path, home), "transcript_path": relative(_text(entry), home)}
        for entry in entries
    ]
    content = {"root_path": absolute(home), "samples": samples}
    return {JSON: json.dumps(content, indent=1, ensure_ascii=False).encode() + b"\n"}


def write_csv(entries: Sequence[Entry], home: Path) -> Mapping[str, bytes]:
    by_length = sorted(entries, key=lambda entry: (entry.sample.duration or 0, entry.sample.id))
    return {CSV: b"".join(_line(entry).encode() for entry in by_length)}


def _clip(audio: str, text: str, folder: Path, ids: Ids) -> Clip:
    name = Path(audio).stem
    try:
        transcript = read_text(folder / text).removesuffix("\n").removesuffix("\r")
    except DataError as error:
        raise ValueError(str(error)) from error
    return Clip(sample=audio_sample(audio, folder, id=ids.made(name), transcript=transcript))


def _line(entry: Entry) -> str:
    audio, text = absolute(entry.sample.path), absolute(_text(entry))
    if "," in audio or any(path != path.strip() or "\n" in path for path in (audio, text)):
        raise DataError(f"{entry.sample.id}: {audio} cannot stand in a manifest without quotes: rename the file")
    return f"{audio},{text}\n"


def _text(entry: Entry) -> Path:
    assert entry.text is not None, "a format that has `texts` gets them"
    return entry.text


@contextmanager
def _in(path: Path, where: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise DataError(f"{path}: {where}: {error}") from error


JSON_FORMAT = Format(
    name="deepspeech.pytorch",
    title="SeanNaren/deepspeech.pytorch's JSON manifest (V3 on)",
    mains=(JSON,),
    holds=Holds(audio=Audio.WAV),
    begins=lambda head: head.lstrip().startswith("{") and '"samples"' in head,
    read=read_json,
    write=write_json,
    texts=True,
)
CSV_FORMAT = Format(
    name="deepspeech.pytorch-csv",
    title="SeanNaren/deepspeech.pytorch's CSV manifest (to V2.1)",
    mains=(CSV,),
    holds=Holds(audio=Audio.WAV),
    begins=lambda head: ".wav," in head.split("\n")[0],
    read=read_csv,
    write=write_csv,
    texts=True,
)
