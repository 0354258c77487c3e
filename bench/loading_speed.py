"""Loading speed: from shards to padded batches of int16 audio, beside the bare decoder, webdataset and Lhotse.

    python bench/loading_speed.py                                  or, for clips as short as those of Common Voice,
    python bench/loading_speed.py --clips 3000 --join 1

The clips are LibriSpeech's, of train-clean-100 below DSPREP_CORPORA; as those there may be cut short, 1 to
`2 * join - 1` neighbours are joined. If there are none, noise. They are sharded once as WAV and once as FLAC, and
written as Lhotse's Shar. Then, in turns, in batches of 16, with the files in the page cache:

    bare         what decodes a clip and no more: the ceiling; FLAC by soundfile from bytes in memory
    dsprep       the trainer's loader; workers are threads
    webdataset   shuffled through a buffer; workers are processes
    lhotse       Shar, DynamicBucketingSampler; workers are processes; float32, as it gives it

Speed is clips per second of the clock, from the first batch to the last, so that no start is counted; medians over
the rounds, with the least and the most. Padding is the share of a batch that is no sound.
"""

import argparse
import importlib.util
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from dsprep.bench.loading_ways import WAYS, write_shar
from dsprep.bench.measure import noise, real_members
from dsprep.manifests import Sample, manifest_bytes
from dsprep.pipeline.shards.placement import Sharding
from dsprep.pipeline.shards.sharding import shard
from dsprep.pipeline.sound.audio import Pcm, decode, encode

FORMS = ("wav", "flac")
PASSES = {"wav": 3, "flac": 1}
SHARD_BYTES = 32 << 20


@dataclass(frozen=True)
class Speed:
    """What a way came to in a round."""

    clips_per_second: float
    padding: float
    """Share of the batches that is no sound."""


def speech() -> list[Pcm]:
    """Clips of 16 kHz speech, or of noise."""
    genuine = real_members("librispeech/train-clean-100.tar.gz", ".flac")
    return [decode(clip) for clip in genuine] or [noise(seed, 16_000 * (1 + seed % 5)) for seed in range(100)]


def joined(clips: list[Pcm], count: int, join: int) -> Iterator[Pcm]:
    """`count` clips, each of 1 to `2 * join - 1` neighbours."""
    chance, at = np.random.default_rng(0), 0
    for length in chance.integers(1, 2 * join, count):
        yield np.concatenate([clips[(at + one) % len(clips)] for one in range(length)])
        at += length


def write_data(home: Path, clips: list[Pcm], count: int, join: int) -> float:
    """The shards of each format; mean seconds of a clip."""
    seconds = 0.0
    for form in FORMS:
        loose, samples = home / "loose" / form, []
        loose.mkdir(parents=True)
        for index, pcm in enumerate(joined(clips, count, join)):
            path, data = loose / f"clip{index:05d}.{form}", encode(pcm, form)
            path.write_bytes(data)
            duration = len(pcm) / 16_000
            samples.append(Sample(id=path.stem, path=path, size=len(data), transcript="a b", duration=duration))
        (loose / "all.csv").write_bytes(manifest_bytes(samples, loose))
        shard([loose / "all.csv"], home / "shards" / form, Sharding(shard_bytes=SHARD_BYTES, seed=0), 1)
        if importlib.util.find_spec("lhotse"):
            write_shar(samples, home / "shar" / form, form)
        seconds = sum(one.duration or 0 for one in samples) / count
    return seconds


def measured(way: str, home: Path, form: str, workers: int) -> Speed:
    """One round of a way."""
    loads = WAYS[way](home, form, workers, PASSES[form])
    _, useful, padded = next(loads)
    began, clips = time.perf_counter(), 0
    for count, some, all_ in loads:
        clips, useful, padded = clips + count, useful + some, padded + all_
    return Speed(clips / (time.perf_counter() - began), 1 - useful / padded)


def report(found: dict[tuple[str, str, int], list[Speed]]) -> None:
    """The table: each way and number of workers, beside dsprep's with as many."""
    middle = {at: statistics.median(one.clips_per_second for one in speeds) for at, speeds in found.items()}
    print(f"{'':6}{'':12}{'workers':>8}{'clips/s':>10}{'least':>9}{'most':>9}{'dsprep is':>12}{'padding':>10}")
    for (form, way, workers), speeds in sorted(found.items(), key=lambda pair: (FORMS.index(pair[0][0]), pair[0][2])):
        some = [one.clips_per_second for one in speeds]
        ratio = middle[form, "dsprep", workers] / middle[form, way, workers]
        padding = f"{statistics.median(one.padding for one in speeds):.1%}" if way != "bare" else ""
        line = f"{form:6}{way:12}{workers:>8}{middle[form, way, workers]:>10.0f}{min(some):>9.0f}{max(some):>9.0f}"
        print(f"{line}{ratio:>10.2f} x{padding:>10}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=2000)
    parser.add_argument("--join", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    # Of two threads on two cores, filling and padding tensors is slower: Lhotse's batches gain by one.
    torch.set_num_threads(1)
    ways = [way for way in WAYS if way in ("bare", "dsprep") or importlib.util.find_spec(way)]
    with tempfile.TemporaryDirectory(prefix="dsprep-bench-") as folder:
        home = Path(folder)
        seconds = write_data(home, speech(), given.clips, given.join)
        cases = [(form, way, n) for form in FORMS for n in (0, 1, 2) for way in ways if way != "bare" or n == 0]
        found: dict[tuple[str, str, int], list[Speed]] = {case: [] for case in cases}
        for _ in range(given.rounds):
            for form, way, workers in cases:
                found[form, way, workers].append(measured(way, home, form, workers))
    print(f"loading, {given.clips} clips of {seconds:.1f} s, batches of 16, {given.rounds} rounds\n")
    report(found)


if __name__ == "__main__":
    main()
