"""Evaluations of a small run: each utterance once, whatever the batches and the processes, and all of it told."""

import json
import math
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from dsprep.manifests import DataError, TrainingError, english, manifest_bytes, read_manifest
from dsprep.trainer.acoustic.run import open_run
from dsprep.trainer.config import BatchConfig, read_config
from dsprep.trainer.decoding.decoding import Decoding
from dsprep.trainer.decoding.hypothesis import Word
from dsprep.trainer.evaluating import Asked, evaluate_model, hearing_of, is_model
from dsprep.trainer.judging import judge, judged
from dsprep.trainer.loading.data import Data, read_data
from dsprep.trainer.scoring.errors import Errors, count_characters, count_words
from dsprep.trainer.scoring.evaluated import read_evaluated
from dsprep.trainer.scoring.heard import Evaluation
from dsprep.trainer.scoring.rules import Rules, rules_of
from dsprep.trainer.scoring.summary import summary_of
from dsprep.trainer.training.checkpoint import checkpoints
from dsprep.trainer.training.training import train

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def data(digits: Path) -> Data:
    return read_data([digits / "test-clean.csv", digits / "dev-clean.csv"])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, data: Data) -> Path:
    """Of so few steps that it writes nonsense."""
    home = tmp_path_factory.mktemp("a rün") / "run"
    settings = ["model.hidden=16", "model.channels=2", "batch.samples=4", "train.epochs=2", "train.rate=2e-2"]
    train(read_config("ds2-small", settings), english(), data, data, home)
    return home


@pytest.mark.parametrize("batch", [BatchConfig(samples=1), BatchConfig(samples=5), BatchConfig(seconds=1e6)])
def test_each_utterance_is_heard_once_and_the_same_in_any_batch(run: Path, data: Data, batch: BatchConfig) -> None:
    whole = evaluate_model(run, Asked(data=data, device=CPU)).evaluation
    model = open_run(run, CPU)
    found = judge(model.model, model.features, data, model.alphabet, batch)
    assert [one.sample for one in found.heard] == sorted(data.samples, key=lambda one: one.id)
    assert [one.hypothesis.text for one in found.heard] == [one.hypothesis.text for one in whole.heard]
    assert found.words == whole.words
    assert found.loss == pytest.approx(whole.loss, rel=1e-4)


def test_a_model_of_any_kind_is_judged_as_a_run_is(run: Path, data: Data) -> None:
    """By what it tells of clips, as an exported one does."""
    whole = evaluate_model(run, Asked(data=data, device=CPU)).evaluation
    model = open_run(run, CPU)
    decoder = Decoding().decoder(model.alphabet)
    found = judged(hearing_of(model), decoder, data, BatchConfig(samples=7))
    assert [one.hypothesis.text for one in found.heard] == [one.hypothesis.text for one in whole.heard]
    assert [one.loss for one in found.heard] == pytest.approx([one.loss for one in whole.heard], rel=1e-3)


@pytest.mark.slow
def test_several_processes_tell_what_one_tells(run: Path, digits: Path, tmp_path: Path, torchrun: Any) -> None:
    """Eighteen utterances, in turns of one, two and three processes."""
    told = {}
    for count in (1, 2, 3):
        home = tmp_path / f"of {count}"
        places = [str(digits / name) for name in ("test-clean.csv", "dev-clean.csv")]
        status, said = torchrun.run(count, "-m", "dsprep", "--", "evaluate", str(run), *places, "--json", str(home))
        assert status == 0, said[-2000:]
        assert len([line for line in said.splitlines() if line.startswith("WER ")]) == 1
        told[count] = json.loads(home.read_text())
    ids = [one.id for name in ("dev-clean", "test-clean") for one in read_manifest(digits / f"{name}.csv")]
    for found in told.values():
        assert [one["id"] for one in found["results"]] == sorted(ids)
        for key in ("wer", "cer", "ser", "intervals", "words", "characters", "model", "data"):
            assert found[key] == told[1][key]
        assert [one["hypothesis"] for one in found["results"]] == [one["hypothesis"] for one in told[1]["results"]]


