"""STM and TED-LIUM imported whole: every segment is kept, excluded or rejected, and cut where it says."""

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from dsprep.importers import CORPORA
from dsprep.manifests import SourceError, read_manifest
from dsprep.pipeline.importing import import_corpus
from dsprep.pipeline.job import job
from dsprep.pipeline.report import ImportReport
from dsprep.pipeline.sound.audio import Pcm, decode


def sphere(pcm: Pcm, order: str = "01") -> bytes:
    """NIST SPHERE of 16-bit samples, [n] or [n, channels], least significant byte first or not."""
    channels = 1 if pcm.ndim == 1 else pcm.shape[1]
    fields = [
        "NIST_1A",
        "   1024",
        f"channel_count -i {channels}",
        f"sample_count -i {len(pcm)}",
        "sample_rate -i 16000",
        "sample_n_bytes -i 2",
        "sample_coding -s3 pcm",
        f"sample_byte_format -s2 {order}",
        "end_head\n",
    ]
    return "\n".join(fields).encode().ljust(1024) + pcm.astype("<i2" if order == "01" else ">i2").tobytes()


def wav(pcm: Pcm) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, pcm, 16_000, format="WAV")
    return file.getvalue()


@pytest.fixture(scope="module")
def talk() -> Pcm:
    """Four seconds of which every stretch is its own."""
    return np.random.default_rng(0).integers(-8000, 8000, 4 * 16_000).astype(np.int16)


def go(corpus: str, source: Path, out: Path, **wishes: Any) -> ImportReport:
    return import_corpus(job(CORPORA[corpus], sources=[str(source)], **wishes), out, 1)


def reasons(out: Path) -> dict[str, str]:
    with (out / "rejected.csv").open(newline="") as file:
        return {row["id"].rpartition("/")[2]: row["reason"] for row in csv.DictReader(file)}


LINES = """\
;; a comment
T 1 ann 0.50 1.50 <o,f0,female> hello { world / earth / @ } (again)
T 1 ann 1.25 2.00 <o,f0,female> it 's overlapping(2) <unk>
T 1 inter_segment_gap 2.00 2.50 <o,,unknown> ignore_time_segment_in_scoring
T 1 bob 2.50 3.00 <o,f0,male> IGNORE_TIME_SEGMENT_IN_SCORING
T 1 bob 3.00 2.00 <o,f0,male> ends before it starts
T 1 bob 3.50 9.00 <o,f0,male> past the audio
T 2 bob 3.00 3.50 <o,f0,male> on no such channel
T 1 bob 3.00 3.25 <o,f0,male> { never / closed
U 1 eve 0.00 1.00 <o,f0,female> no such recording
"""


@pytest.mark.parametrize("kind", ["folder", "tar.gz", "zip"])
@pytest.mark.parametrize(("name", "encode"), [("sph/T.sph", sphere), ("T.wav", wav), ("audio/T.wav", wav)])
def test_each_segment_is_cut_or_told(tmp_path: Path, make: Any, talk: Pcm, kind: str, name: str, encode: Any) -> None:
    members = {"talks/stm/T.stm": LINES.encode(), f"talks/{name}" if "/" in name else f"talks/stm/{name}": encode(talk)}
    source = {"folder": make.folder, "zip": make.zip}.get(kind, make.tar)(tmp_path / f"in.{kind}", members)
    report = go("stm", source, tmp_path / "out").parts[0]
    first, second = read_manifest(tmp_path / "out" / "stm.csv")
    assert (first.transcript, second.transcript) == ("hello world again", "it's overlapping")
    assert dict(first.extras)["stm"] == "hello { world / earth / @ } (again)"
    assert dict(second.extras)["stm"] == ""
    assert (decode(first.path.read_bytes()) == talk[8000:24_000]).all()
    assert (decode(second.path.read_bytes()) == talk[20_000:32_000]).all()
    assert reasons(tmp_path / "out") == {
        "T.stm:4": "excluded",
        "T.stm:5": "excluded",
        "T.stm:6": "bad-row",
        "T.stm:9": "bad-row",
        "T--bob-0000350-0000900": "unreadable",
        "T--bob-0000300-0000350-2": "unreadable",
        "U--eve-0000000-0000100": "no-audio",
    }
    assert report.rows == 9


