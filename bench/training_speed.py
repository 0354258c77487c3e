"""A step of training on the CPU: our DeepSpeech 2 beside the same network as deepspeech.pytorch writes it.

    python bench/training_speed.py                  5.6 million parameters, 8 utterances of up to 9 s
    python bench/training_speed.py --seconds 3 --hidden 64

Same weights, same batch, in turns, in float32 and in bfloat16 autocast. A step is forward, CTC, backward, clipping and
AdamW (ours fused, the ancestor's not, as there); features are there already. First the two must agree: the largest
difference of their logits in eval mode is told. Then the medians, with the least and the most, of the clock and of the
processor's time, which tells more where other programs run; and how many times ours is faster, by the medians. What
the ancestor needs in float32 is what both of our precisions are compared with.
"""

import argparse
import statistics
import time
from dataclasses import dataclass, field

import torch
from torch import nn

from dsprep.bench.ancestor import Ancestor
from dsprep.bench.steps import LABELS, Made, adamw, step
from dsprep.trainer.config import DeepSpeech2Config
from dsprep.trainer.models import DeepSpeech2

TOLERANCE = 1e-3
"""Of logits of about 1 in float32, summed in another order."""


@dataclass(frozen=True, slots=True)
class Runner:
    """A model in one precision, and the seconds that its steps took."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    bfloat16: bool
    clock: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def run(self, batch: Made) -> None:
        clock, processor = time.perf_counter(), time.process_time()
        step(self.model, self.optimizer, batch, self.bfloat16)
        self.clock.append(time.perf_counter() - clock)
        self.processor.append(time.process_time() - processor)


def difference(ours: DeepSpeech2, theirs: Ancestor, batch: Made) -> float:
    """The largest of any logit inside an utterance, in eval mode."""
    with torch.inference_mode():
        one, steps = ours.eval()(batch.features_BTF, batch.frames)
        other, same = theirs.eval()(batch.features_BTF, batch.frames)
    assert steps == same
    # torch's max is no number where one is none, as Python's would not be.
    return float(torch.stack([(a[:n] - b[:n]).abs().max() for a, b, n in zip(one, other, steps, strict=True)]).max())


def runners(ours: DeepSpeech2, theirs: Ancestor) -> dict[str, Runner]:
    """The ancestor in float32 first, which the others are compared with."""
    return {
        f"{name}, {'bfloat16' if bfloat16 else 'float32'}": Runner(model, adamw(model, fused), bfloat16)
        for bfloat16 in (False, True)
        for name, model, fused in (("deepspeech.pytorch", theirs, False), ("dsprep", ours, True))
    }


def report(found: dict[str, Runner]) -> None:
    first = next(iter(found.values()))
    print(f"{'':32}{'clock, s':>24}{'processor, s':>24}{'faster by clock':>18}{'by processor':>14}")
    for name, one in found.items():
        columns = "".join(
            f"{statistics.median(seconds):10.2f} ({min(seconds):5.2f}-{max(seconds):5.2f})"
            for seconds in (one.clock, one.processor)
        )
        times = [
            statistics.median(base) / statistics.median(seconds)
            for base, seconds in ((first.clock, one.clock), (first.processor, one.processor))
        ]
        print(f"{name:32}{columns}{times[0]:17.1f}x{times[1]:13.1f}x")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--channels", type=int, default=32)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--count", type=int, default=8, help="utterances")
    parser.add_argument("--seconds", type=float, default=9.0, help="of the longest")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(1)
    ours = DeepSpeech2(
        DeepSpeech2Config(channels=given.channels, hidden=given.hidden, layers=given.layers), 161, LABELS
    )
    theirs = Ancestor(ours)
    batch = Made.noise(given.count, given.seconds, 161, "cpu")
    parameters = sum(one.numel() for one in ours.parameters())
    print(f"{parameters / 1e6:.1f} million parameters, {given.count} x {given.seconds:g} s, {given.threads} threads")
    found = difference(ours, theirs, batch)
    print(f"largest difference of a logit: {found:.1e}")
    if not found < TOLERANCE:
        raise SystemExit("the two networks do not agree")
    measured = runners(ours, theirs)
    for number in range(given.steps + 1):
        for one in measured.values():
            one.run(batch)
            if not number:  # the first step makes what later ones use again
                one.clock.clear()
                one.processor.clear()
    report(measured)


if __name__ == "__main__":
    main()