@dataclass(frozen=True)
class Told:
    """A result as JSON has it."""

    facts: dict[str, Any]

    @property
    def words(self) -> Errors:
        return count_words(self.facts["reference"], self.facts["hypothesis"])

    @property
    def characters(self) -> Errors:
        return count_characters(self.facts["reference"], self.facts["hypothesis"])

    @property
    def speaker(self) -> str:
        return str(self.facts["speaker"])


def test_all_scores_can_be_computed_from_the_json_alone(run: Path, data: Data) -> None:
    evaluated = evaluate_model(run, Asked(data=data, device=CPU))
    facts = json.loads(json.dumps(evaluated.facts(), allow_nan=False))
    again = summary_of([Told(one) for one in facts["results"]]).facts()
    assert {key: facts[key] for key in again} == again
    assert [one["words"] for one in facts["results"]] == [Told(one).words.facts() for one in facts["results"]]
    assert facts["loss"] == pytest.approx(sum(one["loss"] for one in facts["results"]) / len(data.samples))
    assert facts["model"]["checkpoint"] in {path.name for path, _ in checkpoints(run)}
    assert len(facts["model"]["sha256"]) == 64
    assert facts["data"]["digest"] == data.digest
    assert facts["decoder"]["name"] == "greedy"
    assert facts["text_profile"] == "keep"
    timed = [one for one in facts["results"] if one["times"]]
    assert all(" ".join(word["word"] for word in one["times"]) == one["hypothesis"] for one in timed)


def test_what_was_written_is_read_back_the_same(run: Path, data: Data, tmp_path: Path) -> None:
    first = replace(data.samples[0], transcript="  two  spaces", extras=(("accent", "hessisch"),))
    (tmp_path / "x.csv").write_bytes(manifest_bytes([first, *data.samples[1:]], tmp_path))
    evaluated = evaluate_model(run, Asked(data=read_data([tmp_path / "x.csv"]), device=CPU))
    for rules in (Rules(), Rules(name="plain")):
        known = evaluated.by(rules)
        (tmp_path / "a.json").write_text(json.dumps(known.facts(), allow_nan=False))
        assert read_evaluated(tmp_path / "a.json") == known
    assert read_evaluated(tmp_path / "a.json").by(Rules()) == evaluated


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("results",), []),
        (("results", 0, "columns"), [1]),
        (("results", 0, "times", 0, "start"), "x"),
        (("results", 0, "loss"), math.nan),
        (("decoder",), None),
        (("decoder",), {}),
        (("decoder", "lm"), {"x": 1}),
        (("decoder", "hot_words"), [1]),
        (("data",), [1]),
    ],
)
def test_a_value_of_another_kind_is_told_when_it_is_read(
    run: Path, data: Data, tmp_path: Path, place: tuple[str | int, ...], value: object
) -> None:
    evaluated = evaluate_model(run, Asked(data=data, device=CPU))
    word = Word(text="a", start=0.0, end=0.1, confidence=1.0)
    first, *rest = evaluated.evaluation.heard
    first = replace(first, hypothesis=replace(first.hypothesis, words=(word,)))
    asked = Decoding(lm=Path("x"), hot_words=(("one", 2.0),))
    kept = replace(evaluated, evaluation=Evaluation((first, *rest)), decoder=asked.facts())
    assert "lm x, alpha 0.93" in kept.shown()["decoder"]
    assert "hot word one 2" in kept.shown()["decoder"]
    facts: Any = json.loads(json.dumps(kept.facts()))
    (tmp_path / "a.json").write_text(json.dumps(facts))
    assert read_evaluated(tmp_path / "a.json") == kept
    at = facts
    for key in place[:-1]:
        at = at[key]
    at[place[-1]] = value
    (tmp_path / "a.json").write_text(json.dumps(facts))
    with pytest.raises(DataError, match="is no evaluation of one model"):
        read_evaluated(tmp_path / "a.json")


