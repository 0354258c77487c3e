"""Speed of sharding beside what cannot be left out, measured side by side in one run.

    python bench/shard_speed.py                                       1.5 GB of clips of 11 s, 5 rounds
    python bench/shard_speed.py --seconds 2 --megabytes 600 --rounds 3

The clips are WAV files of their own, each its own bytes: LibriSpeech's utterances of DSPREP_CORPORA, if there are any,
else noise shaped like speech, turned by a number of samples, 1000 clips a folder. In turns, each a process of its own:

    write        the bytes of the shards from memory into one file, and nothing else
    tar          tar cf of the folder
    tar+sha      the same, then sha256sum of it
    tar+sha,disk the same, brought to the disk, as dsprep does with all that it writes
    tar+openssl  tar cf, then `openssl dgst -sha256`, which uses the processor's instructions, as dsprep's hashing does
    shardwriter  webdataset's ShardWriter (USTAR, mtime 1), the same members as dsprep's
    dsprep 1     dsprep shard --workers 1: two sha256, of the tar and of each clip
    dsprep 2     with two workers
    1, no disk   dsprep shard --workers 1 that does not wait for the disk

MB/s of audio by the clock, process start included; medians over the rounds.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from dsprep.bench.measure import cost, noise, real_members
from dsprep.manifests import Sample, manifest_bytes
from dsprep.pipeline.sound.audio import Pcm, decode, encode

WRITE = """
import sys
size, block = int(sys.argv[2]), bytes(1 << 20)
with open(sys.argv[1], "wb", buffering=0) as file:
    for _ in range(size >> 20):
        file.write(block)
"""
SHARDWRITER = """
import csv, json, sys
from pathlib import Path
import webdataset
home, out = Path(sys.argv[1]), Path(sys.argv[2])
out.mkdir()
with webdataset.ShardWriter(f"{out}/%06d.tar", maxcount=10**9, maxsize=256e6, mtime=1, format=0, verbose=0) as writer:
    for row in csv.DictReader((home / "in.csv").open(newline="")):
        told = json.dumps({"id": row["id"], "duration": float(row["duration"]), "speaker": row["speaker"]})
        audio = (home / row["wav_filename"]).read_bytes()
        writer.write({"__key__": row["id"], "wav": audio, "txt": row["transcript"], "json": told.encode()})
"""
UNSYNCED = "import os; os.fsync = lambda descriptor: None; from dsprep.cli import main; main()"
PUBLISHED = "librispeech/dev-clean.tar.gz"
TEXT = "if the reader will excuse me i will say nothing of my antecedents"


def write_clips(home: Path, size: int, seconds: float) -> None:
    """WAV files of `size` bytes together below `home`, and their manifest `in.csv`."""
    sounds: list[Pcm] = [decode(one) for one in real_members(PUBLISHED, ".flac")] or [
        noise(seed, 12 * 16_000) for seed in range(2)
    ]
    samples, written = list[Sample](), 0
    while written < size:
        number = len(samples)
        pcm = np.roll(sounds[number % len(sounds)], 97 * number)[: round(seconds * 16_000)]
        path = home / f"{number // 1000:03d}" / f"1272-{number:06d}.wav"
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(encode(pcm, "wav"))
        written += path.stat().st_size
        samples.append(
            Sample(
                id=path.stem, path=path, size=path.stat().st_size, transcript=TEXT, duration=len(pcm) / 16_000,
                speaker="1272",
            )
        )  # fmt: skip
    (home / "in.csv").write_bytes(manifest_bytes(samples, home))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=1500)
    parser.add_argument("--seconds", type=float, default=11)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dsprep-bench-") as room:
        home, out = Path(room, "in"), Path(room, "out")
        write_clips(home, given.megabytes * 10**6, given.seconds)
        audio = sum(path.stat().st_size for path in home.rglob("*.wav"))
        tar = f"tar cf {out} -C {home} ."
        dsprep = ["shard", str(home / "in.csv"), str(out), "--workers"]
        ways = {
            "write": [sys.executable, "-c", WRITE, str(out), str(audio)],
            "tar": ["sh", "-c", tar],
            "tar+sha": ["sh", "-c", f"{tar} && sha256sum {out}"],
            "tar+sha,disk": ["sh", "-c", f"{tar} && sha256sum {out} && sync {out}"],
            "tar+openssl": ["sh", "-c", f"{tar} && openssl dgst -sha256 {out}"],
            "shardwriter": [sys.executable, "-W", "ignore", "-c", SHARDWRITER, str(home), str(out)],
            "dsprep 1": [sys.executable, "-m", "dsprep", *dsprep, "1"],
            "dsprep 2": [sys.executable, "-m", "dsprep", *dsprep, "2"],
            "1, no disk": [sys.executable, "-c", UNSYNCED, *dsprep, "1"],
        }
        walls: dict[str, list[float]] = {name: [] for name in ways}
        cpus: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(given.rounds):
            for name, command in ways.items():
                if out.is_file():
                    out.unlink()
                used = cost(command, out)
                walls[name].append(used.wall)
                cpus[name].append(used.cpu)
                time.sleep(0.5)
    files = audio / (44 + 32_000 * given.seconds)
    print(f"sharding, {audio / 1e6:.0f} MB of WAV, about {files:.0f} files, {given.rounds} rounds\n")
    print(f"{'':14}{'s':>7}{'MB/s':>8}{'of tar+sha':>12}{'CPU s':>8}")
    floor = statistics.median(walls["tar+sha"])
    for name, times in walls.items():
        wall = statistics.median(times)
        cpu = statistics.median(cpus[name])
        print(f"{name:14}{wall:7.2f}{audio / wall / 1e6:8.0f}{floor / wall:12.2f}{cpu:8.2f}")


if __name__ == "__main__":
    main()
