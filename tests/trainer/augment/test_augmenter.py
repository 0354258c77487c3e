"""What a clip becomes is a function of (seed, epoch, id) and its own sound; what is amiss is told before training."""

import random
import shutil
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dsprep.manifests import DataError, MissingExtraError, Sample, UsageError, manifest_bytes
from dsprep.pipeline.shards.placement import Sharding
from dsprep.pipeline.shards.sharding import shard
from dsprep.pipeline.sound.audio import Pcm, encode
from dsprep.trainer.augment import Augmenter
from dsprep.trainer.augment.waves import power
from dsprep.trainer.config import AugmentConfig

SOX = ["tempo"] if shutil.which("sox") else []
CLIPS = [Sample(id=f"c{number}", path=Path("x"), size=0, transcript="a") for number in range(40)]


def write_sounds(home: Path, sounds: Sequence[Pcm], form: str = "wav") -> Path:
    """A manifest of sounds, their transcripts empty."""
    home.mkdir(parents=True, exist_ok=True)
    samples = []
    for number, pcm in enumerate(sounds):
        path, data = home / f"{number}.{form}", bytes(encode(pcm, form))
        path.write_bytes(data)
        samples.append(Sample(id=f"n{number}", path=path, size=len(data), transcript="", duration=len(pcm) / 16_000))
    (home / "all.csv").write_bytes(manifest_bytes(samples, home))
    return home / "all.csv"


@pytest.fixture(scope="module")
def noises(tmp_path_factory: pytest.TempPathFactory, make: Any) -> Path:
    home = tmp_path_factory.mktemp("noises")
    return write_sounds(home, [make.tone(seconds, 900 + 100 * seconds) for seconds in (0.05, 0.4, 2.0)], "flac")


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home, found = tmp_path_factory.mktemp("rooms"), []
    for delay in (0, 60, 300):
        response = np.random.default_rng(delay).normal(0, 1500, 3000) * np.exp(-np.arange(3000) / 500)
        response = np.concatenate([np.zeros(delay), [20_000], response.clip(-9000, 9000)])
        found.append(response.astype(np.int16))
    return write_sounds(home, found)


@pytest.fixture(scope="module")
def every(noises: Path, rooms: Path) -> AugmentConfig:
    """All kinds at once."""
    return AugmentConfig(
        gain=(-6.0, 8.0),
        speed=0.1,
        tempo=0.15 if SOX else 0.0,
        noise=str(noises),
        noise_share=0.7,
        reverb=str(rooms),
        reverb_share=0.7,
    )


def sounds_of(make: Any, change: Callable[[Sample, Pcm], Pcm], clips: Sequence[Sample] = CLIPS) -> dict[str, bytes]:
    return {one.id: change(one, make.tone(0.2, 200 + len(one.id))).tobytes() for one in clips}


def changed(make: Any, config: AugmentConfig, seed: int = 1, epoch: int = 0) -> dict[str, bytes]:
    change = Augmenter.of(config, seed).at(epoch)
    assert change
    return sounds_of(make, change)


def test_the_same_draws_give_the_same_bytes_in_any_order_and_from_any_thread(make: Any, every: AugmentConfig) -> None:
    expected = changed(make, every)
    change = Augmenter.of(every, 1).at(0)
    assert change
    for workers in (1, 4):
        mixed = random.Random(workers).sample(CLIPS, len(CLIPS))
        with ThreadPoolExecutor(workers) as threads:
            found = threads.map(lambda one: sounds_of(make, change, [one]), mixed)
            assert {name: pcm for one in found for name, pcm in one.items()} == expected
    assert len(set(expected.values())) == len(CLIPS)


def test_another_epoch_or_seed_gives_other_sound(make: Any, every: AugmentConfig) -> None:
    found = [changed(make, every, seed, epoch) for seed, epoch in ((1, 0), (1, 1), (2, 0))]
    for name in found[0]:
        assert len({one[name] for one in found}) == 3


@pytest.mark.parametrize("other", ["gain", "noise", "reverb", *SOX])
def test_a_further_kind_does_not_change_the_speeds_that_are_drawn(make: Any, every: AugmentConfig, other: str) -> None:
    """Each clip's length tells its speed; with a tempo, the speed tells what remains."""
    alone = changed(make, AugmentConfig(speed=0.1))
    both = changed(make, replace(AugmentConfig(speed=0.1), **{other: getattr(every, other)}))
    if other == "tempo":
        paced = changed(make, AugmentConfig(tempo=0.15))
        for name, sound in both.items():
            factor = len(paced[name]) / 6400
            assert abs(len(sound) / 2 - len(alone[name]) / 2 * factor) <= 2
    else:
        assert {name: len(sound) for name, sound in both.items()} == {name: len(one) for name, one in alone.items()}


@pytest.mark.parametrize("kind", ["speed", *SOX])
def test_factors_are_spread_over_their_range(make: Any, kind: str) -> None:
    found = changed(make, AugmentConfig(**{kind: 0.1}))  # type: ignore[arg-type]
    lengths = sorted(len(one) / 2 for one in found.values())
    assert 3200 / 1.1 - 1 <= lengths[0] < 3200 / 1.07
    assert 3200 / 0.93 < lengths[-1] <= 3200 / 0.9 + 1