def test_errors_are_counted_when_an_evaluation_is_read(run: Path, data: Data, tmp_path: Path) -> None:
    facts = evaluate_model(run, Asked(data=data, device=CPU)).facts()
    said = facts["results"][0]
    said["hypothesis"] = said["reference"]
    (tmp_path / "a.json").write_text(json.dumps(facts))
    first = read_evaluated(tmp_path / "a.json").evaluation.heard[0]
    assert (first.words.total, first.characters.total) == (0, 0)
    assert first.words.words == len(said["reference"].split())


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[" * 100_000, "is no evaluation of one model"),
        ("", "is no evaluation of one model"),
        ("[1]", "is no evaluation of one model"),
        ("{}", "is no evaluation of one model"),
        ('{"version": 0}', "was written by another version"),
        ('{"version": 1, "model": {}, "data": {}, "results": [{}]}', "is no evaluation of one model"),
    ],
)
def test_json_that_is_no_evaluation_is_told(tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(DataError, match=told):
        read_evaluated(tmp_path / "a.json")


def test_runs_and_exported_models_are_told_from_data(run: Path, digits: Path, tmp_path: Path) -> None:
    assert is_model(run)
    assert is_model(tmp_path / "gone.onnx")
    assert is_model(tmp_path / "wer.json")
    (tmp_path / "model.onnx").touch()
    assert is_model(tmp_path)
    assert not is_model(digits)
    assert not is_model(digits / "dev-clean.csv")


def test_an_exported_model_that_is_not_there_is_told(tmp_path: Path, data: Data) -> None:
    with pytest.raises(TrainingError, match=r"cannot read .*gone\.onnx: No such file"):
        evaluate_model(tmp_path / "gone.onnx", Asked(data=data, device=CPU))


def test_what_the_model_cannot_write_is_told_and_counts(run: Path, digits: Path, tmp_path: Path) -> None:
    first, *rest = read_manifest(digits / "test-clean.csv")
    strange = replace(first, transcript="naïve 5")
    (tmp_path / "x.csv").write_bytes(manifest_bytes([strange, *rest], tmp_path))
    notices: list[str] = []
    asked = Asked(data=read_data([tmp_path / "x.csv"]), device=CPU, on_notice=notices.append)
    found = evaluate_model(run, asked)
    assert "the model cannot write '5'" in notices[0]
    assert "'ï' (U+00EF) in 1 transcripts" in notices[0]
    (one,) = (one for one in found.evaluation.heard if one.sample.id == first.id)
    assert one.words.words == 2
    assert one.words.total >= 2
    assert one.loss == float("inf")
    assert json.loads(json.dumps(found.facts(), allow_nan=False))["results"]


def test_damaged_and_foreign_checkpoints_are_told(run: Path, data: Data, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    for path, _ in checkpoints(tmp_path / "run"):
        path.write_bytes(path.read_bytes()[:-1])
    notices: list[str] = []
    with pytest.raises(TrainingError, match="holds no whole checkpoint: name a folder"):
        evaluate_model(tmp_path / "run", Asked(data=data, device=CPU, on_notice=notices.append))
    assert all("is damaged" in told for told in notices)


def test_references_that_are_empty_are_scored_and_told_unless_all_are(run: Path, digits: Path, tmp_path: Path) -> None:
    samples = read_manifest(digits / "test-clean.csv")
    silent = [replace(one, transcript="") for one in samples]
    (tmp_path / "some.csv").write_bytes(manifest_bytes([silent[0], *samples[1:]], tmp_path))
    (tmp_path / "all.csv").write_bytes(manifest_bytes(silent, tmp_path))
    rules = rules_of("keep", [])
    some = evaluate_model(run, Asked(data=read_data([tmp_path / "some.csv"]), device=CPU)).evaluation
    assert len(rules.scored(some).heard) == len(samples)
    assert next(rules.notices(some)).startswith("1 references are empty: what was heard there counts as put in")
    everything = evaluate_model(run, Asked(data=read_data([tmp_path / "all.csv"]), device=CPU)).evaluation
    with pytest.raises(DataError, match="no utterance has a word of reference; name data with transcripts"):
        rules.scored(everything)
