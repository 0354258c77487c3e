"""An exported model beside the run it was made from: time and memory to load it, and time to hear, on one thread.

    python bench/export_speed.py [PRESET...]                        ds2-small and ds1-uni by default, drawn weights

    checkpoint             torch, the run's best checkpoint
    model.onnx             onnxruntime, as dsprep opens it
    model.int8.onnx        the same with 8-bit weights
    model.ort, mapped      onnxruntime's own format, mapped into memory instead of read, and used as it lies there

To load: seconds after the libraries are imported, the least of 5 processes in turns; MB that the process holds of its
own after 10 s of sound were heard, less what it held before it loaded, and MB of files that it has mapped. To hear:
milliseconds of the processor for 10 s of sound, alone and each of 8, the median of 9 rounds in turns.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from dsprep.bench.measure import noise
from dsprep.manifests import english
from dsprep.manifests.ctc import RATE
from dsprep.pipeline.commit import write_whole
from dsprep.trainer.acoustic.acoustic import AcousticModel
from dsprep.trainer.acoustic.onnx_file import Net, OnnxModel
from dsprep.trainer.acoustic.run import open_run
from dsprep.trainer.config import read_config
from dsprep.trainer.exporting.drafting import drafts, in_int8
from dsprep.trainer.features import FEATURES
from dsprep.trainer.models import build_model
from dsprep.trainer.training.checkpoint import best, save
from dsprep.trainer.training.standing import Standing

ROUNDS, PROCESSES = 9, 5
MAPPED = ("use_memory_mapped_ort_model", "use_ort_model_bytes_for_initializers", "disable_prepacking")
CLIPS = [noise(seed, 10 * RATE) for seed in range(8)]

HELD = """
import sys, time
def held():
    told = dict(line.split(":") for line in open("/proc/self/smaps_rollup").read().splitlines()[1:])
    return [int(told[name].split()[0]) / 1e3 for name in ("Private_Dirty", "Private_Clean")]
import numpy as np
clip = np.zeros(160000, np.int16)
"""
WAYS = {
    "checkpoint": """
import torch; torch.set_num_threads(1)
from pathlib import Path
from dsprep.trainer.acoustic.run import open_run
before, began = held(), time.monotonic()
model = open_run(Path(sys.argv[1]), "cpu"); loaded = time.monotonic() - began
model.log_probs([clip])
""",
    "onnx": """
from pathlib import Path
from dsprep.trainer.acoustic.onnx_file import open_onnx
before, began = held(), time.monotonic()
model = open_onnx(Path(sys.argv[1]), "cpu", 1); loaded = time.monotonic() - began
model.log_probs([clip])
""",
    "ort": f"""
import onnxruntime
before, began = held(), time.monotonic()
options = onnxruntime.SessionOptions(); options.intra_op_num_threads = 1
for name in {MAPPED}: options.add_session_config_entry("session." + name, "1")
model = onnxruntime.InferenceSession(sys.argv[1], options); loaded = time.monotonic() - began
model.run(None, {{"samples": clip[None].astype(np.float32), "lengths": np.array([160000])}})
""",
}
TOLD = "\nprint(loaded, *(now - then for now, then in zip(held(), before)))"


def made(preset: str, home: Path) -> dict[str, tuple[str, Path]]:
    """A run of drawn weights and its exports: the way to load each, and where it lies."""
    config = read_config(preset)
    model = build_model(config, FEATURES[config.features]().size, english().size)
    save(home / "run", Standing(config=config, alphabet=english(), data="", dev=""), model)
    found = best(home / "run", lambda told: None)
    plain = drafts(open_run(home / "run", "cpu"), found.origin)
    for draft in (plain.whole, in_int8(plain).whole):
        write_whole(home / draft.name, draft.data)
    _in_own_format(home / "model.onnx", home / "model.ort")
    return {
        "checkpoint": ("checkpoint", home / "run"),
        "model.onnx": ("onnx", home / "model.onnx"),
        "model.int8.onnx": ("onnx", home / "model.int8.onnx"),
        "model.ort, mapped": ("ort", home / "model.ort"),
    }


def _in_own_format(source: Path, target: Path) -> None:
    import onnxruntime

    options = onnxruntime.SessionOptions()  # type: ignore[attr-defined]
    options.optimized_model_filepath = str(target)
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC  # type: ignore[attr-defined]
    options.add_session_config_entry("session.save_model_format", "ORT")
    onnxruntime.InferenceSession(str(source), options)  # type: ignore[attr-defined]


def loading(ways: dict[str, tuple[str, Path]], processes: int = PROCESSES) -> Iterator[tuple[str, list[float]]]:
    """Seconds, MB of its own, MB of files, for each."""
    found: dict[str, list[list[float]]] = {name: [] for name in ways}
    for _ in range(processes):
        for name, (way, place) in ways.items():
            command = [sys.executable, "-c", HELD + WAYS[way] + TOLD, str(place)]
            told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            found[name].append([float(one) for one in told.split()])
    for name, all_of_it in found.items():
        yield name, [min(one) for one in zip(*all_of_it, strict=True)]


def hearing(home: Path) -> Iterator[tuple[str, list[float]]]:
    """Milliseconds for a clip alone, and for one of 8."""

    def opened(name: str) -> OnnxModel:
        return OnnxModel(Net(home / name, home / name, "cpu", 1), lambda: Net(home / name, home / name, "cpu", 1))

    models: dict[str, AcousticModel] = {"checkpoint": open_run(home / "run", "cpu")}
    models |= {name: opened(name) for name in ("model.onnx", "model.int8.onnx")}
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in models}
    for _ in range(ROUNDS + 1):
        for name, model in models.items():
            alone = _milliseconds(lambda model=model: model.log_probs(CLIPS[:1]))  # type: ignore[misc]
            taken[name].append((alone, _milliseconds(lambda model=model: model.log_probs(CLIPS)) / len(CLIPS)))  # type: ignore[misc]
    for name, rounds in taken.items():
        yield name, [statistics.median(one) for one in zip(*rounds[1:], strict=True)]


def _milliseconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000


def main() -> None:
    torch.set_num_threads(1)
    for preset in sys.argv[1:] or ["ds2-small", "ds1-uni"]:
        with tempfile.TemporaryDirectory() as folder:
            ways = made(preset, Path(folder))
            print(f"{preset + ', to load':26}{'s':>9}{'MB own':>9}{'MB mapped':>11}")
            for name, (seconds, own, mapped) in loading(ways):
                print(f"{name:26}{seconds:9.3f}{own:9.0f}{mapped:11.0f}")
            print(f"{preset + ', to hear 10 s':26}{'ms alone':>9}{'ms of 8':>9}")
            for name, (alone, of_8) in hearing(Path(folder)):
                print(f"{name:26}{alone:9.1f}{of_8:9.1f}")


if __name__ == "__main__":
    main()
