"""`dsprep transcribe` as a user meets it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from torch import nn

from dsprep.cli import main
from dsprep.manifests import english
from dsprep.pipeline.sound.audio import encode
from dsprep.trainer.config import Config, DeepSpeech1Config, DeepSpeech2Config
from dsprep.trainer.features import FEATURES
from dsprep.trainer.models import build_model
from dsprep.trainer.training.checkpoint import save
from dsprep.trainer.training.standing import Standing

UNI = Config(features="mfcc-deepspeech-0.7", model=DeepSpeech1Config(hidden=16, bidirectional=False))
BOTH = Config(model=DeepSpeech2Config(channels=2, hidden=8, layers=1))


def run_of(folder: Path, config: Config) -> Path:
    """A run whose weights were drawn, and large, so that it says something of everything."""
    torch.manual_seed(5)
    features = FEATURES[config.features]()
    model = build_model(config, features.size, english().size)
    for parameter in model.parameters():
        if parameter.dim() > 1:
            nn.init.normal_(parameter, std=2 / parameter.shape[-1] ** 0.5)
    save(folder, Standing(config=config, alphabet=english(), data="", dev=""), model)
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    home = tmp_path_factory.mktemp("runs")
    return {name: run_of(home / name, config) for name, config in (("uni", UNI), ("both", BOTH))}


def wav(path: Path, seconds: float, seed: int = 1) -> Path:
    pcm = np.random.default_rng(seed).normal(0, 3000, round(seconds * 16_000)).astype(np.int16)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(encode(pcm, "wav")))
    return path


def transcribe(*arguments: object, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(main, ["transcribe", *map(str, arguments)], input=stdin, catch_exceptions=False)


def texts(done: Result) -> dict[str, str]:
    assert done.exit_code == 0, done.stderr
    return dict(line.split("\t") for line in done.stdout.splitlines())


def test_a_line_an_input_in_the_order_given_with_the_pace_beside(tmp_path: Path, runs: dict[str, Path]) -> None:
    one, two = wav(tmp_path / "Ä b.wav", 1.0, 1), wav(tmp_path / "c" / "d.wav", 2.0, 2)
    done = transcribe(runs["both"], two, tmp_path, one, one)
    assert done.exit_code == 0, done.stderr
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert [path for path, _ in lines] == [str(path) for path in (two, two, one, one, one)]
    assert len({text for path, text in lines if path == str(one)}) == 1
    assert lines[0][1]
    assert done.stderr.startswith("7.0 s of audio in ")
    assert "real-time factor 0." in done.stderr


def test_a_manifest_s_clips_have_the_texts_of_their_files(digits: Path, runs: dict[str, Path]) -> None:
    rows = [line.split(",") for line in (digits / "dev-clean.csv").read_text().splitlines()[1:]]
    by_id = texts(transcribe(runs["both"], digits / "dev-clean.csv"))
    assert list(by_id) == [row[3] for row in rows]
    by_path = texts(transcribe(runs["both"], *(digits / row[0] for row in rows), "--batch-seconds", 2))
    assert list(by_path.values()) == list(by_id.values())


def test_json_is_an_object_a_line_with_words_in_time(tmp_path: Path, runs: dict[str, Path]) -> None:
    one = wav(tmp_path / "a.wav", 1.5)
    done = transcribe(runs["both"], one, "--json")
    (facts,) = map(json.loads, done.stdout.splitlines())
    assert list(facts) == ["path", "seconds", "text", "score", "words"]
    assert (facts["path"], facts["seconds"]) == (str(one), 1.5)
    assert facts["text"] == texts(transcribe(runs["both"], one))[str(one)]
    assert " ".join(word["text"] for word in facts["words"]) == facts["text"]
    for word in facts["words"]:
        assert 0 <= word["start"] <= word["end"] <= 1.52
        assert 0 < word["confidence"] <= 1


def test_names_that_no_terminal_can_show_are_shown_as_escapes(tmp_path: Path, runs: dict[str, Path]) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\x1b[2J\t.wav"))
    wav(odd, 0.5)
    (shown,) = transcribe(runs["both"], tmp_path).stdout.splitlines()
    assert shown.startswith(f"{tmp_path}/\\udcff\\x1b[2J\\t.wav\t")
    (told,) = transcribe(runs["both"], tmp_path, "--json").stdout.splitlines()
    assert told.isascii()
    assert json.loads(told)["path"] == str(odd)
    assert transcribe(runs["both"], odd, "--srt").exit_code == 0
    assert odd.with_suffix(".srt").is_file()


def test_subtitles_lie_beside_the_sound_or_in_a_folder(tmp_path: Path, runs: dict[str, Path]) -> None:
    one = wav(tmp_path / "in" / "x" / "a b.wav", 1.5)
    assert transcribe(runs["both"], tmp_path / "in", "--srt", "--vtt").exit_code == 0
    assert one.with_suffix(".srt").read_text().startswith("1\n00:00:0")
    assert one.with_suffix(".vtt").read_text().startswith("WEBVTT\n\n00:00:0")
    assert transcribe(runs["both"], tmp_path / "in", "--vtt", "--out", tmp_path / "new").exit_code == 0
    assert (tmp_path / "new/x/a b.vtt").read_bytes() == one.with_suffix(".vtt").read_bytes()


def test_what_cannot_be_heard_is_named_the_rest_goes_on_and_the_end_is_1(tmp_path: Path, runs: dict[str, Path]) -> None:
    good, tiny = wav(tmp_path / "good.wav", 1.0), wav(tmp_path / "tiny.wav", 0.01)
    (tmp_path / "bad.wav").write_bytes(b"RIFF")
    wav(tmp_path / "none.wav", 0)
    done = transcribe(runs["both"], tmp_path)
    assert done.exit_code == 1
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == [str(good), str(tiny)]
    told = done.stderr.splitlines()
    assert told[0].startswith(f"{tmp_path / 'bad.wav'}: ")
    assert told[1] == f"{tmp_path / 'none.wav'}: it holds no sound"
    assert told[-1] == "Error: 2 of 4 inputs could not be heard; what is wrong with each is told above"
    found = [json.loads(line) for line in transcribe(runs["both"], tmp_path, "--json").stdout.splitlines()]
    assert [("error" in one, "text" in one) for one in found] == [
        (True, False),
        (False, True),
        (True, False),
        (False, True),
    ]


def test_stereo_at_48_khz_is_heard_as_its_mean_at_16(tmp_path: Path, runs: dict[str, Path]) -> None:
    import soundfile

    from dsprep.pipeline.sound.audio import decode

    sound = np.random.default_rng(1).normal(0, 0.1, (96_000, 2))
    soundfile.write(tmp_path / "stereo.flac", sound, 48_000)
    (tmp_path / "mono.wav").write_bytes(bytes(encode(decode((tmp_path / "stereo.flac").read_bytes()), "wav")))
    assert len(set(texts(transcribe(runs["both"], tmp_path)).values())) == 1


def test_digital_silence_is_heard(tmp_path: Path, runs: dict[str, Path]) -> None:
    (tmp_path / "silence.wav").write_bytes(bytes(encode(np.zeros(16_000, np.int16), "wav")))
    for run in runs.values():
        assert transcribe(run, tmp_path / "silence.wav").exit_code == 0


@pytest.mark.parametrize("run", ["uni", "both"])
def test_a_pipe_has_the_text_of_the_file(tmp_path: Path, runs: dict[str, Path], run: str) -> None:
    one = wav(tmp_path / "a.wav", 3.0)
    said = texts(transcribe(runs[run], one))[str(one)]
    for data in (one.read_bytes(), one.read_bytes()[44:]):
        done = transcribe(runs[run], "-", stdin=data)
        assert done.exit_code == 0, done.stderr
        assert " ".join(line.removeprefix("-\t") for line in done.stdout.splitlines()) == said
        assert "3.0 s of audio in " in done.stderr
        assert ("hears whole utterances" in done.stderr) == (run == "both")


def test_partial_results_grow_into_the_whole(tmp_path: Path, runs: dict[str, Path]) -> None:
    done = transcribe(runs["uni"], "-", "--partial", stdin=wav(tmp_path / "a.wav", 3.0).read_bytes())
    *partial, last = done.stdout.splitlines()
    assert partial
    assert all(line.startswith("~\t") for line in partial)
    assert last.startswith(f"-\t{partial[0].removeprefix('~').strip()}")
    found = [
        json.loads(line)
        for line in transcribe(
            runs["uni"], "-", "--partial", "--json", stdin=(tmp_path / "a.wav").read_bytes()
        ).stdout.splitlines()
    ]
    assert [one.get("partial", False) for one in found] == [True] * len(partial) + [False]
    assert found[-1]["text"] == last.removeprefix("-\t")
    assert found[-1]["words"][-1]["end"] <= found[-1]["end"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-", "a.wav"], "- is standard input, which is heard alone"),
        (["-", "--srt"], "--srt writes beside a file, and - has none"),
        (["a.wav", "--partial"], "name - as the input"),
        (["a.wav", "--out", "x"], "ask for them with --srt or --vtt"),
        (["gone.wav"], "there is no gone.wav"),
        (["empty"], "there is no audio in empty"),
        (["a.wav", "--device", "abacus"], "--device abacus"),
        (["a.wav", "a.flac", "--srt"], "the subtitles of a.wav and of a.flac would both be a.srt"),
    ],
)
def test_a_mistake_costs_one_line(
    tmp_path: Path, runs: dict[str, Path], monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    wav(tmp_path / "a.wav", 0.1)
    wav(tmp_path / "a.flac", 0.1)
    done = transcribe(runs["both"], *arguments)
    assert (done.exit_code, done.stdout) == (1, "")
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_folder_that_is_no_run_is_told(tmp_path: Path) -> None:
    done = transcribe(tmp_path, wav(tmp_path / "a.wav", 0.1))
    assert done.exit_code == 1
    assert "is neither a run nor an export" in done.stderr


def test_a_pipe_without_sound_is_told(runs: dict[str, Path]) -> None:
    for run in runs.values():
        for data in (b"", b"x", b"fLaC" + bytes(100)):
            done = transcribe(run, "-", stdin=data)
            assert done.exit_code == 1
            assert "Error: standard input" in done.stderr


def test_a_folder_for_subtitles_that_cannot_be_written_is_told(tmp_path: Path, runs: dict[str, Path]) -> None:
    one = wav(tmp_path / "a.wav", 0.1)
    done = transcribe(runs["both"], one, "--srt", "--out", one / "below")
    assert done.exit_code == 1
    assert str(one / "below") in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("run", ["uni", "both"])
def test_ctrl_c_ends_the_pipe_and_shows_what_was_heard(tmp_path: Path, runs: dict[str, Path], run: str) -> None:
    data = wav(tmp_path / "a.wav", 3.0).read_bytes()[44:]
    command = [sys.executable, "-m", "dsprep", "transcribe", str(runs[run]), "-", "--partial"]
    with subprocess.Popen(
        command, stdin=-1, stdout=-1, stderr=-1, env={**os.environ, "OMP_NUM_THREADS": "1"}
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(data)
        process.stdin.flush()
        if run == "uni":
            assert process.stdout.readline().startswith(b"~\t")
        else:
            assert b"whole utterances" in process.stderr.readline()
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        shown, told = process.stdout.read().decode(), process.stderr.read().decode()
    assert process.returncode == 130
    assert shown.splitlines()[-1].startswith("-\t")
    assert told.splitlines()[-1] == "stopped; what was heard until then is shown"
    assert "Traceback" not in told
