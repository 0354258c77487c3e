"""The command line as a user meets it: a process, its output, its exit code."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

Run = subprocess.CompletedProcess[str]


def dsprep(*arguments: object, cwd: Path | None = None, **environment: str) -> Run:
    command = [sys.executable, "-m", "dsprep", *map(str, arguments)]
    env = {**os.environ, **environment}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=300)


def test_help_lists_every_verb() -> None:
    shown = dsprep("--help")
    assert shown.returncode == 0
    for verb in (
        "check",
        "convert",
        "corpora",
        "demo",
        "evaluate",
        "export",
        "import",
        "lm",
        "shard",
        "stats",
        "text",
        "train",
        "transcribe",
        "verify",
    ):
        assert f"\n  {verb} " in shown.stdout


@pytest.mark.slow
def test_the_main_job_from_the_shell(tmp_path: Path, make: Any) -> None:
    """Import, shard, verify, train, evaluate, in a folder with a space and an accent, in the C locale."""
    home = tmp_path / "my dàta"
    for part, count in (("dev-clean", 12), ("test-clean", 6)):
        make.tar(home / "in" / f"{part}.tar.gz", make.spoken(part, count))

    def run(*arguments: object) -> str:
        done = dsprep(*arguments, cwd=home, LC_ALL="C", PYTHONUTF8="0")
        assert done.returncode == 0, done.stderr
        return done.stdout

    imported = run("import", "librispeech", "out", "--source", "in", "--part", "dev-clean", "--part", "test-clean")
    assert imported.splitlines()[1].split() == ["dev-clean", "12", "12", "0.00", "0", "0.00", "100.0%"]
    assert run("shard", "out/dev-clean.csv", "shards", "--shard-bytes", "100KB").startswith("12 samples, 0.00 h, in ")
    assert run("verify", "out", "--deep").startswith("complete: 24 files, every byte")
    assert run("verify", "shards").startswith("complete: ")
    settings = ["--set", "model.hidden=16", "--set", "train.epochs=2"]
    trained = run("train", "--train", "shards", "--dev", "out/test-clean.csv", "--run", "run", *settings)
    assert trained.splitlines()[-1].startswith("best after epoch ")
    evaluated = run("evaluate", "run", "out/test-clean.csv", "shards", "--json", "wer.json")
    found = json.loads((home / "wer.json").read_text())
    assert evaluated.startswith(f"WER {found['wer']:7.2%}  ")
    assert found["utterances"] == 18 == len(found["results"])
    assert found["words"]["words"] == sum(len(one["reference"].split()) for one in found["results"])
    again = dsprep("train", "--train", "shards", "--dev", "out/test-clean.csv", "--run", "run", *settings, cwd=home)
    assert "going on after epoch 2" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["import", "librispech", "x"], 1, "there is no corpus 'librispech': did you mean librispeech?"),
        (["import", "librispeech", "x", "--part", "dev-claen"], 1, "did you mean dev-clean?"),
        (["import", "ldc93s1", "x", "--text", "loud"], 1, "there is no text profile 'loud': there are plain"),
        (["import", "ldc93s1", "x", "--source", "gone"], 1, "cannot read gone: No such file or directory"),
        (["import", "ldc93s1", "x", "--source", ""], 1, "--source is empty"),
        (["import", "ldc93s1", "x", "--source", "file:///a"], 1, "only http and https are fetched"),
        (["import", "ldc93s1", "x", "--source", "a" * 5000], 1, "cannot read aaaa"),
        (["import", "ldc93s1", "x", "--min-seconds", "nan"], 2, "nan is no number"),
        (["import", "ldc93s1", "x", "--min-seconds", "5", "--max-seconds", "1"], 1, "nothing is that long"),
        (["import", "ldc93s1"], 2, "Missing argument 'OUT'"),
        (["import", "ldc93s1", "x", "--workers", "0"], 2, "not in the range"),
        (["shard", "gone.csv", "x"], 1, "there is no manifest gone.csv"),
        (["shard", "a.csv", "x", "--shard-bytes", "large"], 1, "a size is a number and a unit"),
        (["verify", "gone"], 1, "holds neither import.json, shards.json nor convert.json"),
        (["evaluate", "gone", "data.csv"], 1, "there is no manifest data.csv"),
        (["train", "--train", "a.csv", "--dev", "a.csv", "--run", "r", "--config", "ds9"], 1, "there is no config ds9"),
        (["stats", "gone.csv"], 1, "there is no manifest gone.csv"),
        (["check", "gone.csv"], 1, "there is no manifest gone.csv"),
        (["check", "gone.csv", "--model", "ds3"], 1, "there is no model 'ds3'"),
        (["check", "gone.csv", "--alphabet", "abc"], 1, "there is no alphabet abc"),
        (["check"], 2, "Missing argument 'DATA...'"),
        (["trian"], 2, "No such command"),
    ],
)
def test_a_mistake_costs_one_line_and_no_traceback(tmp_path: Path, arguments: list[str], code: int, told: str) -> None:
    done = dsprep(*arguments, cwd=tmp_path)
    assert done.returncode == code
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    if code == 1:
        assert len(done.stderr.splitlines()) == 1


def test_damage_is_an_exit_code_and_names_the_file(tmp_path: Path, digits: Path) -> None:
    import shutil

    shutil.copytree(digits, tmp_path / "out")
    victim = next((tmp_path / "out").rglob("*.wav"))
    victim.write_bytes(victim.read_bytes()[:-1] + b"!")
    done = dsprep("verify", tmp_path / "out", "--deep")
    assert done.returncode == 1
    assert f"{victim.relative_to(tmp_path / 'out')}  other bytes than were written" in done.stdout


def test_stats_and_check_tell_people_and_machines(tmp_path: Path, digits: Path) -> None:
    data = [digits / "dev-clean.csv", digits / "test-clean.csv"]
    shown = dsprep("stats", *data, "--json", tmp_path / "stats.json")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.splitlines()[:2] == [
        "              dev-clean  test-clean   all", "clips                12           6    18",
    ]  # fmt: skip
    assert json.loads((tmp_path / "stats.json").read_text())["total"]["clips"] == 18
    checked = dsprep("check", *data, "--workers", "1", "--json", tmp_path / "check.json")
    facts = json.loads((tmp_path / "check.json").read_text())
    assert checked.returncode == (1 if facts["errors"] else 0)
    assert (facts["clips"], facts["unchecked"]) == (18, [])


def test_an_error_in_the_data_is_an_exit_code_and_a_note_is_not(tmp_path: Path, digits: Path) -> None:
    header, *rows = (digits / "dev-clean.csv").read_text().replace("audio/", f"{digits}/audio/").splitlines()
    audio, size, text, *others = rows[0].split(",")
    for name, said in (("note", f"{text} "), ("error", "4")):
        (tmp_path / f"{name}.csv").write_text(f"{header}\n{','.join([audio, size, said, *others])}\n")
    note, error = (dsprep("check", tmp_path / name, "--quick") for name in ("note.csv", "error.csv"))
    assert (note.returncode, note.stdout.splitlines()[-1]) == (0, "0 errors and 1 note in 1 clip")
    assert error.returncode == 1
    assert error.stderr == "Error: 1 error and 0 notes in 1 clip: mend the errors, or take their rows out\n"
    assert "Traceback" not in error.stderr


def test_an_import_that_keeps_nothing_is_a_failure(tmp_path: Path, make: Any) -> None:
    make.tar(tmp_path / "in" / "dev-clean.tar.gz", make.spoken("dev-clean", 2))
    arguments = ["import", "librispeech", tmp_path / "out", "--source", tmp_path / "in", "--part", "dev-clean"]
    done = dsprep(*arguments, "--min-seconds", "100")
    assert done.returncode == 1
    assert "nothing was kept of dev-clean" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="needs a folder in which nobody may write, root included")
def test_a_folder_without_rights_is_told(digits: Path) -> None:
    done = dsprep("shard", digits / "dev-clean.csv", "/proc/dsprep")
    assert done.returncode == 1
    assert "cannot write /proc/dsprep: " in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_an_output_that_is_full_is_told() -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "dsprep", "corpora"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "Error: standard output: No space left on device"


def test_control_characters_from_data_do_not_reach_the_terminal(tmp_path: Path) -> None:
    done = dsprep("shard", "\x1b[31mred.csv", "out", cwd=tmp_path)
    assert "\x1b" not in done.stderr
    assert "\\x1b[31mred.csv" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("wait", [0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4])
def test_an_import_interrupted_anywhere_ends_soon_and_goes_on(
    tmp_path: Path, make: Any, number: signal.Signals, wait: float
) -> None:
    make.tar(tmp_path / "in" / "dev-clean.tar.gz", make.spoken("dev-clean", 600, 3))
    arguments = ["import", "librispeech", str(tmp_path / "out"), "--source", str(tmp_path / "in")]
    arguments += ["--part", "dev-clean", "--workers", "2"]
    command = [sys.executable, "-m", "dsprep", *arguments]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    while not (tmp_path / "out" / ".begun.json").exists():
        time.sleep(0.01)
    time.sleep(wait)
    os.killpg(process.pid, number)
    _, told = process.communicate(timeout=30)
    if process.returncode != 0:  # it may have been done already
        assert process.returncode == 130, told
        assert told.splitlines()[-1].endswith("type the same command to go on")
        assert "Traceback" not in told
    assert dsprep(*arguments).returncode == 0


@pytest.mark.slow
def test_an_interrupted_training_saves_and_goes_on(tmp_path: Path, digits: Path) -> None:
    data = digits / "dev-clean.csv"
    arguments = ["train", "--train", str(data), "--dev", str(data), "--run", str(tmp_path / "run")]
    arguments += ["--set", "model.hidden=8", "--set", "train.epochs=500"]
    command = [sys.executable, "-m", "dsprep", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "type the same command to go on from" in told
    assert list((tmp_path / "run" / "checkpoints").glob("*.safetensors"))


def test_what_an_extra_is_needed_for_is_told_with_its_command(tmp_path: Path) -> None:
    """As if torch were not installed: a finder that knows none of its names."""
    code = (
        "import sys, importlib.machinery\n"
        "class None_(importlib.machinery.PathFinder):\n"
        "    @classmethod\n"
        "    def find_spec(cls, name, path=None, target=None):\n"
        "        if name in ('torch', 'rapidfuzz'): return None\n"
        "        return super().find_spec(name, path, target)\n"
        "sys.meta_path = [None_ if one is importlib.machinery.PathFinder else one for one in sys.meta_path]\n"
        "sys.argv = ['dsprep', 'evaluate', 'run', 'x.csv']\n"
        "from dsprep.cli import main; main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "Error: this command needs more: pip install torch rapidfuzz (dsprep's extra 'train')\n"


def test_figures_go_to_standard_output_or_a_pipe_if_asked(tmp_path: Path, digits: Path) -> None:
    manifest = str(digits / "dev-clean.csv")
    done = dsprep("stats", manifest, "--json", "-", cwd=tmp_path)
    assert json.loads(done.stdout)
    assert "dev-clean" in done.stderr
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE) as reader:
        assert dsprep("stats", manifest, "--json", "pipe", cwd=tmp_path).returncode == 0
        assert reader.stdout
        assert json.loads(reader.stdout.read())
    assert pipe.is_fifo()
