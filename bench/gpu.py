"""Both models on a GPU: whether they compute what a CPU computes, how fast, in how much memory, and where time goes.

    python bench/gpu.py                       one call, under 8 minutes; needs torch and this checkout alone, no data
    python bench/gpu.py --tiny                the same on a CPU with small models, to see that the script works

    check     loss, logits and gradients beside the CPU's in float32: largest difference by largest number
    step      seconds, hours of audio in an hour, peak memory, at batch sizes doubled until memory is full
    share     of a step in LSTM, CTC and convolutions, by torch.profiler
    packed    the same network on packed sequences, both directions in one call, beside ours
    ctc       CTC alone, on the GPU and, as a deterministic run has it, on the CPU

Utterances are noise of up to 12 s, as long as LibriSpeech's; features are there already. A table comes as it is
measured, then the same rows as lines of JSON.
"""

import argparse
import importlib.util
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any


def use_checkout() -> None:
    """The package is the checkout that this file is in, whatever that folder is called."""
    root = Path(__file__).resolve().parents[1]
    spec = importlib.util.spec_from_file_location(
        "dsprep", root / "__init__.py", submodule_search_locations=[str(root)]
    )
    assert spec
    assert spec.loader
    sys.modules["dsprep"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules["dsprep"])


use_checkout()

import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from dsprep.bench.ancestor import Ancestor  # noqa: E402
from dsprep.bench.steps import LABELS, Made, adamw, losses, step  # noqa: E402
from dsprep.trainer.config import DeepSpeech1Config, DeepSpeech2Config  # noqa: E402
from dsprep.trainer.models import DeepSpeech1, DeepSpeech2  # noqa: E402

DIFFERENT = "DIFFERENT"
TOLERANCE = 2e-3
"""Of sums in float32 in another order, by the largest number: what is wrong differs by its whole size."""
BINS = {"ds1": 494, "ds2": 161}
FULL = {"ds1": DeepSpeech1Config(dropout=0.0), "ds2": DeepSpeech2Config()}
TINY = {
    "ds1": DeepSpeech1Config(dropout=0.0, hidden=24),
    "ds2": DeepSpeech2Config(channels=2, hidden=24, layers=2),
}
Row = dict[str, Any]
Model = DeepSpeech1 | DeepSpeech2


class Bench:
    """What is measured, and on what."""

    def __init__(self, device: str, tiny: bool, seconds: float) -> None:
        self.device, self.tiny = device, tiny
        self.until = time.monotonic() + seconds
        self.longest = 0.6 if tiny else 12.0
        self.steps = 2 if tiny else 5
        self.rows: list[Row] = []

    def model(self, name: str, device: str) -> Model:
        """Always with the same weights."""
        torch.manual_seed(1)
        config = (TINY if self.tiny else FULL)[name]
        made = DeepSpeech1 if isinstance(config, DeepSpeech1Config) else DeepSpeech2
        return made(config, BINS[name], LABELS).to(device)  # type: ignore[arg-type]

    def batch(self, name: str, count: int) -> Made:
        return Made.noise(count, self.longest, BINS[name], self.device)

    def tell(self, **row: Any) -> None:
        """A row of the table, at once."""
        self.rows.append(row)
        cells = [f"{value:.4g}" if isinstance(value, float) else str(value) for value in row.values()]
        print("  ".join(f"{key} {cell:<10}" for key, cell in zip(row, cells, strict=True)), flush=True)

    def sync(self) -> None:
        if self.device == "cuda":
            torch.cuda.synchronize()

    def seconds(self, run: Callable[[], object]) -> float:
        """Median of a few runs, after two that warm up."""
        taken = []
        for number in range(self.steps + 2):
            self.sync()
            began = time.perf_counter()
            run()
            self.sync()
            taken += [time.perf_counter() - began] if number > 1 else []
        return statistics.median(taken)

    def late(self) -> bool:
        return time.monotonic() > self.until


def check(bench: Bench, name: str) -> None:
    """Logits, losses and gradients of both devices, TF32 turned off."""
    found = []
    for device in ("cpu", bench.device):
        model = bench.model(name, device).train()
        batch = Made.noise(2, min(3.0, bench.longest), BINS[name], device)
        logits_BTV, steps = model(batch.features_BTF, batch.frames)
        losses_B = losses(logits_BTV, steps, batch.labels)
        losses_B.mean().backward()  # type: ignore[no-untyped-call]
        gradients = torch.cat([one.grad.flatten() for one in model.parameters() if one.grad is not None])
        inside = torch.cat([row[:count].flatten() for row, count in zip(logits_BTV, steps, strict=True)])
        found.append([one.detach().cpu() for one in (inside, losses_B, gradients)])
    differences = [_relative(one, other) for one, other in zip(*found, strict=True)]
    verdict = "same" if all(one < TOLERANCE for one in differences) else DIFFERENT  # what is no number is not same
    bench.tell(check=name, logits=differences[0], loss=differences[1], gradients=differences[2], verdict=verdict)


def _relative(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().max() / one.abs().max())