def test_gain_is_the_drawn_one_and_nothing_else(make: Any) -> None:
    change = Augmenter.of(AugmentConfig(gain=(-6.0, 8.0)), 1).at(0)
    assert change
    decibels = []
    for clip in CLIPS:
        pcm = make.tone(0.2)
        found = change(clip, pcm)
        factor = 10 ** ((gain := 10 * np.log10(power(found) / power(pcm))) / 20)
        assert np.abs(found - pcm * factor).max() < 1
        decibels.append(gain)
    assert -6.01 < min(decibels) < -4
    assert 6 < max(decibels) < 8.01


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("kind", ["noise", "reverb"])
def test_the_share_of_the_clips_that_get_it_is_the_one_asked_for(
    make: Any, every: AugmentConfig, kind: str, share: float
) -> None:
    config = AugmentConfig(**{kind: getattr(every, kind), f"{kind}_share": share})
    change = Augmenter.of(config, 1).at(0)
    assert change
    pcm = make.tone(0.02)
    clips = [replace(CLIPS[0], id=f"c{number}") for number in range(400)]
    hit = sum(not np.array_equal(change(one, pcm), pcm) for one in clips)
    assert abs(hit - 400 * share) <= 5 * (400 * share * (1 - share)) ** 0.5


def test_the_ratio_of_speech_to_noise_is_within_what_was_asked_for(make: Any, noises: Path) -> None:
    change = Augmenter.of(AugmentConfig(noise=str(noises), noise_share=1.0, noise_snr=(5.0, 25.0)), 1).at(0)
    assert change
    pcm = make.tone(0.5)
    ratios = [10 * np.log10(power(pcm) / power(change(one, pcm) - pcm.astype(np.float32))) for one in CLIPS]
    assert 4.9 < min(ratios) < 8
    assert 22 < max(ratios) < 25.1


def test_every_noise_is_drawn(make: Any, noises: Path) -> None:
    """They are tones of 905, 940 and 1100 Hz."""
    change = Augmenter.of(AugmentConfig(noise=str(noises), noise_share=1.0), 1).at(0)
    assert change
    pcm = make.tone(0.5)
    added = [np.abs(np.fft.rfft(change(one, pcm) - pcm.astype(np.float32), 16_000)).argmax() for one in CLIPS]
    assert {round(int(one), -1) for one in added} == {900, 940, 1100}


def test_every_piece_of_a_noise_is_drawn(tmp_path: Path, make: Any) -> None:
    place = write_sounds(tmp_path, [np.concatenate([make.tone(0.5, pitch) for pitch in (1000, 2000, 3000)])])
    change = Augmenter.of(AugmentConfig(noise=str(place), noise_share=1.0), 1).at(0)
    assert change
    pcm = make.tone(0.1)
    added = [np.abs(np.fft.rfft(change(one, pcm) - pcm.astype(np.float32), 16_000)).argmax() for one in CLIPS]
    assert {round(int(one), -3) for one in added} == {1000, 2000, 3000}


