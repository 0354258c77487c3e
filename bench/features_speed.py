"""Features of a clip of 10 s on the CPU: ours, in batches of 16 and alone, beside the STFTs that others use.

    python bench/features_speed.py

    librosa's way   frames as a view of the padded clip, NumPy's real FFT, then as deepspeech.pytorch goes on
    torch.stft      a clip at a time, then likewise
    dsprep          every profile

Milliseconds of the processor for a clip: the median of 30 rounds in turns, and the least.
"""

import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from dsprep.manifests.ctc import RATE
from dsprep.trainer.features import FEATURES

BATCH = 16
ROUNDS = 30
CLIPS = torch.randn(BATCH, 10 * RATE, generator=torch.Generator().manual_seed(1)) / 20
HAMMING = torch.hamming_window(320)


def by_frames() -> None:
    """What librosa.stft does at heart, in blocks of one clip."""
    padded = np.pad(CLIPS[0].numpy(), 160, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, 320)[::160]
    spectrum = np.log1p(np.abs(np.fft.rfft(frames * HAMMING.numpy())))
    (spectrum - spectrum.mean()) / spectrum.std(ddof=1)


def by_torch() -> None:
    spectrum = torch.stft(CLIPS[0], 320, 160, window=HAMMING, return_complex=True).abs().log1p()
    (spectrum - spectrum.mean()) / spectrum.std()


def ways() -> dict[str, tuple[Callable[[], object], int]]:
    """What to run, and how many clips that is."""
    found: dict[str, tuple[Callable[[], object], int]] = {"librosa's way": (by_frames, 1), "torch.stft": (by_torch, 1)}
    for name, kind in FEATURES.items():
        for count in (BATCH, 1):
            found[f"{name}, {count}"] = (partial(kind(), CLIPS[:count], [CLIPS.shape[1]] * count), count)
    return found


def main() -> None:
    torch.set_num_threads(1)
    taken: dict[str, list[float]] = {}
    runs = ways()
    for _ in range(ROUNDS + 1):
        for name, (run, clips) in runs.items():
            began = time.process_time()
            run()
            taken.setdefault(name, []).append((time.process_time() - began) / clips * 1000)
    print(f"{'ms a clip of 10 s':32}{'median':>10}{'least':>10}")
    for name, all_of_it in taken.items():
        print(f"{name:32}{statistics.median(all_of_it[1:]):10.2f}{min(all_of_it[1:]):10.2f}")


if __name__ == "__main__":
    main()
