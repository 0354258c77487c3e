"""The plan's speed and memory, beside a shuffled list.

    python bench/plan_speed.py --clips 1000000
    python bench/plan_speed.py --clips 100000000 --clips-alone      without ids, which take 0.6 kB each as samples

Clips have lengths like LibriSpeech's and lie in shards of 700 (256 MB of WAV). For each stage: seconds, the memory
that it leaves behind and the most that it had, over what there was before, in bytes a clip (resident, from /proc, so
on Linux only). Each stage is done once; run it again to see how far times drift.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from dsprep.manifests import Sample
from dsprep.pipeline.table import Table
from dsprep.trainer.config import BatchConfig, MixConfig
from dsprep.trainer.order.clips import Clips
from dsprep.trainer.order.plan import Plan

SHARD = 700
"""Clips."""


def lengths(count: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Seconds like those of train-clean-100: mean 12.7, most from 12 to 16, none over 24.6."""
    chance = np.random.default_rng(1)
    long = np.clip(chance.normal(14.7, 1.1, count), 10, 24.5)
    short = chance.uniform(1.5, 14, count)
    return np.where(chance.random(count) < 0.72, long, short).round(3)


def made(count: int) -> Clips:
    """As many clips, without ids."""
    chance = np.random.default_rng(2)
    return Clips(
        keys=chance.integers(0, 2**64, count, dtype=np.uint64),
        seconds=lengths(count),
        shards=chance.integers(0, max(1, count // SHARD), count, dtype=np.int32),
        sets=(chance.random(count) < 0.25).astype(np.int32),
        places=("a", "b"),
    )


def read(count: int) -> Clips:
    """As many clips, of samples."""
    seconds = lengths(count).tolist()
    tars = [f"shards/{number:06d}.tar" for number in range(-(-count // SHARD))]
    samples = [
        Sample(id=f"{number:09d}", path=Path(tars[number // SHARD]), size=1, transcript="", offset=0, duration=one)
        for number, one in enumerate(seconds)
    ]
    with tempfile.TemporaryDirectory(prefix="dsprep-bench-") as home:
        with told("samples into a table, kept on the disk", count):
            Table.kept(Path(home, "table"), "key", samples)
        with told("the table again, and Clips", count):
            table = Table.kept(Path(home, "table"), "key")
            clips = Clips(keys=table.keys, seconds=table.seconds, shards=table.shards, sets=table.sets, places=("a",))
        size = sum(path.stat().st_size for path in Path(home, "table").iterdir())
        print(f"on the disk: {size / count:.0f} B a clip, beside its text")
        return clips


def resident(field: str) -> int:
    """Bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


@contextmanager
def told(stage: str, count: int) -> Iterator[None]:
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before, began = resident("VmRSS"), time.perf_counter()
    yield
    took = time.perf_counter() - began
    left, most = ((resident(field) - before) / count for field in ("VmRSS", "VmHWM"))
    print(f"{stage:44}{took:10.3f} s{left:12.1f}{most:12.1f}", flush=True)


def epochs(clips: Clips, window: int, mix: MixConfig) -> None:
    name = (f"windows of {window} shards" if window else "all at once") + (f", {mix.hours:g} h" if mix.hours else "")
    with told(f"{name}: plan", len(clips)):
        plan = Plan(clips, BatchConfig(seconds=800, window=window), 1, mix)
    with told("  start of an epoch, first batch", len(clips)):
        epoch = plan.epoch(1)
        epoch[0]
    with told("  seek to the middle of another", len(clips)):
        epoch = plan.epoch(2)
        epoch[len(epoch) // 2 :][0]
    padded = sounding = 0.0
    with told(f"  all of its {len(epoch)} batches, and their padding", len(clips)):
        for batch in epoch:
            seconds = clips.seconds[batch]
            padded += seconds.max() * len(seconds)
            sounding += seconds.sum()
    print(f"  padding: {1 - sounding / padded:.2%} of what is computed; {padded / len(epoch):.0f} of 800 s a batch")


def shuffled_list(count: int) -> None:
    with told("a list of numbers in Python, shuffled", count):
        numbers = list(range(count))
        random.Random(1).shuffle(numbers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=1_000_000)
    parser.add_argument("--clips-alone", action="store_true")
    given = parser.parse_args()
    print(f"{given.clips} clips{'':34}{'time':>8}{'B left':>12}{'B at most':>12}   a clip")
    make: Callable[[int], Clips] = made if given.clips_alone else read
    clips = make(given.clips)
    print(f"Clips: {clips.bytes / given.clips:.0f} B a clip, {clips.seconds.sum() / 3600:.0f} h")
    for window in (0, 64):
        epochs(clips, window, MixConfig())
    epochs(clips, 0, MixConfig(hours=float(clips.seconds.sum()) / 36000))
    if not given.clips_alone:
        shuffled_list(given.clips)


if __name__ == "__main__":
    main()
