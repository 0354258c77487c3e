"""The tools that `dsprep convert` writes for read what it wrote, each by its own code, in a process of its own.

NeMo's reader of manifests is loaded as a file from an installed `nemo_toolkit` (`pip install --no-deps` is enough):
its package, imported whole, asks for lightning and a hundred others.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dsprep.manifests import Sample, manifest_bytes, read_manifest
from dsprep.pipeline.converting import convert
from dsprep.pipeline.formats import FORMATS
from dsprep.pipeline.reading import audio_bytes
from dsprep.pipeline.sound.audio import decode, encode


def needs(package: str, install: str = "--group interop") -> pytest.MarkDecorator:
    absent = importlib.util.find_spec(package) is None
    return pytest.mark.skipif(absent, reason=f"{package} is not installed (pip install {install})")


def said_by(program: str, *arguments: Path) -> Any:
    """The JSON that a Python program prints last."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(arguments[-1]), "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-c", program, *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
    return json.loads(ran.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def source(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifest of an import, with columns of a corpus and a speaker that Kaldi cannot spell."""
    home = tmp_path_factory.mktemp("interop")
    samples = []
    for one in read_manifest(digits / "dev-clean.csv"):
        facts = {key: getattr(one, key) for key in ("id", "path", "size", "transcript", "duration")}
        samples.append(Sample(**facts, speaker=f"No {one.speaker}", extras=(("accent", "us"), ("gender", "f"))))
    (home / "in.csv").write_bytes(manifest_bytes(samples, home))
    return home / "in.csv"


LHOTSE = """
import json, sys
from pathlib import Path
import lhotse, lhotse.qa
home = Path(sys.argv[1])
recordings = lhotse.RecordingSet.from_file(home / "recordings.jsonl.gz")
supervisions = lhotse.SupervisionSet.from_file(home / "supervisions.jsonl.gz")
cuts = lhotse.CutSet.from_file(home / "cuts.jsonl.gz").to_eager()
lhotse.qa.validate(recordings, read_data=True)
lhotse.qa.validate(supervisions)
lhotse.qa.validate_recordings_and_supervisions(recordings, supervisions)
lhotse.qa.validate(cuts, read_data=True)
rows = {}
for cut in cuts:
    (said,) = cut.supervisions
    frames = cut.load_audio().shape[1] / cut.sampling_rate
    rows[cut.id] = [said.text, said.speaker, said.gender, said.custom, cut.duration, frames]
print(json.dumps(rows))
"""


@needs("lhotse")
def test_lhotse_validates_and_plays_what_is_written_for_it(source: Path, tmp_path: Path) -> None:
    convert(source, tmp_path / "out", FORMATS["lhotse"])
    assert said_by(LHOTSE, tmp_path / "out") == {
        one.id: [one.transcript, one.speaker, "f", {"accent": "us"}, one.duration, one.duration]
        for one in read_manifest(source)
    }


LHOTSE_WRITES = """
import json, sys
from pathlib import Path
import lhotse
home = Path(sys.argv[1])
talk = lhotse.Recording.from_file(home / "talk.wav")
said = [lhotse.SupervisionSegment(id=name, recording_id="talk", start=start, duration=length, text=name, speaker="x")
        for name, start, length in (("one", 0.0, 0.25), ("two", 0.25, 0.5))]
cuts = lhotse.CutSet.from_manifests(lhotse.RecordingSet.from_recordings([talk]),
                                    lhotse.SupervisionSet.from_segments(said))
cuts.to_file(home / "cuts.jsonl.gz")
cuts.trim_to_supervisions(keep_overlapping=False).to_file(home / "trimmed.jsonl.gz")
print(json.dumps(len(cuts)))
"""


@needs("lhotse")
def test_cuts_that_lhotse_made_are_read_and_cut(tmp_path: Path, make: Any) -> None:
    (tmp_path / "talk.wav").write_bytes(encode(make.tone(1.0), "wav"))
    assert said_by(LHOTSE_WRITES, tmp_path) == 1
    for name in ("cuts", "trimmed"):
        convert(tmp_path / f"{name}.jsonl.gz", tmp_path / name, FORMATS["dsprep"], copy_audio=True)
        one, two = read_manifest(tmp_path / name / "manifest.csv")
        assert [(one.transcript, one.speaker), (two.transcript, two.speaker)] == [("one", "x"), ("two", "x")]
        assert np.array_equal(decode(audio_bytes(one)), make.tone(1.0)[:4000])
        assert np.array_equal(decode(audio_bytes(two)), make.tone(1.0)[4000:12_000])


KALDI = """
import json, sys
from pathlib import Path
from lhotse.kaldi import load_kaldi_data_dir
recordings, supervisions, _ = load_kaldi_data_dir(Path(sys.argv[1]), 16_000)
print(json.dumps({one.id: [one.text, one.speaker, recordings[one.recording_id].sources[0].source]
                  for one in supervisions}))
"""


@needs("lhotse")
def test_lhotse_reads_the_kaldi_folder(source: Path, tmp_path: Path) -> None:
    convert(source, tmp_path / "out", FORMATS["kaldi"])
    expected = {}
    for one in read_manifest(source):
        speaker = one.speaker.replace(" ", "_")
        expected[f"{speaker}-{one.id}"] = [one.transcript, speaker, os.path.abspath(one.path)]  # noqa: PTH100
    assert said_by(KALDI, tmp_path / "out") == expected


AUDIOFOLDER = """
import json, sys
import datasets
builder = datasets.load_dataset_builder("audiofolder", data_dir=sys.argv[1])
# Its own reading, short of what load_dataset does after it: that encodes audio, and asks for torchcodec.
(split,) = builder._split_generators(datasets.StreamingDownloadManager())
kinds = {name: str(getattr(kind, "dtype", kind)) for name, kind in builder.info.features.items()}
print(json.dumps([kinds, [row for _, row in builder._generate_examples(**split.gen_kwargs)]]))
"""


@needs("datasets")
def test_hugging_face_loads_the_folder(source: Path, tmp_path: Path) -> None:
    convert(source, tmp_path / "out", FORMATS["audiofolder"], copy_audio=True)
    kinds, rows = said_by(AUDIOFOLDER, tmp_path / "out", tmp_path / "cache")
    text = ("transcription", "id", "speaker", "accent", "gender")
    assert kinds == {"audio": "dict", "duration": "float64", **dict.fromkeys(text, "string")}
    samples = read_manifest(source)
    assert [(row["id"], row["transcription"], row["speaker"], row["duration"], row["accent"]) for row in rows] == [
        (one.id, one.transcript, one.speaker, one.duration, "us") for one in samples
    ]
    assert [Path(row["audio"]).read_bytes() for row in rows] == [audio_bytes(one) for one in samples]


NEMO = """
import importlib.util, json, sys
from pathlib import Path
(home,) = importlib.util.find_spec("nemo").submodule_search_locations
place = Path(home) / "collections/common/parts/preprocessing/manifest.py"
spec = importlib.util.spec_from_file_location("manifest", place)
manifest = importlib.util.module_from_spec(spec)
spec.loader.exec_module(manifest)
print(json.dumps(list(manifest.item_iter(sys.argv[1]))))
"""


@needs("nemo", "--no-deps nemo_toolkit")
def test_nemo_reads_the_manifest(source: Path, tmp_path: Path) -> None:
    convert(source, tmp_path / "out", FORMATS["nemo"])
    rows = said_by(NEMO, tmp_path / "out" / "nemo_manifest.json")
    samples = read_manifest(source)
    assert [(row["text"], row["speaker"], row["duration"], row["offset"]) for row in rows] == [
        (one.transcript, one.speaker, one.duration, None) for one in samples
    ]
    assert all(Path(row["audio_file"]).samefile(one.path) for row, one in zip(rows, samples, strict=True))


def sclite() -> list[str]:
    """The command that runs sclite, which Debian has under the name of its package."""
    if shutil.which("sclite"):
        return ["sclite"]
    return ["sctk", "sclite"] if shutil.which("sctk") else []


@pytest.mark.skipif(not sclite(), reason="sclite is not installed (apt install sctk)")
def test_sclite_scores_transcripts_by_speaker(digits: Path, tmp_path: Path) -> None:
    samples = read_manifest(digits / "dev-clean.csv")
    heard = [Sample(id=one.id, path=one.path, size=one.size, transcript=one.transcript) for one in samples[:1]]
    heard = [Sample(id=one.id, path=one.path, size=one.size, transcript=f"{one.transcript} six") for one in heard]
    heard += samples[1:]
    for name, said in (("ref", samples), ("hyp", heard)):
        speaking = [
            Sample(id=one.id, path=one.path, size=one.size, transcript=one.transcript, speaker=known.speaker)
            for one, known in zip(said, samples, strict=True)
        ]
        (tmp_path / f"{name}.csv").write_bytes(manifest_bytes(speaking, tmp_path))
        convert(tmp_path / f"{name}.csv", tmp_path / name, FORMATS["trn"])
    command = [*sclite(), "-r", "ref/text.trn", "trn", "-h", "hyp/text.trn", "trn", "-i", "rm", "-o", "rsum", "stdout"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    rows = {cells[0]: cells[1:] for line in ran.stdout.splitlines() if len(cells := line.replace("|", " ").split()) > 7}
    words = sum(len(one.transcript.split()) for one in samples)
    # Sentences, words, correct, substituted, deleted, inserted, errors, sentences with errors.
    assert rows["Sum"] == ["12", str(words), str(words), "0", "0", "1", "1", "1"]
    assert {one.speaker for one in samples} <= set(rows)
