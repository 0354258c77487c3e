"""What TensorBoard reads is what was told, each point once."""

import io
import math
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from torch import nn

from dsprep.manifests import OutputError
from dsprep.pipeline.reading import Reader
from dsprep.trainer.decoding.hypothesis import Hypothesis
from dsprep.trainer.loading.batches import load
from dsprep.trainer.loading.data import Data, read_data
from dsprep.trainer.scoring.errors import Errors
from dsprep.trainer.scoring.heard import Evaluation, Heard
from dsprep.trainer.watching.board import MOST_VALUES, Board, examples_of

pytest.importorskip("tensorboard", reason="the extra tensorboard is not installed")
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

STEPS = 10


@pytest.fixture(scope="module")
def dev(digits: Path) -> Data:
    return read_data([digits / "dev-clean.csv"])


@pytest.fixture
def model() -> nn.Module:
    """A model with known weights: a step's gradient for one parameter, none for the other."""
    made = nn.Linear(3, 2)
    with torch.no_grad():
        made.weight.copy_(torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, math.nan]]))
        made.bias.fill_(0.5)
    made.weight.grad = torch.full((2, 3), 0.25)
    return made


def judged(data: Data) -> Evaluation:
    return Evaluation(
        tuple(Heard(sample, Hypothesis(text="seven  *two*"), 1.0, Errors(), Errors()) for sample in data.samples)
    )


def run(folder: Path, told: Any, model: nn.Module, dev: Data, after: tuple[int, int], stop: tuple[int, int]) -> None:
    """Tell a board of three epochs, from one place to another; all that it was told is on the disk then."""
    board = Board(folder, after[0], after[0] * STEPS + after[1], examples_of(dev))
    for epoch in range(after[0] + 1, 4):
        for step in range(after[1] + 1 if epoch == after[0] + 1 else 1, STEPS + 1):
            if (epoch, step) > stop:
                board.close()
                return
            board.on_step(told.step(epoch, step))
        board.on_epoch(told.epoch(epoch), judged(dev), model)
    board.close()


def read(folder: Path, kind: str) -> EventAccumulator:
    sizes = dict.fromkeys(("scalars", "histograms", "audio", "tensors"), 0)  # 0: all of them
    return EventAccumulator(str(folder / "tensorboard" / kind), size_guidance=sizes).Reload()


def points(events: EventAccumulator, tag: str) -> list[tuple[int, float]]:
    return [(one.step, one.value) for one in events.Scalars(tag)]


