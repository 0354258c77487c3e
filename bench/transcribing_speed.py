"""Transcribing on the CPU beside the bare network: ten minutes in one file, and the same in clips.

    python bench/transcribing_speed.py                          ds2-small with drawn weights, 10 min of noise, 2 threads
    python bench/transcribing_speed.py --run digits --audio joined.wav

Bare is the network with its features over the same windows in the same batches, cut, read and padded beforehand: what
no transcription can do without. Transcribing reads files, cuts, batches, decodes greedily and makes words of it. Both
in turns in one process; medians of the clock, of the processor's time, and how many times what is bare.

A stream, of a model that hears forwards only, is below it: 0.1 s at a time, as it comes from a microphone.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch

from dsprep.bench.measure import noise
from dsprep.manifests import english
from dsprep.manifests.ctc import RATE
from dsprep.pipeline.sound.audio import Pcm, decode, encode
from dsprep.trainer.acoustic.run import RunModel, logits, open_run
from dsprep.trainer.acoustic.threads import one_thread
from dsprep.trainer.config import Config, read_config
from dsprep.trainer.decoding.greedy import Greedy
from dsprep.trainer.features import FEATURES
from dsprep.trainer.loading.batches import Loaded, packed
from dsprep.trainer.models import build_model
from dsprep.trainer.training.standing import Standing
from dsprep.trainer.transcribing.batching import batches_of
from dsprep.trainer.transcribing.live import Live
from dsprep.trainer.transcribing.sources import Source, of_file
from dsprep.trainer.transcribing.transcribing import BATCH_SECONDS, Failure, transcribe
from dsprep.trainer.transcribing.windows import windows_of

CLIP = 5 * RATE // 2
"""Samples of a clip: as long as those of connected digits."""
PIECE = RATE // 10
"""Samples of a stream that come at a time."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What something took, a number a turn."""

    clock: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def take(self, work: Callable[[], object]) -> None:
        clock, processor = time.perf_counter(), time.process_time()
        work()
        self.clock.append(time.perf_counter() - clock)
        self.processor.append(time.process_time() - processor)

    def row(self, name: str, seconds: float, bare: "Taken | None") -> str:
        clock, processor = statistics.median(self.clock), statistics.median(self.processor)
        beside = "" if bare is None else f"{clock / statistics.median(bare.clock):9.2f}x"
        beside += "" if bare is None else f"{processor / statistics.median(bare.processor):9.2f}x"
        spread = f"({min(self.clock):.2f}-{max(self.clock):.2f})"
        return f"{name:28}{clock:8.2f} {spread:14}{processor:10.2f}{clock / seconds:14.4f}{beside}"


def drawn(config: Config) -> RunModel:
    """A model of that config with weights by chance."""
    torch.manual_seed(1)
    features = FEATURES[config.features]()
    model = build_model(config, features.size, english().size)
    return RunModel(model, features, Standing(config=config, alphabet=english(), data="", dev=""))


def batches_for(pcms: Sequence[Pcm]) -> list[Loaded]:
    """Those that transcribing makes of these sounds, if it holds all of them at a time."""
    windows = [window for pcm in pcms for window in windows_of([pcm])]
    return [packed((), [window.pcm_N for window in batch]) for batch in batches_of(windows, BATCH_SECONDS)]


@torch.inference_mode()
def bare(model: RunModel, batches: Sequence[Loaded]) -> None:
    for batch in batches:
        logits(model.model, model.features, batch.sound(model.device), batch.lengths)


def whole(model: RunModel, sources: Sequence[Source]) -> None:
    for outcome in transcribe(model, sources, Greedy(model.alphabet)):
        if isinstance(outcome, Failure):
            raise SystemExit(f"{outcome.name}: {outcome.reason}")


def streamed(model: RunModel, pcm: Pcm) -> None:
    live = Live(model.stream(), Greedy(model.alphabet), model.alphabet)
    for at in range(0, len(pcm), PIECE):
        live.feed(pcm[at : at + PIECE])
    live.end()


def measure(model: RunModel, folder: Path, pcm: Pcm, turns: int) -> None:
    seconds, clips = len(pcm) / RATE, [pcm[at : at + CLIP] for at in range(0, len(pcm) - CLIP + 1, CLIP)]
    for name, pcms in ((f"one file of {seconds:.0f} s", [pcm]), (f"{len(clips)} clips of 2.5 s", clips)):
        sources = []
        for number, one in enumerate(pcms):
            path = folder / f"{len(pcms)}-{number}.wav"
            path.write_bytes(bytes(encode(one, "wav")))
            sources.append(of_file(path))
        works = {"bare": partial(bare, model, batches_for(pcms)), "transcribe": partial(whole, model, sources)}
        found = {key: Taken() for key in works}
        for turn in range(turns + 1):
            for key, work in works.items():
                (found[key] if turn else Taken()).take(work)  # the first turn makes what later ones use again
        print(found["bare"].row(f"bare: {name}", seconds, None))
        print(found["transcribe"].row("transcribe", seconds, found["bare"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, help="a run in place of drawn weights")
    parser.add_argument("--audio", type=Path, help="a recording in place of noise")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    model = open_run(given.run, "cpu") if given.run else drawn(read_config("ds2-small"))
    pcm = decode(given.audio.read_bytes()) if given.audio else noise(1, round(given.minutes * 60 * RATE))
    print(f"{given.threads} threads{'':20}clock, s{'':15}processor, s    real time{'':4}beside bare: clock, processor")
    with tempfile.TemporaryDirectory() as folder:
        measure(model, Path(folder), pcm, given.turns)
    settings = ["model.bidirectional=false", "features=log-spectrogram-live"]
    live, taken = drawn(read_config("ds2-small", settings)), Taken()
    minute = np.ascontiguousarray(pcm[: 60 * RATE])
    with one_thread():
        for _ in range(max(1, given.turns // 2)):
            taken.take(partial(streamed, live, minute))
    print(taken.row("a stream, 0.1 s at a time", len(minute) / RATE, None))


if __name__ == "__main__":
    main()
