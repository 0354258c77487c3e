"""A whole export: its files, its page, what 8 bits cost, and what leaves no file."""

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import soundfile
from torch import nn

from dsprep.manifests import DataError, OutputError, TrainingError, UsageError
from dsprep.trainer.acoustic.onnx_file import OnnxModel
from dsprep.trainer.acoustic.opening import open_model
from dsprep.trainer.decoding.greedy import Greedy
from dsprep.trainer.exporting.card import PYTHON
from dsprep.trainer.exporting.exporting import Exported, export
from dsprep.trainer.loading.data import Data, read_data


@pytest.fixture(scope="module")
def data(digits: Path) -> Data:
    return read_data([digits / "dev-clean.csv"])


def int8(runs: Any, kind: str, out: Path, data: Data, most_change: float = 10.0) -> Exported:
    return export(runs.path(kind), out, data, True, most_change)


def test_an_export_is_files_a_page_and_a_list_of_them(tmp_path: Path, runs: Any, data: Data) -> None:
    out = tmp_path / "my möd el" / "deep"
    done = int8(runs, "live, LSTM", out, data)
    names = ["model.onnx", "model.stream.onnx", "model.int8.onnx", "model.int8.stream.onnx"]
    assert [name for name, _ in done.files] == names
    assert {path.name for path in out.iterdir()} == {*names, "model.json", "README.md"}
    told = json.loads((out / "model.json").read_text())
    for file in told["files"]:
        found = (out / file["name"]).read_bytes()
        assert (len(found), sha256(found).hexdigest()) == (file["size"], file["sha256"])
    assert told["alphabet"] == {"characters": list(" abcdefghijklmnopqrstuvwxyz'"), "blank": 28}
    assert told["feeding"]["first"] == 8640
    assert done.check.clips == 11 + len(data.samples)


def test_the_page_says_what_it_is_and_how_good(tmp_path: Path, runs: Any, data: Data) -> None:
    done = int8(runs, "0.7", tmp_path / "out", data)
    page = (tmp_path / "out" / "README.md").read_text()
    checkpoint = next(runs.path("0.7").glob("checkpoints/*.safetensors"))
    assert done.quantised
    for told in (
        "DeepSpeech 1 that hears forwards only",
        "WER 2.50%, CER 1.50% on its dev data",
        sha256(checkpoint.read_bytes()).hexdigest(),
        f"WER {done.quantised.wer_int8:.2%} where float32 has {done.quantised.wer:.2%}, on 12 utterances",
        "`model.stream.onnx`",
        "To be said by who publishes it.",
    ):
        assert told in page


def test_the_same_run_gives_the_same_files(tmp_path: Path, runs: Any, data: Data, make: Any) -> None:
    for name in ("one", "other"):
        int8(runs, "both ways, LSTM", tmp_path / name, data)
    assert make.tree(tmp_path / "one") == make.tree(tmp_path / "other")


def test_the_python_on_the_page_writes_what_we_do(tmp_path: Path, runs: Any) -> None:
    clip = runs.clip(20_000)
    export(runs.path("both ways, LSTM"), tmp_path / "out")
    soundfile.write(tmp_path / "out" / "a.wav", clip, 16_000, subtype="PCM_16")
    command = [sys.executable, "-W", "error", "-c", PYTHON]
    shown = subprocess.run(command, cwd=tmp_path / "out", capture_output=True, text=True, check=True)
    model = open_model(tmp_path / "out")
    assert shown.stdout == Greedy(model.alphabet).decode(model.log_probs([clip])[0])[0].text + "\n"
    assert shown.stdout.strip()
    assert all(f"    {line}".rstrip() in (tmp_path / "out" / "README.md").read_text() for line in PYTHON.splitlines())


@pytest.mark.parametrize("kind", ["both ways, LSTM", "0.7", "both ways, GRU"])
def test_8_bits_are_smaller_and_hear_nearly_the_same(tmp_path: Path, runs: Any, data: Data, kind: str) -> None:
    done = int8(runs, kind, tmp_path / "out", data)
    plain, small = (onnx.load(tmp_path / "out" / name).graph for name in ("model.onnx", "model.int8.onnx"))
    lstm = "GRU" not in kind
    assert ("DynamicQuantizeLSTM" in {node.op_type for node in small.node}) == lstm
    assert "MatMulInteger" in {node.op_type for node in small.node}
    weights = [sum(len(one.raw_data) for one in found.initializer) for found in (plain, small)]
    assert weights[1] < weights[0]
    clip = runs.clip(16_000)
    (one,), (other,) = (
        open_model(tmp_path / "out" / name).log_probs([clip]) for name in ("model.onnx", "model.int8.onnx")
    )
    assert 0 < np.abs(one - other).max() < 2
    model = open_model(tmp_path / "out" / "model.int8.onnx")
    assert isinstance(model, OnnxModel)
    assert model.facts.quantised == done.quantised


def test_a_clip_has_the_same_text_in_8_bits_alone_and_among_others(tmp_path: Path, runs: Any, data: Data) -> None:
    int8(runs, "both ways, LSTM", tmp_path / "out", data)
    model = open_model(tmp_path / "out" / "model.int8.onnx")
    clips = [runs.clip(length, length) for length in (16_000, 5_000, 9_000)]
    for clip, together in zip(clips, model.log_probs(clips), strict=True):
        assert np.array_equal(model.log_probs([clip])[0], together)


