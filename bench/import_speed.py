"""Import speed and memory beside the floor, measured side by side in one run.

    make bench                                             or, for other sizes,
    python bench/import_speed.py --clips 10240 --rounds 5

The clips are LibriSpeech's: the utterances of DSPREP_CORPORA/librispeech/dev-clean.tar.gz if there are any
(11 s each), else noise shaped like speech, of the same length. Each is written many times under other names,
as loose files and as one .tar.gz, in LibriSpeech's layout. Then, in turns, each in processes of its own:

    floor      a bare loop: soundfile.read, soxr where rates differ, soundfile.write; loose files in and out
    folder     dsprep import from the same loose files, one worker
    archive    dsprep import from the .tar.gz, one worker

Speed is seconds of audio per second of CPU, user and system, of a process and all that it started, process
start included; medians over the rounds. The ratio to the floor is what counts: the rest drifts with the machine.
Memory is the peak over time of the proportional set sizes of a process and all that it started, summed,
sampled every 20 ms, with two workers, for a tenth of the clips and for all of them.
"""

import argparse
import io
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

FLOOR = """
import sys
from pathlib import Path
import soundfile, soxr
out = Path(sys.argv[2])
out.mkdir()
for path in sorted(Path(sys.argv[1]).rglob("*.flac")):
    samples, rate = soundfile.read(path, dtype="int16")
    if rate != 16000:
        samples = soxr.resample(samples, rate, 16000)
    soundfile.write(out / f"{path.stem}.wav", samples, 16000, subtype="PCM_16")
"""
PART = "dev-clean"
CHAPTER = 50
TEXT = "IF THE READER WILL EXCUSE ME I WILL SAY NOTHING OF MY ANTECEDENTS"


def genuine() -> list[bytes]:
    """Real utterances, where they are."""
    path = Path(os.environ.get("DSPREP_CORPORA", "../shared/corpora"), "librispeech", f"{PART}.tar.gz")
    if not path.is_file():
        return []
    with tarfile.open(path) as tar:
        files = [tar.extractfile(member) for member in tar if member.name.endswith(".flac")]
        return [file.read() for file in files if file]


def made() -> list[bytes]:
    """Two clips of noise that rises and falls."""
    clips = []
    for seed in range(2):
        chance = np.random.default_rng(seed)
        envelope = np.interp(np.arange(11 * 16_000), np.linspace(0, 11 * 16_000, 80), chance.random(80) ** 2)
        file = io.BytesIO()
        samples = (envelope * chance.normal(0, 2000, len(envelope))).astype(np.int16)
        soundfile.write(file, samples, 16_000, format="FLAC", subtype="PCM_16")
        clips.append(file.getvalue())
    return clips


def write_corpus(root: Path, clips: list[bytes], count: int) -> float:
    """`count` clips below `root`, and one archive of them beside it; seconds of audio."""
    seconds = [soundfile.info(io.BytesIO(clip)).duration for clip in clips]
    for chapter, start in enumerate(range(0, count, CHAPTER)):
        name = f"{1000 + chapter}-1"
        folder = root / "LibriSpeech" / PART / name.replace("-", "/")
        folder.mkdir(parents=True)
        ids = [f"{name}-{index:04d}" for index in range(min(CHAPTER, count - start))]
        for index, one in enumerate(ids):
            (folder / f"{one}.flac").write_bytes(clips[index % len(clips)])
        (folder / f"{name}.trans.txt").write_text("".join(f"{one} {TEXT}\n" for one in ids))
    archives = root.with_name(f"{root.name}-archives")
    archives.mkdir()
    with tarfile.open(archives / f"{PART}.tar.gz", "w:gz", compresslevel=6) as tar:
        tar.add(root / "LibriSpeech", "LibriSpeech")
    return sum(seconds[index % CHAPTER % len(clips)] for index in range(count))


def cpu_seconds(command: list[str], out: Path) -> float:
    """CPU that a command and all its children take."""
    shutil.rmtree(out, ignore_errors=True)
    os.sync()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    return usage.ru_utime + usage.ru_stime


def peak_bytes(command: list[str], out: Path) -> int:
    """Most memory that a command and all its children hold at a time."""
    shutil.rmtree(out, ignore_errors=True)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(map(held, family(process.pid))))
        time.sleep(0.02)
    return peak


def family(pid: int) -> Iterator[int]:
    """A process and all below it."""
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from family(int(child))


def held(pid: int) -> int:
    """Proportional set size of a process, 0 once it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def import_command(source: Path, out: Path, workers: int) -> list[str]:
    command = [sys.executable, "-m", "dsprep", "import", "librispeech", str(out), "--source", str(source)]
    return [*command, "--part", PART, "--workers", str(workers)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=5120)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    clips = genuine()
    with tempfile.TemporaryDirectory(prefix="dsprep-bench-") as home:
        small, large, out = Path(home, "small"), Path(home, "large"), Path(home, "out")
        write_corpus(small, clips or made(), given.clips // 10)
        seconds = write_corpus(large, clips or made(), given.clips)
        archives = large.with_name("large-archives")
        ways = {
            "floor": [sys.executable, "-c", FLOOR, str(large), str(out)],
            "folder": import_command(large, out, 1),
            "archive": import_command(archives, out, 1),
        }
        used: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(given.rounds):
            for name, command in ways.items():
                used[name].append(cpu_seconds(command, out))
        kind = "genuine LibriSpeech" if clips else "made noise"
        each = seconds / given.clips
        print(f"import, {given.clips} clips of {each:.1f} s ({kind}), {given.rounds} rounds, one worker\n")
        print(f"{'':10}{'CPU s':>8}{'audio s / CPU s':>18}{'of the floor':>15}")
        floor = statistics.median(used["floor"])
        for name, times in used.items():
            middle = statistics.median(times)
            print(f"{name:10}{middle:8.2f}{seconds / middle:18.0f}{floor / middle:15.2f}")
        print(f"\n{'peak memory, two workers':28}{given.clips // 10:>8} clips{given.clips:>8} clips")
        for name, below in (("folder", ""), ("archive", "-archives")):
            peaks = [peak_bytes(import_command(Path(f"{one}{below}"), out, 2), out) for one in (small, large)]
            print(f"  {name:26}{peaks[0] / 1e6:>11.0f} MB{peaks[1] / 1e6:>11.0f} MB")


if __name__ == "__main__":
    main()