@pytest.mark.parametrize("kind", ["speed", *SOX])
def test_a_change_that_a_text_would_not_fit_is_not_made(make: Any, kind: str) -> None:
    asked: list[tuple[str, int]] = []

    def fits(sample: Sample, samples: int) -> bool:
        asked.append((sample.id, samples))
        return samples >= 3200

    config = AugmentConfig(**{kind: 0.1})  # type: ignore[arg-type]
    change = Augmenter.of(config, 1, fits=fits).at(0)
    assert change
    found = sounds_of(make, change)
    free = changed(make, config)
    assert min(map(len, free.values())) < 6400
    for name, sound in found.items():
        assert sound == (free[name] if len(free[name]) >= 6400 else make.tone(0.2, 200 + len(name)).tobytes())
    assert asked == [(name, len(sound) // 2) for name, sound in free.items()]


def test_no_clip_becomes_longer_than_is_said(make: Any) -> None:
    augmenter = Augmenter.of(AugmentConfig(speed=0.1, tempo=0.15 if SOX else 0.0), 1)
    for epoch in range(20):
        for length in (1, 3, 200):
            pcm = make.tone(0.1)[:length]
            assert all(len(augmenter.change(one, pcm, epoch)) <= augmenter.longest(length) for one in CLIPS[:4])
    assert augmenter.longest(16_000) < 16_000 / 0.85 / 0.9 + 5
    assert Augmenter.of(AugmentConfig(gain=(1.0, 2.0)), 1).longest(16_000) == 16_000


@pytest.mark.parametrize("length", [1, 2, 30])
def test_the_shortest_clips_keep_some_sound(make: Any, every: AugmentConfig, length: int) -> None:
    change = Augmenter.of(replace(every, noise_share=1.0, reverb_share=1.0), 1).at(0)
    assert change
    for clip in CLIPS:
        found = change(clip, np.full(length, 1000, np.int16))
        assert found.dtype == np.int16
        assert 0 < len(found) <= length / 0.85 / 0.9 + 2


def test_silence_stays_silence(every: AugmentConfig) -> None:
    change = Augmenter.of(replace(every, noise_share=1.0, reverb_share=1.0), 1).at(0)
    assert change
    for clip in CLIPS[:10]:
        found = change(clip, np.zeros(3000, np.int16))
        assert not found.any()


def test_silent_noises_and_rooms_change_nothing(tmp_path: Path, make: Any) -> None:
    place = str(write_sounds(tmp_path, [np.zeros(500, np.int16)]))
    pcm = make.tone(0.2)
    for config in (AugmentConfig(noise=place, noise_share=1.0), AugmentConfig(reverb=place, reverb_share=1.0)):
        assert np.array_equal(Augmenter.of(config, 1).change(CLIPS[0], pcm, 0), pcm)


def test_what_was_read_is_not_written_over(make: Any, every: AugmentConfig) -> None:
    augmenter, pcm = Augmenter.of(every, 1), make.tone(0.2)
    kept = pcm.copy()
    for config in (every, AugmentConfig(gain=(3.0, 3.0))):
        augmenter = Augmenter.of(config, 1)
        for clip in CLIPS[:10]:
            found = augmenter.change(clip, pcm, 0)
            found[:] = 0
            assert np.array_equal(pcm, kept)


def test_masks_alone_leave_the_sound_to_the_shortest_way() -> None:
    augmenter = Augmenter.of(AugmentConfig(mask_frames=20, mask_bins=20), 1)
    assert augmenter.at(0) is None
    assert augmenter.digest == ""
    one, other = (augmenter.mask(torch.ones(1, 100, 40), [100], ["a"], epoch) for epoch in (0, 1))
    assert not torch.equal(one, other)


def test_shards_serve_as_manifests_do_and_the_digest_is_of_what_they_hold(
    tmp_path: Path, make: Any, noises: Path, rooms: Path
) -> None:
    shard([noises], tmp_path / "shards", Sharding(shard_bytes=100_000, seed=0), 1)
    loose, tarred = (AugmentConfig(noise=str(place), noise_share=1.0) for place in (noises, tmp_path / "shards"))
    assert changed(make, loose) == changed(make, tarred)
    digest = Augmenter.of(loose, 1).digest
    assert digest == Augmenter.of(tarred, 2).digest
    others = [AugmentConfig(reverb=str(noises)), AugmentConfig(noise=str(rooms)), replace(loose, reverb=str(rooms))]
    assert len({digest, *(Augmenter.of(one, 1).digest for one in others)}) == 4


@pytest.mark.parametrize("key", ["noise", "reverb"])
def test_sounds_that_are_not_there_are_told_before_training(tmp_path: Path, make: Any, key: str) -> None:
    (tmp_path / "empty.csv").write_text("wav_filename,wav_filesize,transcript\n")
    gone = write_sounds(tmp_path / "gone", [make.tone(0.1)])
    (tmp_path / "gone" / "0.wav").unlink()
    for place, told in (
        (tmp_path / "empty.csv", "no samples in there"),
        (tmp_path / "none.csv", r"none\.csv"),
        (gone, r"0\.wav is gone"),
    ):
        with pytest.raises(DataError, match=rf"^augment\.{key}: .*{told}"):
            Augmenter.of(AugmentConfig(**{key: str(place)}), 1)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=rf"^augment\.{key}: ftp://x/y: only s3://, gs:// and https:// are read"):
        Augmenter.of(AugmentConfig(**{key: "ftp://x/y"}), 1)  # type: ignore[arg-type]


def test_a_noise_that_cannot_be_read_is_named_when_it_is_drawn(tmp_path: Path, make: Any) -> None:
    place = write_sounds(tmp_path, [make.tone(0.1)])
    data = (tmp_path / "0.wav").read_bytes()
    augmenter = Augmenter.of(AugmentConfig(noise=str(place), noise_share=1.0), 1)
    (tmp_path / "0.wav").write_bytes(b"\0" * len(data))
    with pytest.raises(DataError, match=r"^augment\.noise: n0: .*0\.wav at byte 0: "):
        augmenter.change(CLIPS[0], make.tone(0.1), 0)
    (tmp_path / "0.wav").unlink()
    with pytest.raises(DataError, match=r"^augment\.noise: n0: cannot read .*0\.wav"):
        augmenter.change(CLIPS[0], make.tone(0.1), 0)


def test_without_sox_a_tempo_is_refused_before_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingExtraError, match="needs the program sox"):
        Augmenter.of(AugmentConfig(tempo=0.1), 1)
    Augmenter.of(AugmentConfig(speed=0.1), 1)


def test_no_thread_and_no_file_is_left(make: Any, every: AugmentConfig) -> None:
    here = Path("/proc/self/fd")
    before, files = threading.active_count(), len(list(here.iterdir())) if here.exists() else 0
    changed(make, every)
    assert threading.active_count() == before
    assert (len(list(here.iterdir())) if here.exists() else 0) == files