def test_every_curve_has_a_point_for_each_step_and_epoch(
    tmp_path: Path, told: Any, model: nn.Module, dev: Data
) -> None:
    run(tmp_path, told, model, dev, (0, 0), (9, 0))
    steps, epochs = read(tmp_path, "steps"), read(tmp_path, "epochs")
    assert [step for step, _ in points(steps, "steps/loss")] == list(range(1, 3 * STEPS + 1))
    losses = [told.step(1 + step // STEPS, 1 + step % STEPS).loss for step in range(3 * STEPS)]
    assert [loss for _, loss in points(steps, "steps/loss")] == pytest.approx(losses)
    assert set(steps.Tags()["scalars"]) == {
        *("steps/loss", "steps/rate", "steps/norm", "steps/skipped"),
        *("pace/hours_per_hour", "pace/wait_share", "pace/memory_GB"),
    }
    assert [epoch for epoch, _ in points(epochs, "errors/WER")] == [1, 2, 3]
    assert [wer for _, wer in points(epochs, "errors/WER")] == pytest.approx([told.epoch(n).wer for n in (1, 2, 3)])
    tags = {"loss/training", "loss/dev", "loss/rate", "errors/WER", "errors/CER"}
    assert set(epochs.Tags()["scalars"]) == tags


@pytest.mark.parametrize("after", [(0, 0), (0, 10), (1, 0), (1, 4), (1, 10), (2, 0), (2, 5)])
def test_a_run_that_went_on_has_no_point_twice_and_none_missing(
    tmp_path: Path, told: Any, model: nn.Module, dev: Data, after: tuple[int, int]
) -> None:
    run(tmp_path, told, model, dev, (0, 0), (3, 6))
    run(tmp_path, told, model, dev, after, (9, 0))
    steps, epochs = read(tmp_path, "steps"), read(tmp_path, "epochs")
    for tag in steps.Tags()["scalars"]:
        assert [step for step, _ in points(steps, tag)] == list(range(1, 3 * STEPS + 1)), tag
    for tag in epochs.Tags()["scalars"]:
        assert [epoch for epoch, _ in points(epochs, tag)] == [1, 2, 3], tag
    for tag in epochs.Tags()["histograms"]:
        assert [one.step for one in epochs.Histograms(tag)] == [1, 2, 3], tag
    for tag in epochs.Tags()["tensors"]:
        assert [one.step for one in epochs.Tensors(tag)] == [1, 2, 3], tag
    for tag in epochs.Tags()["audio"]:
        assert len(epochs.Audio(tag)) == 1


def test_who_looks_on_sees_no_point_twice(tmp_path: Path, told: Any, model: nn.Module, dev: Data) -> None:
    run(tmp_path, told, model, dev, (0, 0), (3, 6))
    looking = read(tmp_path, "steps")
    run(tmp_path, told, model, dev, (1, 4), (9, 0))
    looking.Reload()
    assert [step for step, _ in points(looking, "steps/loss")] == list(range(1, 3 * STEPS + 1))


def test_what_a_kill_tore_off_harms_nothing(tmp_path: Path, told: Any, model: nn.Module, dev: Data) -> None:
    run(tmp_path, told, model, dev, (0, 0), (2, 10))
    (file,) = (tmp_path / "tensorboard" / "steps").iterdir()
    file.write_bytes(file.read_bytes()[:-7])
    run(tmp_path, told, model, dev, (1, 0), (9, 0))
    assert [step for step, _ in points(read(tmp_path, "steps"), "steps/loss")] == list(range(1, 3 * STEPS + 1))


def test_a_figure_that_is_not_finite_has_no_point(tmp_path: Path, told: Any, model: nn.Module, dev: Data) -> None:
    board = Board(tmp_path, 0, 0)
    board.on_step(told.step(1, 1))
    board.on_step(told.skipped(1, 2, "a-1"))
    board.on_epoch(told.epoch(1, dev_loss=math.inf), judged(dev), model)
    board.close()
    assert [step for step, _ in points(read(tmp_path, "steps"), "steps/loss")] == [1]
    assert points(read(tmp_path, "steps"), "steps/skipped") == [(1, 0.0), (2, 1.0)]
    assert "loss/dev" not in read(tmp_path, "epochs").Tags()["scalars"]


def test_histograms_hold_the_finite_values(tmp_path: Path, told: Any, model: nn.Module, dev: Data) -> None:
    run(tmp_path, told, model, dev, (0, 0), (9, 0))
    epochs = read(tmp_path, "epochs")
    assert set(epochs.Tags()["histograms"]) == {"weights/weight", "weights/bias", "gradients/weight"}
    found = epochs.Histograms("weights/weight")[0].histogram_value
    assert (found.min, found.max, found.num, found.sum, found.sum_squares) == (1, 5, 5, 15, 55)
    counted = np.histogram([1, 2, 3, 4, 5], found.bucket_limit)[0].tolist()
    assert found.bucket == [0, *counted]
    assert sum(epochs.Histograms("gradients/weight")[0].histogram_value.bucket) == 6


@pytest.mark.parametrize("values", [[0.0], [2.5] * 7, [3e38, -3e38], [1.0, 1.0 + 2**-23], [1e-45, 0.0]])
def test_any_values_have_a_histogram(tmp_path: Path, told: Any, dev: Data, values: list[float]) -> None:
    model = nn.Module()
    model.register_parameter("one", nn.Parameter(torch.tensor(values)))
    model.register_parameter("none", nn.Parameter(torch.tensor([math.inf])))
    board = Board(tmp_path, 0, 0)
    board.on_epoch(told.epoch(1), judged(dev), model)
    board.close()
    found = read(tmp_path, "epochs")
    assert found.Tags()["histograms"] == ["weights/one"]
    assert sum(found.Histograms("weights/one")[0].histogram_value.bucket) == len(values)


def test_of_a_large_tensor_some_values_of_every_column_are_looked_at(tmp_path: Path, told: Any, dev: Data) -> None:
    model = nn.Module()
    columns = 256
    weight = torch.arange(columns).repeat(4 * MOST_VALUES // columns, 1)
    model.register_parameter("large", nn.Parameter(weight.bfloat16()))
    board = Board(tmp_path, 0, 0)
    board.on_epoch(told.epoch(1), judged(dev), model)
    board.close()
    found = read(tmp_path, "epochs").Histograms("weights/large")[0].histogram_value
    assert MOST_VALUES / 2 < found.num <= MOST_VALUES
    assert min(found.bucket[1:]) > 0.9 * max(found.bucket)


def test_no_tag_is_of_two_kinds(tmp_path: Path, told: Any, model: nn.Module, dev: Data) -> None:
    run(tmp_path, told, model, dev, (0, 0), (9, 0))
    for kind in ("steps", "epochs"):
        tags = read(tmp_path, kind).Tags()
        listed = [tag for name in ("scalars", "histograms", "audio", "tensors") for tag in tags[name]]
        assert len(listed) == len(set(listed)) > 0


def test_the_examples_can_be_heard_and_read(tmp_path: Path, told: Any, model: nn.Module, dev: Data) -> None:
    run(tmp_path, told, model, dev, (0, 0), (9, 0))
    epochs = read(tmp_path, "epochs")
    rows = {sample.id: row for row, sample in enumerate(dev.samples)}
    tags = epochs.Tags()["audio"]
    assert len(tags) == 4
    for tag in tags:
        (clip,) = epochs.Audio(tag)
        pcm, rate = soundfile.read(io.BytesIO(clip.encoded_audio_string), dtype="int16")
        row = rows[tag.removeprefix("examples/")]
        with Reader() as reader:
            assert np.array_equal(pcm, load(dev, [row], reader).pcm_BN[0])
        assert rate == 16_000
        text = epochs.Tensors(f"{tag}/heard")[0].tensor_proto.string_val[0].decode()
        assert text == f"    said   {dev.samples[row].transcript}\n    heard  seven  *two*"


def test_the_examples_are_the_same_in_any_order_of_the_data(digits: Path) -> None:
    both = [digits / "dev-clean.csv", digits / "test-clean.csv"]
    one, other = examples_of(read_data(both)), examples_of(read_data(both[::-1]))
    assert [example.id for example in one] == [example.id for example in other]
    assert len(examples_of(read_data(both), 99)) == 18


def test_a_board_that_is_asked_for_late_has_the_examples_too(
    tmp_path: Path, told: Any, model: nn.Module, dev: Data
) -> None:
    run(tmp_path, told, model, dev, (2, 3), (9, 0))
    assert len(read(tmp_path, "epochs").Tags()["audio"]) == 4


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file may become longer than 20 kB: writing fails as it does where there is no room."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_is_told_with_the_file(tmp_path: Path, told: Any, model: nn.Module, dev: Data) -> None:
    board = Board(tmp_path / "Lauf für José 林", 0, 0)
    for step in range(1, 200):
        board.on_step(told.step(1, step))
    with pytest.raises(OutputError, match=r"José 林.*tfevents.*too large"):
        board.on_epoch(told.epoch(1), judged(dev), model)
    with pytest.raises(OutputError):
        board.close()


def test_without_the_extra_one_is_told_what_to_type() -> None:
    code = """
import sys
sys.modules["tensorboard"] = None
from dsprep.manifests import MissingExtraError
try:
    import dsprep.trainer.watching.board
except MissingExtraError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install tensorboard" in done.stdout