def test_8_bits_that_hear_too_badly_are_refused_and_leave_no_file(tmp_path: Path, runs: Any, data: Data) -> None:
    with pytest.raises(UsageError, match=r"int8 has a WER of .* leave --int8 out, or accept it with --most-change"):
        export(runs.path("both ways, LSTM"), tmp_path / "out", data, True, most_change=-10.0)
    assert not (tmp_path / "out").exists()


def test_what_8_bits_cost_is_never_guessed(tmp_path: Path, runs: Any) -> None:
    with pytest.raises(UsageError, match="name data with --data"):
        export(runs.path("0.7"), tmp_path / "out", None, int8=True)


def test_a_network_that_went_astray_leaves_no_file(tmp_path: Path, runs: Any) -> None:
    def astray(model: nn.Module) -> None:
        next(model.parameters()).data[0] = float("nan")

    run = runs.path("0.7", astray, "astray")
    with pytest.raises(TrainingError, match="no numbers"):
        export(run, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_unreadable_clip_leaves_no_file(tmp_path: Path, runs: Any, digits: Path) -> None:
    import shutil

    shutil.copytree(digits, tmp_path / "data")
    data = read_data([tmp_path / "data" / "dev-clean.csv"])
    victim = Path(data.samples[5].path)
    victim.write_bytes(victim.read_bytes()[:-100])
    with pytest.raises(DataError):
        export(runs.path("0.7"), tmp_path / "out", data)
    assert not (tmp_path / "out").exists()


def test_what_an_earlier_export_left_does_not_stay_beside_this_one(tmp_path: Path, runs: Any, data: Data) -> None:
    int8(runs, "live, GRU", tmp_path / "out", data)
    export(runs.path("both ways, LSTM"), tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"model.onnx", "model.json", "README.md"}


def test_a_folder_that_is_another_s_is_left_alone(tmp_path: Path, runs: Any) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "README.md").write_text("mine")
    (tmp_path / "file").write_text("mine")
    run = runs.path("0.7")
    for out, told in (
        (tmp_path / "mine", "holds something else than an export"),
        (tmp_path / "file", "is a file: name a folder"),
        (run, "is a run: name another folder"),
    ):
        with pytest.raises(OutputError, match=told):
            export(run, out)
    with pytest.raises(UsageError, match="name a folder"):
        export(run, tmp_path / "model.onnx")
    assert (tmp_path / "mine" / "README.md").read_text() == "mine"


@pytest.mark.parametrize("name", ["model.onnx", "model.json"])
def test_another_s_model_of_the_same_name_is_left_alone(tmp_path: Path, runs: Any, name: str) -> None:
    (tmp_path / name).write_text('{"features": 3}')
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(OutputError, match="holds something else than an export"):
        export(runs.path("0.7"), tmp_path)
    assert (tmp_path / name).read_text() == '{"features": 3}'
    assert not (tmp_path / "README.md").exists()


def test_a_damaged_export_is_replaced_and_what_else_is_in_its_folder_stays(tmp_path: Path, runs: Any) -> None:
    export(runs.path("0.7"), tmp_path / "out")
    (tmp_path / "out" / "LICENCE").write_text("mine")
    whole = (tmp_path / "out" / "model.onnx").read_bytes()
    (tmp_path / "out" / "model.onnx").write_bytes(whole[:-50])
    export(runs.path("0.7"), tmp_path / "out")
    assert (tmp_path / "out" / "model.onnx").read_bytes() == whole
    assert (tmp_path / "out" / "LICENCE").read_text() == "mine"


@pytest.mark.skipif(sys.platform != "linux", reason="needs a folder in which nobody may write, root included")
def test_a_folder_without_rights_is_told(runs: Any) -> None:
    with pytest.raises(OutputError, match="cannot write /proc/dsprep"):
        export(runs.path("0.7"), Path("/proc/dsprep"))


def test_a_disk_that_is_full_is_told_and_no_list_of_files_is_left(tmp_path: Path, runs: Any, request: Any) -> None:
    run = runs.path("0.7")
    export(run, tmp_path / "out")
    request.getfixturevalue("full_disk")
    with pytest.raises(OutputError, match="cannot write"):
        export(run, tmp_path / "out")
    assert not (tmp_path / "out" / "model.json").exists()


def test_an_export_that_was_killed_while_it_wrote_is_done_again(tmp_path: Path, runs: Any, make: Any) -> None:
    export(runs.path("0.7"), tmp_path / "out")
    whole = make.tree(tmp_path / "out")
    (tmp_path / "out" / "model.json").unlink()
    (tmp_path / "out" / "model.stream.onnx").rename(tmp_path / "out" / ".model.stream.onnx.1-0123456789abcdef.tmp")
    export(runs.path("0.7"), tmp_path / "out")
    assert {name: data for name, data in make.tree(tmp_path / "out").items() if not name.endswith(".tmp")} == whole


def test_a_run_that_an_imported_model_began_says_so(tmp_path: Path, runs: Any) -> None:
    from dataclasses import replace

    from dsprep.trainer.training.checkpoint import save
    from dsprep.trainer.training.standing import Origin

    found = runs.model("0.7")
    origin = Origin(name="released.pbmm", sha256="c" * 64)
    save(tmp_path / "run", replace(found.standing, origin=origin, epoch=0, history=()), found.model)
    export(tmp_path / "run", tmp_path / "out")
    page = (tmp_path / "out" / "README.md").read_text()
    assert "Its weights began as those of `released.pbmm`" in page
    assert "Trained by dsprep" not in page
    assert "on its dev data" not in page


def test_a_run_without_a_checkpoint_is_told(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="holds no whole checkpoint"):
        export(tmp_path / "gone", tmp_path / "out")
    assert not (tmp_path / "out").exists()