def sizes(bench: Bench, name: str, bfloat16: bool) -> None:
    """Steps at batch sizes doubled until memory is full, or time is."""
    model = bench.model(name, bench.device)
    optimizer = adamw(model)
    count = 2 if bench.tiny else 16
    while not bench.late() and count <= (4 if bench.tiny else 4096):
        row = {"step": name, "precision": "bfloat16" if bfloat16 else "float32", "batch": count}
        if bench.device == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        try:
            batch = bench.batch(name, count)
            taken = bench.seconds(lambda made=batch: step(model, optimizer, made, bfloat16))  # type: ignore[misc]
        except RuntimeError as error:  # torch's own for memory, cuDNN's, and those of tensors that are too large
            bench.tell(**row, ends=str(error).splitlines()[0][:90])
            optimizer.zero_grad()
            return
        peak = torch.cuda.max_memory_allocated() / 2**30 if bench.device == "cuda" else 0.0
        bench.tell(**row, seconds=taken, hours_an_hour=batch.seconds / taken, peak_GiB=peak)
        count *= 2


def shares(bench: Bench, name: str, bfloat16: bool, count: int) -> None:
    """The parts of a step, by the time of their kernels."""
    from torch.profiler import ProfilerActivity, profile

    model = bench.model(name, bench.device)
    optimizer, batch = adamw(model), bench.batch(name, count)
    bench.seconds(lambda: step(model, optimizer, batch, bfloat16))
    kinds = [ProfilerActivity.CPU] + ([ProfilerActivity.CUDA] if bench.device == "cuda" else [])
    with profile(activities=kinds) as found:
        step(model, optimizer, batch, bfloat16)
        bench.sync()
    names = {"lstm": ("_cudnn_rnn", "rnn_layer"), "ctc": ("ctc_loss",), "convolutions": ("convolution",)}
    field = "self_device_time_total" if bench.device == "cuda" else "self_cpu_time_total"
    events = [(event.key, float(getattr(event, field))) for event in found.key_averages() if "::" in event.key]
    whole = sum(own for _, own in events) or 1.0
    row = {
        part: sum(time for key, time in events if key.startswith("aten::") and any(word in key for word in words))
        / whole
        for part, words in names.items()
    }
    bench.tell(share=name, precision="bfloat16" if bfloat16 else "float32", batch=count, **row)


def packed(bench: Bench, bfloat16: bool, count: int) -> None:
    """DeepSpeech 2 on packed sequences, as the ancestor runs it, and ours on padded ones."""
    ours, batch = bench.model("ds2", bench.device), bench.batch("ds2", count)
    assert isinstance(ours, DeepSpeech2)
    models: dict[str, nn.Module] = {"padded": ours, "packed": Ancestor(ours).to(bench.device)}
    for way, model in models.items():
        optimizer = adamw(model)
        taken = bench.seconds(lambda one=model, other=optimizer: step(one, other, batch, bfloat16))  # type: ignore[misc]
        bench.tell(sequences=way, precision="bfloat16" if bfloat16 else "float32", batch=count, seconds=taken)


def ctc(bench: Bench, count: int) -> None:
    """CTC forward and backward on logits that lie on the device, there and by way of the CPU."""
    batch = bench.batch("ds2", count)
    steps = [DeepSpeech2.steps(frames) for frames in batch.frames]
    logits_BTV = torch.randn(count, steps[0], LABELS, device=bench.device, requires_grad=True)
    for place in (bench.device, "cpu"):

        def run(place: str = place) -> None:
            losses(logits_BTV.to(place), steps, batch.labels).mean().backward()  # type: ignore[no-untyped-call]

        bench.tell(ctc=place, batch=count, seconds=bench.seconds(run))


def everything(bench: Bench) -> Iterator[Callable[[], None]]:
    """From what matters most on, as time may run out."""
    count = 2 if bench.tiny else 32
    for name in FULL:
        yield lambda name=name: check(bench, name)  # type: ignore[misc]
    for bfloat16 in (True, False):
        yield lambda b=bfloat16: packed(bench, b, count)  # type: ignore[misc]
        yield lambda b=bfloat16: shares(bench, "ds2", b, count)  # type: ignore[misc]
    yield lambda: shares(bench, "ds1", True, count)
    yield lambda: ctc(bench, count)
    for name, bfloat16 in (("ds2", True), ("ds1", True), ("ds2", False), ("ds1", False)):
        yield lambda n=name, b=bfloat16: sizes(bench, n, b)  # type: ignore[misc]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--seconds", type=float, default=420.0, help="after which nothing new is begun")
    given = parser.parse_args()
    if not given.tiny and not torch.cuda.is_available():
        raise SystemExit("torch finds no CUDA GPU here: run this where there is one, or with --tiny to try the script")
    if given.tiny:
        torch.set_num_threads(1)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    bench = Bench("cpu" if given.tiny else "cuda", given.tiny, given.seconds)
    bench.tell(device=torch.cuda.get_device_name() if bench.device == "cuda" else "cpu", torch=torch.__version__)
    for part in everything(bench):
        if not bench.late():
            part()
    print("\n".join(json.dumps(row) for row in bench.rows))
    if any(row.get("verdict") == DIFFERENT for row in bench.rows):
        raise SystemExit("the two devices do not agree")


if __name__ == "__main__":
    main()
