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
import statistics
import sys
import tempfile
from pathlib import Path

import soundfile

from dsprep.bench.measure import cost, encoded, noise, pack, peak_bytes, real_members

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
    pack(root / "LibriSpeech", root.with_name(f"{root.name}-archives") / f"{PART}.tar.gz")
    return sum(seconds[index % CHAPTER % len(clips)] for index in range(count))


def import_command(source: Path, out: Path, workers: int) -> list[str]:
    command = [sys.executable, "-m", "dsprep", "import", "librispeech", str(out), "--source", str(source)]
    return [*command, "--part", PART, "--workers", str(workers)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=5120)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    genuine = real_members(f"librispeech/{PART}.tar.gz", ".flac")
    clips = genuine or [encoded(noise(seed, 11 * 16_000), 16_000, "FLAC") for seed in range(2)]
    with tempfile.TemporaryDirectory(prefix="dsprep-bench-") as home:
        small, large, out = Path(home, "small"), Path(home, "large"), Path(home, "out")
        write_corpus(small, clips, given.clips // 10)
        seconds = write_corpus(large, clips, given.clips)
        archives = large.with_name("large-archives")
        ways = {
            "floor": [sys.executable, "-c", FLOOR, str(large), str(out)],
            "folder": import_command(large, out, 1),
            "archive": import_command(archives, out, 1),
        }
        used: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(given.rounds):
            for name, command in ways.items():
                used[name].append(cost(command, out).cpu)
        kind = "genuine LibriSpeech" if genuine else "made noise"
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
