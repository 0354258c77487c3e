"""Speed and memory of a Common Voice import beside sox and beside the floor, measured side by side in one run.

    make bench                                                  or, for other sizes,
    python bench/commonvoice_speed.py --clips 2000 --rounds 3

The clips are 48 kHz mono MP3 of 3 to 10 s, joined from the single digits of DSPREP_CORPORA/commonvoice if they are
there, else noise shaped like speech; 64 different ones, repeated under other names. In turns, two processes each:

    ancestor   what mozilla/DeepSpeech's import_cv2.py does: a Pool of 2, pysox and soxi, two processes a clip
    sox        the same with one sox process a clip
    floor      a bare loop in a Pool of 2: soundfile.read, mix, soxr, soundfile.write; loose files in and out
    folder     dsprep import of the unpacked folder, two workers
    archive    dsprep import of the .tar.gz, two workers

CPU is user and system, of a process and all that it started, start included; medians over the rounds.
Then ten times the clips: time, peak memory, and a second run of the finished import.
"""

import argparse
import io
import random
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from dsprep.bench.measure import Cost, cost, encoded, noise, pack, peak_bytes, real_members

RATE = 48_000
DIFFERENT = 64
RELEASE = "cv-corpus-99.0-2026-11-20"
SOX = """
import multiprocessing, subprocess, sys
from pathlib import Path
def one(path):
    wav = str(Path(sys.argv[2]) / f"{path.stem}.wav")
    subprocess.run(["sox", str(path), "-r", "16000", "-c", "1", "-b", "16", wav], check=True)
if __name__ == "__main__":
    Path(sys.argv[2]).mkdir()
    with multiprocessing.Pool(2) as pool:
        list(pool.imap_unordered(one, sorted(Path(sys.argv[1]).rglob("*.mp3")), 16))
"""
ANCESTOR = SOX.replace("import multiprocessing,", "import multiprocessing, sox,").replace(
    'subprocess.run(["sox", str(path), "-r", "16000", "-c", "1", "-b", "16", wav], check=True)',
    "made = sox.Transformer(); made.set_output_format(rate=16000, channels=1); made.build(str(path), wav); "
    'subprocess.check_output(["soxi", "-s", wav])',
)
FLOOR = """
import multiprocessing, sys
from pathlib import Path
import soundfile, soxr
def one(path):
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = soxr.resample(samples.mean(axis=1), rate, 16000)
    soundfile.write(Path(sys.argv[2]) / f"{path.stem}.wav", mono, 16000, subtype="PCM_16")
if __name__ == "__main__":
    Path(sys.argv[2]).mkdir()
    with multiprocessing.Pool(2) as pool:
        list(pool.imap_unordered(one, sorted(Path(sys.argv[1]).rglob("*.mp3")), 16))
"""


def made_clips() -> tuple[list[bytes], list[float], str]:
    """Different clips, the seconds of each, and what they are."""
    chance = random.Random(0)
    spoken = real_members("commonvoice/*.tar.gz", ".mp3")
    digits = [soundfile.read(io.BytesIO(data), dtype="int16")[0] for data in spoken[:500]]
    clips, lengths = [], []
    for seed in range(DIFFERENT):
        wanted = round(chance.uniform(3, 10) * RATE)
        joined = [chance.choice(digits) for _ in range(40)] if digits else [noise(seed, wanted)]
        samples = np.concatenate(joined)[:wanted].astype(np.int16)
        clips.append(encoded(samples, RATE, "MP3"))
        lengths.append(len(samples) / RATE)
    return clips, lengths, "genuine digits, joined" if digits else "made noise"


def write_corpus(root: Path, clips: list[bytes], count: int) -> None:
    """`count` clips in the layout of a current release, as a folder and as an archive beside it."""
    folder = root / RELEASE / "en"
    (folder / "clips").mkdir(parents=True)
    rows = ["client_id\tpath\tsentence\tup_votes\tdown_votes\tage\tgender\taccents\tlocale"]
    for index in range(count):
        name = f"common_voice_en_{10_000_000 + index}.mp3"
        (folder / "clips" / name).write_bytes(clips[index % len(clips)])
        rows.append(f"{index % 997:0128x}\t{name}\tOne two, three.\t2\t0\t\t\t\ten")
    (folder / "validated.tsv").write_text("\n".join(rows) + "\n")
    pack(root / RELEASE, root.with_name(f"{root.name}-archives") / f"{RELEASE}-en.tar.gz")


def import_command(source: Path, out: Path) -> list[str]:
    command = [sys.executable, "-m", "dsprep", "import", "commonvoice", str(out), "--source", str(source)]
    return [*command, "--part", "validated", "--workers", "2"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    clips, lengths, kind = made_clips()
    with tempfile.TemporaryDirectory(prefix="dsprep-bench-") as home:
        small, out = Path(home, "small"), Path(home, "out")
        write_corpus(small, clips, given.clips)
        seconds = sum(lengths[index % DIFFERENT] for index in range(given.clips))
        ways = {
            "floor": [sys.executable, "-c", FLOOR, str(small), str(out)],
            "folder": import_command(small / RELEASE, out),
            "archive": import_command(small.with_name("small-archives"), out),
        }
        if shutil.which("sox"):
            ways["sox"] = [sys.executable, "-c", SOX, str(small), str(out)]
            ways["ancestor"] = [sys.executable, "-c", ANCESTOR, str(small), str(out)]
        used: dict[str, list[Cost]] = {name: [] for name in ways}
        for _ in range(given.rounds):
            for name, command in ways.items():
                used[name].append(cost(command, out))
        print(f"Common Voice, {given.clips} MP3 of {seconds / given.clips:.1f} s ({kind}), {given.rounds} rounds\n")
        print(f"{'':10}{'CPU s':>8}{'wall s':>8}{'CPU ms/clip':>13}{'of the floor, CPU':>19}{'wall':>7}")
        middle = {
            name: Cost(statistics.median(one.cpu for one in costs), statistics.median(one.wall for one in costs))
            for name, costs in used.items()
        }
        floor = middle["floor"]
        for name, one in middle.items():
            share = f"{floor.cpu / one.cpu:19.2f}{floor.wall / one.wall:7.2f}"
            print(f"{name:10}{one.cpu:8.2f}{one.wall:8.2f}{one.cpu / given.clips * 1000:13.2f}{share}")
        if "sox" in middle:
            for name in ("sox", "ancestor"):
                print(
                    f"{name} takes {middle[name].cpu / middle['archive'].cpu:.1f} times the CPU of the archive's import"
                )
        ten_times(Path(home), clips, given.clips, middle["archive"])


def ten_times(home: Path, clips: list[bytes], count: int, before: Cost) -> None:
    """The same with ten times the clips, from the archive."""
    large, out = home / "large", home / "out"
    write_corpus(large, clips, 10 * count)
    source = large.with_name("large-archives")
    peaks = [peak_bytes(import_command(one, out), out) for one in (home / "small-archives", source)]
    after = cost(import_command(source, out), out)
    again = cost(import_command(source, out))
    wall, cpu = after.wall / before.wall, after.cpu / before.cpu
    print(f"\n{10 * count} clips: {wall:.2f} times the wall time, {cpu:.2f} times the CPU")
    print(f"peak memory {peaks[0] / 1e6:.0f} MB, {peaks[1] / 1e6:.0f} MB with ten times the clips")
    print(f"a second run takes {again.wall:.2f} s, {again.wall / after.wall:.1%} of the first")


if __name__ == "__main__":
    main()