def test_channels_of_a_stereo_talk_are_taken_apart(tmp_path: Path, make: Any, talk: Pcm) -> None:
    both = np.stack([talk, talk[::-1]], axis=1)
    lines = b"T A ann 0.00 1.00 left\nT B bob 0.00 1.00 right\n"
    make.folder(tmp_path / "in", {"T.stm": lines, "T.sph": sphere(both, "10")})
    go("stm", tmp_path / "in", tmp_path / "out")
    cut = {one.transcript: decode(one.path.read_bytes()) for one in read_manifest(tmp_path / "out" / "stm.csv")}
    assert (cut["left"] == talk[:16_000]).all()
    assert (cut["right"] == talk[::-1][:16_000]).all()


def test_a_recording_is_the_nearest_of_its_name(tmp_path: Path, make: Any, talk: Pcm) -> None:
    line = b"T 1 ann 0.00 1.00 words\n"
    members: dict[str, bytes] = {}
    for part, pcm in (("dev", talk), ("train", talk[::-1])):
        members |= {f"{part}/stm/T.stm": line.replace(b"T", f"T_{part}".encode())}
        members |= {f"{part}/sph/T_{part}.sph": sphere(pcm), f"other/T_{part}.wav": wav(talk * 0)}
    make.folder(tmp_path / "in", members)
    go("stm", tmp_path / "in", tmp_path / "out")
    cut = {one.id[:3]: decode(one.path.read_bytes()) for one in read_manifest(tmp_path / "out" / "stm.csv")}
    assert (cut["T_d"] == talk[:16_000]).all()
    assert (cut["T_t"] == talk[::-1][:16_000]).all()


@pytest.mark.parametrize(
    ("corpus", "root", "folders"),
    [
        ("tedlium1", "TEDLIUM_release1", {"train": "train", "dev": "dev", "test": "test"}),
        ("tedlium2", "TEDLIUM_release2", {"train": "train", "dev": "dev", "test": "test"}),
        ("tedlium3", "TEDLIUM_release-3", {"train": "data", "dev": "legacy/dev", "test": "legacy/test"}),
    ],
)
def test_the_parts_of_ted_lium_lie_where_each_release_has_them(
    tmp_path: Path, make: Any, talk: Pcm, corpus: str, root: str, folders: dict[str, str]
) -> None:
    members: dict[str, bytes] = {}
    for part, folder in folders.items():
        line = f"{part}talk 1 {part}talk 0.00 1.50 <o,f0,male> {part} 's talk(2) {{NOISE}} <sil> ({part}talk-1)\n"
        members[f"{root}/{folder}/stm/{part}talk.stm"] = line.encode()
        members[f"{root}/{folder}/sph/{part}talk.sph"] = sphere(talk)
    source = make.tar(tmp_path / CORPORA[corpus].parts[0].archives[0].name, members)
    report = go(corpus, source, tmp_path / "out")
    assert {part.name: (part.rows, part.kept.rows) for part in report.parts} == dict.fromkeys(folders, (1, 1))
    for part in folders:
        (one,) = read_manifest(tmp_path / "out" / f"{part}.csv")
        assert one.transcript == f"{part}'s talk"
    go(corpus, make.folder(tmp_path / "in", members) / root, tmp_path / "two", parts=["dev"])
    assert [path.name for path in (tmp_path / "two").glob("*.csv")].count("dev.csv") == 1


def test_a_folder_without_stm_is_told_what_was_looked_for(tmp_path: Path, make: Any, talk: Pcm) -> None:
    report = go("stm", make.folder(tmp_path / "other", {"T.wav": wav(talk)}), tmp_path / "out").parts[0]
    assert report.reasons == {"no-text": 1}
    with pytest.raises(SourceError, match=r"looked for NAME\.stm"):
        go("stm", make.folder(tmp_path / "empty", {"T.txt": b"words"}), tmp_path / "none")


def test_another_recording_is_never_taken_for_the_named_one(tmp_path: Path, make: Any, talk: Pcm) -> None:
    for name, sound in (("a/T.wav", talk), ("b/T.wav", talk[::-1]), ("M.wav", talk)):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(wav(sound))
    lines = "a/T 1 ann 0 1 one\nb/T 1 ann 0 1 two\nM.2 1 ann 0 1 three\nM.wav 1 ann 0 1 four\n"
    (tmp_path / "in" / "x.stm").write_text(lines)
    go("stm", tmp_path / "in", tmp_path / "out")
    found = {row.transcript: row for row in read_manifest(tmp_path / "out" / "stm.csv")}
    assert sorted(found) == ["four", "one", "two"]
    for text, sound in (("one", talk), ("two", talk[::-1])):
        assert np.array_equal(decode((tmp_path / "out" / found[text].path).read_bytes()), sound[:16_000])
    assert list(reasons(tmp_path / "out").values()) == ["no-audio"]
