"""Weights found on made log-probabilities, and on those of a small untrained model."""

from pathlib import Path

import numpy as np
import pytest

from dsprep.manifests import Alphabet, DataError, OutputError, english
from dsprep.trainer.config import read_config
from dsprep.trainer.decoding.decoding import ALPHA, BETA, Decoding
from dsprep.trainer.language.building import Recipe, build_model
from dsprep.trainer.language.logits import Logits, Utterance, logits_of, shares
from dsprep.trainer.loading.data import read_data
from dsprep.trainer.models import build_model as build_network
from dsprep.trainer.training.checkpoint import save
from dsprep.trainer.training.standing import Standing

pytest.importorskip("flashlight.lib.text", reason="flashlight-text is not installed: there is none for this Python")

SAID = ("the cat sat", "the dog sat", "a cat ran", "the dog ran", "a dog sat", "the cat ran")


def heard(alphabet: Alphabet, folder: Path, count: int = 24) -> Logits:
    """What a model makes of sentences that mumbles: now and then another letter is a little likelier."""
    draw, parts, utterances, start = np.random.default_rng(0), [], [], 0
    for number in range(count):
        text = SAID[number % len(SAID)]
        x = np.full((2 * len(text), alphabet.size), -6.0)
        x[1::2, alphabet.blank] = 0
        x[np.arange(0, len(x), 2), alphabet.encode(text)] = 0
        for place in draw.choice(len(text), 2, replace=False):
            if text[place] != " ":
                x[2 * place, draw.integers(1, 27)] = 0.3
        parts.append((x - np.log(np.exp(x).sum(1, keepdims=True))).astype(np.float32))
        utterances.append(Utterance(id=f"u{number}", transcript=text, start=start, steps=len(x)))
        start += len(x)
    (folder / "logits.f32").write_bytes(np.concatenate(parts).tobytes())
    return Logits(path=folder / "logits.f32", alphabet=alphabet, utterances=tuple(utterances))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "text").write_text("\n".join(SAID))
    build_model([tmp_path / "text"], tmp_path / "lm.arpa", Recipe(order=2, discount_fallback=True))
    return tmp_path / "lm.arpa"


@pytest.mark.slow
def test_tuned_weights_are_no_worse_than_any_that_were_tried_on_any_number_of_workers(
    tmp_path: Path, model: Path
) -> None:
    from dsprep.trainer.language.tuning import GRID, tune

    logits = heard(english(), tmp_path)
    alone, together = (tune(logits, Decoding(lm=model, beam=20), workers) for workers in (1, 2))
    assert alone == together
    assert alone.trials[0].words.total == min(one.words.total for one in alone.trials) < alone.greedy.words.total
    tried = {one.weights for one in alone.trials}
    assert {*GRID, (ALPHA, BETA)} < tried
    assert len(tried) == len(alone.trials)
    assert all(one.words.words == 3 * len(logits.utterances) for one in (*alone.trials, alone.greedy))


def test_neighbours_are_around_and_never_below_nothing() -> None:
    from dsprep.trainer.language.tuning import around

    assert len(around((1.0, 0.0), 0.5)) == 8
    assert set(around((0.0, 1.0), 0.5)) == {(0.0, 0.5), (0.0, 1.5), (0.25, 0.5), (0.25, 1.0), (0.25, 1.5)}


def test_every_utterance_is_in_one_share(tmp_path: Path) -> None:
    utterances = heard(english(), tmp_path, 7).utterances
    assert sorted(one.id for share in shares(utterances, 3) for one in share) == [f"u{n}" for n in range(7)]


def test_logits_are_computed_once_for_a_checkpoint_and_its_data(tmp_path: Path, digits: Path) -> None:
    config, data = (
        read_config("ds2-small", ["model.hidden=8", "model.channels=2"]),
        read_data([digits / "dev-clean.csv"]),
    )
    alphabet, run = english(), tmp_path / "my rün"
    save(run, Standing(config=config, alphabet=alphabet, data="a", dev="b", epoch=1), build_network(config, 161, 29))
    asked: list[int] = []

    def progress(stage: str, done: int, total: int, unit: str) -> None:
        asked.append(done)

    first = logits_of(run, data, "cpu", progress=progress)
    assert asked[-1] == len(data.samples)
    asked.clear()
    assert logits_of(run, data, "cpu", progress=progress) == first
    assert not asked
    assert first.path.parent == run / "logits"
    assert {one.id for one in first.utterances} == {sample.id for sample in data.samples}
    for one in first.utterances:
        assert np.exp(first.of(one)).sum(1) == pytest.approx(np.ones(one.steps), abs=1e-4)
    other = read_data([digits / "test-clean.csv"])
    assert logits_of(run, other, "cpu").path != first.path
    named = logits_of(run, data, "cpu", tmp_path / "named")
    assert named.path.read_bytes() == first.path.read_bytes()
    assert {one.id for one in logits_of(run, other, "cpu", tmp_path / "named").utterances} == {
        sample.id for sample in other.samples
    }


def test_logits_that_were_cut_off_are_computed_again(tmp_path: Path, digits: Path) -> None:
    config, data = (
        read_config("ds2-small", ["model.hidden=8", "model.channels=2"]),
        read_data([digits / "test-clean.csv"]),
    )
    save(
        tmp_path,
        Standing(config=config, alphabet=english(), data="a", dev="b", epoch=1),
        build_network(config, 161, 29),
    )
    path = logits_of(tmp_path, data, "cpu").path
    whole = path.read_bytes()
    path.write_bytes(whole[:-4])
    assert logits_of(tmp_path, data, "cpu").path.read_bytes() == whole
    (tmp_path / "dev.csv").write_text("mine")
    with pytest.raises(OutputError, match="holds no log-probabilities: name another file"):
        logits_of(tmp_path, data, "cpu", tmp_path / "dev.csv")


def test_a_model_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    from dsprep.trainer.language.tuning import tune

    with pytest.raises(DataError, match="gone"):
        tune(heard(english(), tmp_path), Decoding(lm=tmp_path / "gone"))
