"""Whole imports of small archives: the same bytes whatever happens, and no row lost."""

import csv
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dsprep.importers import CORPORA
from dsprep.manifests import OutputError, SourceError, read_manifest
from dsprep.pipeline import chunk, work
from dsprep.pipeline.chunk import Settings
from dsprep.pipeline.importing import import_corpus
from dsprep.pipeline.job import Job
from dsprep.pipeline.report import PartReport
from dsprep.pipeline.screen import Rules
from dsprep.pipeline.sound.audio import decode
from dsprep.pipeline.verify import verify


def run(
    source: Path, out: Path, *parts: str, workers: int = 1, settings: Settings | None = None
) -> tuple[PartReport, ...]:
    names, corpus = parts or ("dev-clean",), CORPORA["librispeech"]
    job = Job(corpus=corpus, parts=names, sources=(str(source),), settings=settings or Settings())
    return import_corpus(job, out, workers).parts


def rejected(out: Path) -> dict[str, str]:
    with (out / "rejected.csv").open(newline="") as file:
        return {row["id"]: row["reason"] for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, make: Any) -> Path:
    """An archive of 600 short clips, which is three chunks."""
    return Path(make.tar(tmp_path_factory.mktemp("source") / "dev-clean.tar.gz", make.spoken("dev-clean", 600, 3)))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, source: Path, make: Any) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    run(source, out)
    return dict(make.tree(out))


def test_the_manifest_says_what_is_in_the_audio(digits: Path, make: Any) -> None:
    members = make.spoken("dev-clean", 12)
    samples = read_manifest(digits / "dev-clean.csv")
    assert len(samples) == 12
    for sample in samples:
        (name,) = [name for name in members if name.endswith(f"/{sample.id}.flac")]
        data = sample.path.read_bytes()
        pcm = decode(data)
        assert (pcm == decode(members[name])).all()
        assert (len(data), len(pcm) / 16_000) == (sample.size, sample.duration)
        assert sample.speaker == sample.id.split("-")[0]
        assert (
            f"{sample.id} {sample.transcript.upper()}\n".encode() in members[str(Path(name).parent / _trans(sample.id))]
        )


def _trans(name: str) -> str:
    return f"{name.rpartition('-')[0]}.trans.txt"


@pytest.mark.slow
def test_the_number_of_workers_changes_no_byte(
    tmp_path: Path, source: Path, undisturbed: dict[str, bytes], make: Any
) -> None:
    run(source, tmp_path / "out", workers=2)
    assert make.tree(tmp_path / "out") == undisturbed
    assert len([name for name in undisturbed if name.endswith(".json") and "audio/" in name]) == 3


