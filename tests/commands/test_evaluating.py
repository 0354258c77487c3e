"""`dsprep evaluate` as a user meets it: what is printed, written, and said of what cannot be."""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dsprep.cli import main
from dsprep.commands.rates import difference_line
from dsprep.manifests import english, manifest_bytes, read_manifest
from dsprep.trainer.config import read_config
from dsprep.trainer.loading.data import read_data
from dsprep.trainer.scoring.bootstrap import Interval, Resampling
from dsprep.trainer.scoring.difference import Difference
from dsprep.trainer.training.training import train


def dsprep(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["evaluate", *map(str, arguments), "--device", "cpu"])


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, digits: Path) -> tuple[Path, Path]:
    """Two of different seeds, in a folder with an umlaut and a blank."""
    home, data = tmp_path_factory.mktemp("zwei räder"), read_data([digits / "dev-clean.csv"])
    for seed in (1, 2):
        settings = ["model.hidden=16", "model.channels=2", "batch.samples=4", "train.epochs=1", f"train.seed={seed}"]
        train(read_config("ds2-small", settings), english(), data, data, home / f"run {seed}")
    return home / "run 1", home / "run 2"


@pytest.fixture(scope="module")
def manifest(digits: Path) -> Path:
    return digits / "test-clean.csv"


def test_three_rates_stand_under_each_other_with_their_intervals(runs: tuple[Path, Path], manifest: Path) -> None:
    done = dsprep(runs[0], manifest)
    assert done.exit_code == 0, done.output
    wer, cer, ser, how = done.stdout.splitlines()
    for line, name in ((wer, "WER"), (cer, "CER"), (ser, "SER")):
        assert re.match(rf"{name} +\d+\.\d\d%  +\d+\.\d\d% to +\d+\.\d\d%  \(\d+ ", line), line
    assert "substituted" in wer
    assert " of 6 utterances have an error)" in ser
    assert how == "95% intervals: 1000 bootstrap resamples of 2 speakers, which are few: a rough guess"
    assert "model: after epoch 1\n" in done.stderr
    assert done.stdout == dsprep(runs[0], manifest).stdout


def test_json_to_standard_output_is_alone_there(runs: tuple[Path, Path], manifest: Path) -> None:
    done = dsprep(runs[0], manifest, "--json", "-", "--profile", "deepspeech-0.1")
    facts = json.loads(done.stdout)
    assert facts["model"]["place"] == str(runs[0])
    assert "\nWER " in done.stderr
    assert f"Test of Epoch 1 - WER: {facts['wer']:f}, loss: {facts['loss']:f}, mean edit distance: " in done.stderr
    assert done.stderr.count(" - res: ") == facts["wrong_utterances"]


def test_a_report_has_the_page_and_sclite_s_files(runs: tuple[Path, Path], manifest: Path, tmp_path: Path) -> None:
    home = tmp_path / "mein bericht ß" / "a"
    assert dsprep(runs[0], manifest, "--report", home).exit_code == 0
    assert {path.name for path in home.iterdir()} == {"report.html", "ref.trn", "hyp.trn", "ref.stm", "hyp.ctm"}
    assert len((home / "ref.trn").read_text().splitlines()) == 6


