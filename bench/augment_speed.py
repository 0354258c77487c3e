"""Augmentation speed: what each change costs a training clip.

    python bench/augment_speed.py

Clips are 10 s of 16 kHz sound that rises and falls as speech does, in the loader's batches of 16. Noises are 30 s,
as WAV and as FLAC, impulse responses half a second and one. The cost is the time of processors, sox's among it, that
the loader takes with a change, less what it takes without, in turns; medians over the rounds, the least and the most.
"""

import argparse
import resource
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from dsprep.bench.measure import noise
from dsprep.manifests import Sample, manifest_bytes
from dsprep.pipeline.sound.audio import Pcm, encode
from dsprep.trainer.augment import Augmenter
from dsprep.trainer.config import AugmentConfig
from dsprep.trainer.loading.batches import loaded
from dsprep.trainer.loading.data import Data, read_data

CLIPS = 96


def write(home: Path, clips: list[Pcm], form: str) -> Path:
    """A manifest of clips."""
    home.mkdir(parents=True)
    samples = []
    for number, pcm in enumerate(clips):
        path, data = home / f"c{number}.{form}", encode(pcm, form)
        path.write_bytes(data)
        duration = len(pcm) / 16_000
        samples.append(Sample(id=path.stem, path=path, size=len(data), transcript="", duration=duration))
    (home / "all.csv").write_bytes(manifest_bytes(samples, home))
    return home / "all.csv"


def room(seed: int, samples: int) -> Pcm:
    """An impulse response: the direct sound, then noise that dies away."""
    walls = np.random.default_rng(seed).normal(0, 0.1, samples) * np.exp(-np.arange(samples) * 6 / samples)
    walls[40] = 1
    return (30_000 * walls.clip(-1, 1)).astype(np.int16)


def cases(home: Path) -> dict[str, AugmentConfig]:
    """A config for each line of the table."""
    noises = {form: write(home / form, [noise(n, 480_000) for n in range(8)], form) for form in ("wav", "flac")}
    rooms = {length: write(home / f"{length}", [room(n, length) for n in range(8)], "wav") for length in (8000, 16_000)}
    found = {
        "gain": AugmentConfig(gain=(-6.0, 8.0)),
        "speed 0.9 to 1.1": AugmentConfig(speed=0.1),
        "tempo 0.85 to 1.15": AugmentConfig(tempo=0.15),
    }
    for form, place in noises.items():
        found[f"noise, {form} of 30 s"] = AugmentConfig(noise=str(place), noise_share=1.0)
    for length, place in rooms.items():
        found[f"reverb, response of {length / 16_000} s"] = AugmentConfig(reverb=str(place), reverb_share=1.0)
    found["all, noise and reverb at their shares"] = AugmentConfig(
        gain=(-6.0, 8.0), speed=0.1, tempo=0.15, noise=str(noises["wav"]), reverb=str(rooms[8000])
    )
    return found


def processor_seconds() -> float:
    """Of this process and of those that it has waited for, so far."""
    return sum(
        used.ru_utime + used.ru_stime
        for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def cost(data: Data, change: Callable[[Sample, Pcm], Pcm] | None) -> float:
    """Milliseconds of processors a clip."""
    batches = [range(start, start + 16) for start in range(0, CLIPS, 16)]
    began = processor_seconds()
    for _ in loaded(data, batches, 1, change):
        pass
    return 1000 * (processor_seconds() - began) / CLIPS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dsprep-bench-") as folder:
        home = Path(folder)
        data = read_data([write(home / "clips", [noise(n, 160_000) for n in range(CLIPS)], "wav")])
        changes = {name: Augmenter.of(config, 0).at(0) for name, config in cases(home).items()}
        found: dict[str, list[float]] = {}
        for _ in range(given.rounds):
            alone = cost(data, None)
            found.setdefault("loading alone", []).append(alone)
            for name, change in changes.items():
                found.setdefault(name, []).append(cost(data, change) - alone)
    print(f"ms of a processor a clip of 10 s, {given.rounds} rounds\n{'':42}{'median':>10}{'least':>8}{'most':>8}")
    for name, costs in found.items():
        print(f"{name:42}{statistics.median(costs):>10.2f}{min(costs):>8.2f}{max(costs):>8.2f}")


if __name__ == "__main__":
    main()