@pytest.mark.slow
def test_a_folder_gives_the_same_audio_as_its_archive(
    tmp_path: Path, source: Path, undisturbed: dict[str, bytes], make: Any
) -> None:
    make.folder(tmp_path / "unpacked é", make.spoken("dev-clean", 600, 3))
    run(tmp_path / "unpacked é", tmp_path / "out")
    got = make.tree(tmp_path / "out")
    made = {name for name in undisturbed if name.endswith((".wav", ".csv"))}
    assert {name: got[name] for name in made} == {name: undisturbed[name] for name in made}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_killed_and_run_again_it_ends_in_the_same_bytes(
    tmp_path: Path, source: Path, undisturbed: dict[str, bytes], make: Any, seed: int
) -> None:
    out, chance = tmp_path / "out", random.Random(seed)
    command = [sys.executable, "-m", "dsprep", "import", "librispeech", str(out), "--source", str(source)]
    command += ["--part", "dev-clean", "--workers", "2"]
    killed, longest = 0, 0.6
    while killed < 2:
        process = subprocess.Popen(
            command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while not (out / ".begun.json").exists():
            time.sleep(0.01)
        time.sleep(longest * chance.random())
        if process.poll() is None:
            victim = chance.choice([os.killpg, os.kill])
            victim(process.pid, signal.SIGKILL)
            killed += 1
        else:
            longest /= 2
        process.wait()
        if (out / "import.json").exists():
            assert not verify(out, deep=True).findings, "what says that it is complete is"
            shutil.rmtree(out)
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    assert make.tree(out) == undisturbed


def test_a_second_run_writes_nothing_new(digits: Path, tmp_path: Path, make: Any) -> None:
    out = tmp_path / "out"
    shutil.copytree(digits, out)
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*.wav")}
    run(digits.parent / "source", out, "dev-clean", "test-clean")
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.wav")} == times
    assert make.tree(out) == make.tree(digits)


def test_what_is_lost_is_made_again(digits: Path, tmp_path: Path, make: Any) -> None:
    out = tmp_path / "out"
    shutil.copytree(digits, out)
    next(out.rglob("*.wav")).unlink()
    (out / "dev-clean.csv").write_text("nonsense")
    run(digits.parent / "source", out, "dev-clean", "test-clean")
    assert make.tree(out) == make.tree(digits)


def test_other_settings_build_anew(digits: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(digits, out)
    settings = Settings(form="flac", text="deepspeech.pytorch", rules=Rules(max_seconds=1.0))
    reports = run(digits.parent / "source", out, "dev-clean", "test-clean", settings=settings)
    assert not list(out.rglob("*.wav"))
    parts = [read_manifest(out / f"{report.name}.csv") for report in reports]
    assert all(sample.transcript.isupper() for samples in parts for sample in samples)
    assert reports[0].reasons == {"too-long": 4}
    assert not verify(out, deep=True).findings


@pytest.fixture
def flawed(make: Any) -> dict[str, bytes]:
    """A part with one flaw of each kind."""
    folder = "LibriSpeech/dev-clean/1/2/"
    sound = make.flac(make.tone(1.0))
    broken = bytearray(sound)
    broken[len(broken) // 2] ^= 0xFF
    lines = [
        b"1-2-0000 FINE",
        b"1-2-0001 NO AUDIO FOR THIS LINE",
        b"1-2-0002",
        b"1-2-0003 CORRUPT",
        b"1-2-0004 CUT OFF",
        b"1-2-0005 EMPTY FILE",
        b"1-2-0006 NOT AUDIO",
        b"1-2-0007 ROOM 101",
        b"1-2-0000 AGAIN",
        b"bad.id X",
        b"1-2-0008 \xff",
        b"1-2-0009 " + b"FAR TOO MANY WORDS FOR A SECOND " * 3,
        b"1-2-0010 NO SAMPLES",
    ]
    return {
        folder + "1-2.trans.txt": b"\n".join(lines),
        folder + "1-2-0000.flac": sound,
        folder + "1-2-0002.flac": sound,
        folder + "1-2-0003.flac": bytes(broken),
        folder + "1-2-0004.flac": sound[: len(sound) // 2],
        folder + "1-2-0005.flac": b"",
        folder + "1-2-0006.flac": b"<html></html>",
        folder + "1-2-0007.flac": sound,
        folder + "1-2-0008.flac": sound,
        folder + "1-2-0009.flac": sound,
        folder + "1-2-0010.flac": make.flac(make.tone(0.0)),
        folder + "1-2-0099.flac": sound,
    }


@pytest.mark.parametrize("workers", [1, 2])
def test_each_flaw_costs_its_row_and_no_other(
    tmp_path: Path, make: Any, flawed: dict[str, bytes], workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunk, "FILES", 3)
    out = tmp_path / "out"
    (report,) = run(make.tar(tmp_path / "dev-clean.tar.gz", flawed), out, workers=workers)
    assert [sample.id for sample in read_manifest(out / "dev-clean.csv")] == ["1-2-0000"]
    reasons = rejected(out)
    assert reasons.pop("1-2-0010") in ("too-short", "unreadable")
    assert reasons == {
        "1-2-0001": "no-audio",
        "1-2-0002": "empty-text",
        "1-2-0003": "unreadable",
        "1-2-0004": "truncated",
        "1-2-0005": "unreadable",
        "1-2-0006": "unreadable",
        "1-2-0007": "unspoken",
        "1-2-0000": "duplicate-id",
        "LibriSpeech/dev-clean/1/2/1-2.trans.txt:10": "bad-row",
        "LibriSpeech/dev-clean/1/2/1-2.trans.txt:11": "bad-row",
        "1-2-0009": "too-fast",
        "1-2-0099": "no-text",
    }
    rows = len(flawed["LibriSpeech/dev-clean/1/2/1-2.trans.txt"].splitlines())
    assert report.rows == rows + 1 == report.kept.rows + sum(report.reasons.values())
    assert not verify(out, deep=True).findings


def test_reasons_are_counted(tmp_path: Path, make: Any, flawed: dict[str, bytes]) -> None:
    (report,) = run(make.folder(tmp_path / "in", flawed), tmp_path / "out")
    with (tmp_path / "out" / "rejected.csv").open(newline="") as file:
        assert report.reasons == Counter(row["reason"] for row in csv.DictReader(file))


@pytest.mark.parametrize(
    ("prepare", "told"),
    [
        (lambda out: (out / "letter.txt").write_text("mine"), "not made by dsprep import"),
        (lambda out: (out / "shards.json").write_text("{}"), "not made by dsprep import"),
    ],
)
def test_a_folder_that_is_not_ours_is_left_alone(
    tmp_path: Path, digits: Path, make: Any, prepare: Any, told: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    prepare(out)
    before = make.tree(out)
    with pytest.raises(OutputError, match=told):
        run(digits.parent / "source", out)
    assert make.tree(out) == before


def test_a_folder_of_another_corpus_or_more_parts_is_left_alone(tmp_path: Path, digits: Path, make: Any) -> None:
    out = tmp_path / "out"
    shutil.copytree(digits, out)
    with pytest.raises(OutputError, match="also holds test-clean"):
        run(digits.parent / "source", out, "dev-clean")
    with pytest.raises(OutputError, match="holds librispeech"):
        import_corpus(Job(corpus=CORPORA["ldc93s1"], sources=(str(digits),)), out, 1)
    assert make.tree(out) == make.tree(digits)


def test_parts_can_be_added(tmp_path: Path, digits: Path, make: Any) -> None:
    out = tmp_path / "out"
    run(digits.parent / "source", out, "dev-clean")
    run(digits.parent / "source", out, "dev-clean", "test-clean")
    assert make.tree(out) == make.tree(digits)


def test_a_part_that_was_mistyped_leaves_no_trace(tmp_path: Path, digits: Path, make: Any) -> None:
    out = tmp_path / "out"
    with pytest.raises(
        SourceError, match=r"nothing of librispeech dev-other .* looked for dev-other\.tar\.gz, or LibriSpeech/"
    ):
        run(digits.parent / "source", out, "dev-clean", "dev-other")
    run(digits.parent / "source", out, "dev-clean", "test-clean")
    assert make.tree(out) == make.tree(digits)


def test_the_order_of_parts_changes_nothing(tmp_path: Path, digits: Path, make: Any) -> None:
    run(digits.parent / "source", tmp_path / "out", "test-clean", "dev-clean")
    assert make.tree(tmp_path / "out") == make.tree(digits)


def test_a_place_that_is_a_file_is_told(tmp_path: Path, digits: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(OutputError, match="cannot write"):
        run(digits.parent / "source", tmp_path / "out")


def test_a_source_with_nothing_of_the_part_is_told(tmp_path: Path, make: Any) -> None:
    with pytest.raises(
        SourceError, match=r"nothing of librispeech dev-clean .* looked for dev-clean.tar.gz, or LibriSpeech/PART"
    ):
        run(make.folder(tmp_path / "in", {"music/a.mp3": b"x"}), tmp_path / "out")


def test_a_cut_archive_leaves_nothing_that_looks_whole(tmp_path: Path, source: Path) -> None:
    cut = tmp_path / "dev-clean.tar.gz"
    cut.write_bytes(source.read_bytes()[:-1000])
    with pytest.raises(SourceError, match="cut off"):
        run(cut, tmp_path / "out")
    assert not list((tmp_path / "out").glob("*.csv"))
    assert not (tmp_path / "out" / "import.json").exists()


@pytest.mark.slow
def test_two_runs_at_once_end_in_the_same_bytes(
    tmp_path: Path, source: Path, undisturbed: dict[str, bytes], make: Any
) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "dsprep", "import", "librispeech", str(out), "--source", str(source)]
    command += ["--part", "dev-clean", "--workers", "1"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(2)]
    ended = [process.communicate()[0].decode() for process in both]
    assert [process.returncode for process in both] == [0, 0], ended
    assert make.tree(out) == undisturbed


def test_an_output_folder_in_the_source_is_refused(tmp_path: Path, make: Any) -> None:
    root = make.folder(tmp_path / "in", make.spoken("dev-clean", 2))
    with pytest.raises(SourceError, match="name an output folder outside of it"):
        run(root, root / "LibriSpeech" / "out")


def test_a_part_that_is_not_there_is_told_before_another_is_converted(tmp_path: Path, make: Any) -> None:
    make.tar(tmp_path / "in" / "dev-clean.tar.gz", make.spoken("dev-clean", 2))
    with pytest.raises(SourceError, match="nothing of librispeech test-clean"):
        run(tmp_path / "in", tmp_path / "out", "dev-clean", "test-clean")
    assert not (tmp_path / "out" / "audio").exists()


def test_a_source_that_changes_commits_nothing_wrong(
    tmp_path: Path, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the survey and the conversion one clip becomes another of the same size."""
    members = make.spoken("dev-clean", 4)
    root = make.folder(tmp_path / "in", members)
    clips = sorted(root.rglob("*.flac"))
    real = chunk.plan_chunks

    def meddle(*arguments: Any) -> Any:
        clips[0].write_bytes(clips[0].read_bytes()[::-1])
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(work, "plan_chunks", meddle)
        with pytest.raises(SourceError, match="changed while it was read"):
            run(root, tmp_path / "out")
    assert not (tmp_path / "out" / "import.json").exists()
    make.folder(root, members)
    run(root, tmp_path / "out")
    assert len(read_manifest(tmp_path / "out" / "dev-clean.csv")) == 4


def test_another_run_with_other_settings_is_refused_while_one_is_at_work(
    tmp_path: Path, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make.folder(tmp_path / "in", make.spoken("dev-clean", 2))
    out, real = tmp_path / "out", chunk.outcome

    def meddle(*arguments: Any) -> Any:
        monkeypatch.undo()
        with pytest.raises(OutputError, match="is at work in"):
            run(root, out, settings=Settings(text="keep"))
        return real(*arguments)

    monkeypatch.setattr(work, "outcome", meddle)
    run(root, out)
    assert not verify(out, deep=True).findings
    run(root, out, settings=Settings(text="keep"))


def test_records_that_changed_meanwhile_are_noticed_at_the_end(
    tmp_path: Path, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make.folder(tmp_path / "in", make.spoken("dev-clean", 2))
    out, real = tmp_path / "out", chunk.outcome

    def meddle(*arguments: Any) -> Any:
        next((out / "audio").rglob("chunk-*.json")).unlink()
        return real(*arguments)

    monkeypatch.setattr(work, "outcome", meddle)
    with pytest.raises(OutputError, match="another import wrote other things"):
        run(root, out)


def test_a_channel_is_chosen_or_all_are_mixed(tmp_path: Path, make: Any) -> None:
    left, right = make.tone(1.0, 300), make.tone(1.0, 500)
    name = "LibriSpeech/dev-clean/1/2/1-2"
    both = make.flac(np.stack([left, right], axis=1))
    root = make.folder(tmp_path / "in", {f"{name}-0000.flac": both, f"{name}.trans.txt": b"1-2-0000 TWO\n"})
    for channel, expected in ((0, left), (1, right), (None, (left.astype(int) + right) / 2)):
        run(root, tmp_path / str(channel), settings=Settings(channel=channel))
        (sample,) = read_manifest(tmp_path / str(channel) / "dev-clean.csv")
        assert np.abs(decode(sample.path.read_bytes()) - expected).max() <= 1
    (report,) = run(root, tmp_path / "two", settings=Settings(channel=2))
    assert report.reasons == {"unreadable": 1}


def test_a_disk_that_takes_no_more_is_told_as_such(tmp_path: Path, make: Any) -> None:
    """A limit on the size of files stands for a full disk: the write of a clip fails in its worker."""
    name = "LibriSpeech/dev-clean/1/2/1-2"
    long = {f"{name}-0000.flac": make.flac(make.tone(20.0)), f"{name}.trans.txt": b"1-2-0000 LONG\n"}
    root = make.folder(tmp_path / "in", long)
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))"
    code = f"{limit}; from dsprep.cli import main; main()"
    arguments = ["import", "librispeech", str(tmp_path / "out"), "--source", str(root), "--part", "dev-clean"]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert re.fullmatch(r"Error: cannot write .*audio/dev-clean/chunk-00000: File too large; .*\n", done.stderr)
    run(root, tmp_path / "out")
    assert len(read_manifest(tmp_path / "out" / "dev-clean.csv")) == 1


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs file names that are no UTF-8")
def test_names_that_are_no_utf_8_are_told_and_survived(tmp_path: Path, make: Any) -> None:
    members = make.spoken("dev-clean", 2)
    members["LibriSpeech/dev-clean/9/9/9-9-\udcff.flac"] = b"x"
    root = make.folder(tmp_path / "in\udcff", members)
    (report,) = run(root, tmp_path / "out")
    assert report.kept.rows == 2
    assert rejected(tmp_path / "out") == {"9-9-\\udcff": "no-text"}
    assert not verify(tmp_path / "out", deep=True).findings


def test_an_archive_that_is_replaced_after_the_survey_is_noticed(
    tmp_path: Path, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = make.spoken("dev-clean", 4)
    path = make.tar(tmp_path / "dev-clean.tar.gz", members)
    other = {name: data[::-1] if name.endswith(".flac") else data for name, data in members.items()}
    real = chunk.plan_chunks

    def meddle(*arguments: Any) -> Any:
        make.tar(path, other)
        return real(*arguments)

    monkeypatch.setattr(work, "plan_chunks", meddle)
    with pytest.raises(SourceError, match="changed while it was read"):
        run(path, tmp_path / "out")


def test_what_fails_before_anything_was_made_leaves_nothing(tmp_path: Path, digits: Path, make: Any) -> None:
    out = tmp_path / "out"
    with pytest.raises(SourceError):
        run(digits.parent / "source", out, "dev-other")
    assert not out.exists()
    make.folder(tmp_path / "in", make.spoken("dev-clean", 2))
    with pytest.raises(SourceError, match="outside of it"):
        run(tmp_path / "in", tmp_path / "in" / "out")
    assert not (tmp_path / "in" / "out").exists()


def test_a_file_of_the_mark_s_name_makes_no_folder_ours(tmp_path: Path, digits: Path, make: Any) -> None:
    out = make.folder(tmp_path / "out", {"import.json": b'{"mine": 1}', "dev-clean.csv": b"mine too"})
    before = make.tree(out)
    with pytest.raises(OutputError, match="was not made by dsprep import"):
        run(digits.parent / "source", out)
    assert make.tree(out) == before


def test_a_mark_of_another_s_making_removes_nothing_outside(tmp_path: Path, digits: Path, make: Any) -> None:
    from dsprep.pipeline.commit import seal, unseal

    out = tmp_path / "out"
    shutil.copytree(digits, out)
    victim = make.folder(tmp_path / "victim.csv", {"a": b"precious"})
    mark = unseal((out / "import.json").read_bytes(), out)
    mark["files"] += [{"name": name, "size": 1, "sha256": ""} for name in (f"../{victim.name}", "audio")]
    (out / "import.json").write_bytes(seal(mark, indent=1))
    run(digits.parent / "source", out, "dev-clean", "test-clean", settings=Settings(form="flac"))
    assert (victim / "a").read_bytes() == b"precious"
    assert not verify(out, deep=True).findings


def test_the_alphabet_that_was_collected_can_be_asked_for(tmp_path: Path, digits: Path) -> None:
    from dsprep.pipeline.job import job

    out, corpus, sources = tmp_path / "out", CORPORA["librispeech"], [str(digits.parent / "source")]
    import_corpus(job(corpus, sources=sources, alphabet="auto"), out, 1)
    import_corpus(job(corpus, sources=sources, alphabet=str(out / "alphabet.txt")), out, 1)
    again = import_corpus(job(corpus, sources=sources, alphabet=str(out / "alphabet.txt")), out, 1)
    assert all(part.kept.rows == part.rows for part in again.parts)


def test_an_archive_of_a_kind_that_is_not_read_is_called_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "dev-clean.tar.gz"
    path.write_bytes(b"BZh91AY&SY" + b"x" * 600)
    with pytest.raises(SourceError, match="is compressed by bzip2, which is not read: unpack it"):
        run(path, tmp_path / "out")


def test_a_run_of_other_settings_that_died_leaves_no_record_of_files_it_wrote_over(
    tmp_path: Path, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other rows make other chunks: their clips of the same size lie where those of earlier records lay."""
    monkeypatch.setattr(chunk, "FILES", 2)
    name = "LibriSpeech/dev-clean/{0:02}/2/{0:02}-2"
    members: dict[str, bytes] = {}
    for speaker in range(1, 17):
        both = np.stack([make.tone(0.5, 100 * speaker), make.tone(0.5, 150 * speaker)], axis=1)
        members |= {f"{name.format(speaker)}-0000.flac": make.flac(both)}
        members |= {f"{name.format(speaker)}.trans.txt": f"{speaker:02}-2-0000 A\n".encode()}
    root, out = make.folder(tmp_path / "in", members), tmp_path / "out"
    run(root, out, settings=Settings(channel=0))
    before = make.tree(out)
    job = Job(
        corpus=CORPORA["librispeech"],
        parts=("dev-clean",),
        sources=(str(root),),
        settings=Settings(channel=1),
        only=("speaker!=01",),
    )

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(work, "_take", die)
        with pytest.raises(KeyboardInterrupt):
            import_corpus(job, out, 1)
    run(root, out, settings=Settings(channel=0))
    assert make.tree(out) == before


def test_a_mark_that_is_gone_or_no_file_is_no_end(digits: Path, tmp_path: Path, make: Any) -> None:
    """The records tell whose folder it is, and nobody waits for a pipe to say so."""
    out = tmp_path / "out"
    shutil.copytree(digits, out)
    for spoil in (lambda path: None, os.mkfifo):
        (out / "import.json").unlink()
        spoil(out / "import.json")
        run(digits.parent / "source", out, "dev-clean", "test-clean")
        assert make.tree(out) == make.tree(digits)