def test_what_a_report_needs_is_asked_for_before_anything_is_evaluated(
    runs: tuple[Path, Path], manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    done = dsprep(runs[0], manifest, "--report", tmp_path / "report")
    assert done.exit_code == 1
    assert done.stderr == "Error: this command needs more: pip install jinja2 (dsprep's extra 'train')\n"
    assert not (tmp_path / "report").exists()


def test_a_text_that_sclite_cannot_take_costs_its_files_and_no_page(
    runs: tuple[Path, Path], manifest: Path, tmp_path: Path
) -> None:
    first, *rest = read_manifest(manifest)
    (tmp_path / "x.csv").write_bytes(manifest_bytes([replace(first, transcript="one (two"), *rest], tmp_path))
    done = dsprep(runs[0], tmp_path / "x.csv", "--report", tmp_path / "out")
    assert done.exit_code == 0
    assert "gets no files for sclite" in done.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["report.html"]


def test_two_models_are_compared(runs: tuple[Path, Path], manifest: Path, tmp_path: Path) -> None:
    done = dsprep(*runs, manifest, "--json", tmp_path / "both.json", "--report", tmp_path / "report")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert len([line for line in lines if line.startswith("WER ")]) == 2
    assert lines[0] == f"{runs[0]}: after epoch 1"
    facts = json.loads((tmp_path / "both.json").read_text())
    first, second = facts["models"]
    assert facts["difference"]["wer"] == pytest.approx(second["wer"] - first["wer"])
    assert "significant" in lines[-1]
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == ["run 1", "run 2"]
    itself = dsprep(runs[0], runs[0], manifest)
    assert f"{runs[0]} has the WER of {runs[0]}: not significant" in itself.stdout


def test_what_was_written_is_scored_again_without_the_model(
    runs: tuple[Path, Path], manifest: Path, tmp_path: Path
) -> None:
    files = [tmp_path / f"{run.name}.json" for run in runs]
    both = dsprep(*runs, manifest).stdout.splitlines()
    for run, file in zip(runs, files, strict=True):
        assert dsprep(run, manifest, "--json", file).exit_code == 0
    assert dsprep(files[0]).stdout.splitlines() == both[1:5]
    again = dsprep(*files, "--report", tmp_path / "report")
    assert again.stdout.splitlines() == both
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == ["run 1.json", "run 2.json"]
    assert dsprep(files[0], runs[1], manifest).stdout.splitlines() == both
    done = dsprep(files[0], "--normalise", "deepspeech.pytorch", "--json", tmp_path / "loud.json")
    assert done.stdout.splitlines()[0] == both[1]
    assert json.loads((tmp_path / "loud.json").read_text())["results"][0]["scored_reference"].isupper()


def test_evaluations_of_different_utterances_are_not_compared(
    runs: tuple[Path, Path], digits: Path, manifest: Path, tmp_path: Path
) -> None:
    assert dsprep(runs[0], digits / "dev-clean.csv", "--json", tmp_path / "a.json").exit_code == 0
    done = dsprep(tmp_path / "a.json", runs[1], manifest)
    assert "are not of the same utterances: evaluate both again" in done.stderr.splitlines()[-1]
    done = dsprep(tmp_path / "a.json", "--normalise", "plain", "--json", tmp_path / "plain.json")
    done = dsprep(tmp_path / "a.json", tmp_path / "plain.json")
    assert done.stderr.splitlines()[-1].endswith("by plain: name one for both, as --normalise keep")
    assert dsprep(tmp_path / "a.json", tmp_path / "plain.json", "--normalise", "keep").exit_code == 0
    facts = json.loads((tmp_path / "a.json").read_text())
    facts["results"][0]["reference"] += " one"
    (tmp_path / "other.json").write_text(json.dumps(facts))
    done = dsprep(tmp_path / "a.json", tmp_path / "other.json")
    assert "are not of the same utterances" in done.stderr.splitlines()[-1]
    done = dsprep(tmp_path / "a.json", "--beam", 5)
    assert "is not decoded again: name a model and data" in done.stderr.splitlines()[-1]
    done = dsprep(tmp_path / "a.json", manifest)
    assert "is an evaluation that was written: it is scored again without data" in done.stderr.splitlines()[-1]


def test_the_sentence_says_which_way_and_how_sure() -> None:
    how = Resampling(unit="speakers", units=24)
    better = Difference(wer=-0.0042, interval=Interval(low=-0.0075, high=-0.001), better=0.994, how=how)
    assert difference_line("a", "b", better) == (
        "b has a WER 0.42 points lower than a: significant. The 95% interval of the difference, -0.75 to -0.10 points, "
        "leaves out zero; lower in 99.4% of 1000 paired resamples of 24 speakers"
    )
    worse = Difference(wer=0.001, interval=Interval(low=-0.001, high=0.003), better=0.2, how=how)
    assert difference_line("a", "b", worse).startswith("b has a WER 0.10 points higher than a: not significant, it may")


def test_a_profile_is_told_and_recorded(runs: tuple[Path, Path], manifest: Path, tmp_path: Path) -> None:
    loud = [replace(one, transcript=one.transcript.upper()) for one in read_manifest(manifest)]
    (tmp_path / "loud.csv").write_bytes(manifest_bytes(loud, tmp_path))
    plain = json.loads(dsprep(runs[0], manifest, "--json", "-").stdout)
    as_it_is = dsprep(runs[0], tmp_path / "loud.csv", "--json", "-")
    assert "the model cannot write" in as_it_is.stderr
    assert json.loads(as_it_is.stdout)["text_profile"] == "keep"
    done = dsprep(runs[0], tmp_path / "loud.csv", "--json", "-", "--normalise", "plain")
    facts = json.loads(done.stdout)
    assert (facts["text_profile"], facts["wer"], facts["intervals"]) == ("plain", plain["wer"], plain["intervals"])
    assert "text profile plain: 6 utterances are compared otherwise than they are written" in done.stderr
    assert facts["results"][0]["reference"] == loud[0].transcript
    assert facts["results"][0]["scored_reference"] == loud[0].transcript.lower()


def test_texts_of_the_data_cannot_move_a_terminal(runs: tuple[Path, Path], manifest: Path, tmp_path: Path) -> None:
    first, *rest = read_manifest(manifest)
    (tmp_path / "x.csv").write_bytes(manifest_bytes([replace(first, transcript="\u202e\x1b[2Jone"), *rest], tmp_path))
    done = dsprep(runs[0], tmp_path / "x.csv", "--profile", "deepspeech-0.1")
    assert r"\u202e\x1b[2Jone" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr


def test_references_come_from_an_stm_where_one_is_named(
    runs: tuple[Path, Path], manifest: Path, tmp_path: Path
) -> None:
    """Each clip is a recording here: the first is not to be scored, the second may be silent, the last is missing."""
    samples = sorted(read_manifest(manifest), key=lambda one: one.id)
    texts = ["IGNORE_TIME_SEGMENT_IN_SCORING", f"{{ {samples[1].transcript} / @ }}"]
    texts += [one.transcript.upper() for one in samples[2:-1]]
    lines = (f"{one.id} 1 s{n % 2} 0 99 {text}" for n, (one, text) in enumerate(zip(samples, texts, strict=False)))
    stm = tmp_path / "ä.stm"
    stm.write_text("".join(f"{line}\n" for line in (*lines, "gone 1 s 0 1 a")))
    done = dsprep(runs[0], manifest, "--stm", stm, "--json", "-")
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    assert len(facts["results"]) == 4
    assert facts["data"]["references"] == [str(stm)]
    assert "1 of 6 utterances count nowhere, first" in done.stderr
    assert "the STM says not to score it" in done.stderr
    assert "no segment of the STM files is it" in done.stderr
    assert f"1 segments of {stm} are in none of the data" in done.stderr
    (tmp_path / "a.json").write_text(done.stdout)
    again = dsprep(tmp_path / "a.json", "--json", "-", "--report", tmp_path / "report")
    assert json.loads(again.stdout) == facts
    assert not (tmp_path / "report" / "ref.stm").exists(), "the STM is the one to score by"
    assert json.loads(dsprep(tmp_path / "a.json", "--stm", stm, "--json", "-").stdout)["results"] == facts["results"]
    refused = dsprep(tmp_path / "a.json", "--normalise", "plain")
    assert refused.stderr.splitlines()[-1].endswith(f"was scored by {stm}: name that with --stm too")


def test_what_was_imported_from_an_stm_is_scored_by_it(runs: tuple[Path, Path], make: Any, tmp_path: Path) -> None:
    """Its column says that there is a choice; the STM that it came from has all of it."""
    lines = [
        ";; LABEL a b c",
        "talk 1 me 0.5 1.5 <o,f0,male> { ONE / @ } (TWO)",
        "talk 1 gap 1.5 2.0 <o,,unknown> ignore_time_segment_in_scoring",
        "talk 1 you 2.00 3.25 three four",
    ]
    stm = tmp_path / "in" / "talk.stm"
    make.folder(tmp_path / "in", {"talk.flac": make.flac(make.tone(4)), "talk.stm": "\n".join(lines).encode()})
    done = CliRunner().invoke(main, ["import", "stm", str(tmp_path / "out"), "--source", str(tmp_path / "in")])
    assert done.exit_code == 0, done.output
    plain = dsprep(runs[0], tmp_path / "out" / "stm.csv", "--json", "-")
    assert "1 references offer a choice, of which one reading counts" in plain.stderr
    assert json.loads(plain.stdout)["words"]["words"] == 4
    chosen = dsprep(runs[0], tmp_path / "out" / "stm.csv", "--stm", stm, "--normalise", "tedlium", "--json", "-")
    facts = json.loads(chosen.stdout)
    assert [one["speaker"] for one in facts["results"]] == ["me", "you"]
    assert facts["results"][0]["reference"] == "{ ONE / @ } (TWO)"
    assert facts["unscored"] == []
    assert "in none of the data" not in chosen.stderr


def test_a_column_of_choices_is_pointed_at(runs: tuple[Path, Path], manifest: Path, tmp_path: Path) -> None:
    first, *rest = read_manifest(manifest)
    known = replace(first, extras=(("stm", "{ a / b }"),))
    (tmp_path / "x.csv").write_bytes(manifest_bytes([known, *rest], tmp_path))
    assert "1 references offer a choice" in dsprep(runs[0], tmp_path / "x.csv").stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["{run}", "{run}", "{run}", "{data}"], "evaluate takes one run or two, and after them the data"),
        (["{run}", "{data}", "{run}"], "evaluate takes one run or two, and after them the data"),
        (["{run}", "{run}"], "evaluate needs data"),
        (["{data}", "{run}"], "name models first, dsprep evaluate RUN DATA..."),
        (["{run}", ""], "is empty: name one, or `.`"),
        (["{run}", "{data}", "--normalise", ""], "there is no text profile ''"),
        (["{run}"], "evaluate needs data"),
        (["gone.json"], "cannot read gone.json: No such file"),
        (["{run}", "{data}", "--normalise", "plane"], "there is no text profile 'plane': did you mean plain?"),
        (["{run}", "{data}", "--stm", "gone.stm"], "cannot read gone.stm: No such file"),
        (["{run}", "{data}", "--stm", "{data}"], "begin time, end time: mend it, or name another file with --stm"),
        (["{run}", "{data}", "--report", "{data}"], "cannot write"),
        (["{run}", "{data}", "--report", "/proc/x"], "cannot write /proc/x"),
        (["gone.onnx", "{data}"], "cannot read gone.onnx: No such file"),
        (["{folder}", "{data}"], "holds no whole checkpoint: name a folder that dsprep train --run has written"),
    ],
)
def test_a_mistake_is_told_in_a_line(runs: tuple[Path, Path], manifest: Path, arguments: list[str], told: str) -> None:
    done = dsprep(*(one.format(run=runs[0], data=manifest, folder=manifest.parent) for one in arguments))
    assert done.exit_code == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("Error: ")
    assert told in last
