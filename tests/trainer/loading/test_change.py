"""A change of training clips: in any number of threads the same, after lengths are checked; never of dev data."""

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dsprep.manifests import DataError, Sample, english, manifest_bytes, read_manifest
from dsprep.pipeline.reading import audio_bytes
from dsprep.pipeline.shards.placement import Sharding
from dsprep.pipeline.shards.sharding import shard
from dsprep.pipeline.sound.audio import Pcm, decode
from dsprep.trainer.augment import Augmenter
from dsprep.trainer.config import AugmentConfig, read_config
from dsprep.trainer.loading.batches import Loaded, loaded
from dsprep.trainer.loading.data import Data, read_data
from dsprep.trainer.loading.streaming import open_stream, spoken
from dsprep.trainer.order.buckets import PER_DOUBLING
from dsprep.trainer.training.training import train

BATCHES = [(0, 1, 2), (3,), (), (4, 5, 6, 7), (8, 8), (9, 10, 11)]


@pytest.fixture(scope="module")
def data(digits: Path) -> Data:
    return read_data([digits / "dev-clean.csv"])


def config_of(digits: Path) -> AugmentConfig:
    """Quick kinds, which change every clip's sound and length."""
    return AugmentConfig(gain=(-6.0, 6.0), speed=0.2, noise=str(digits / "test-clean.csv"), noise_share=0.5)


def clips_of(batches: list[Loaded]) -> dict[str, bytes]:
    return {
        sample.id: row[:length].tobytes()
        for batch in batches
        for sample, row, length in zip(batch.samples, batch.pcm_BN, batch.lengths, strict=True)
    }


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_changed_clips_come_padded_and_the_same_from_any_number_of_threads(
    digits: Path, data: Data, workers: int
) -> None:
    change = Augmenter.of(config_of(digits), 1).at(2)
    assert change
    batches = list(loaded(data, BATCHES, workers, change))
    assert [list(batch.samples) for batch in batches] == [[data.samples[index] for index in one] for one in BATCHES]
    for batch in batches:
        assert batch.pcm_BN.shape == (len(batch.samples), max(batch.lengths, default=0))
        for sample, row, length in zip(batch.samples, batch.pcm_BN, batch.lengths, strict=True):
            assert np.array_equal(row[:length], change(sample, decode(audio_bytes(sample))))
            assert not row[length:].any()
    other = random.Random(1).sample(range(12), 12)
    assert clips_of(list(loaded(data, [other[:5], other[5:]], 2, change))) == clips_of(batches)


def test_planned_and_streamed_clips_are_changed_alike(tmp_path: Path, digits: Path, data: Data) -> None:
    shard([digits / "dev-clean.csv"], tmp_path / "shards", Sharding(shard_bytes=100_000, seed=3), 1)
    change = Augmenter.of(config_of(digits), 1).at(0)
    config = read_config("ds2-small", ["batch.samples=4"])
    stream = open_stream([tmp_path / "shards"])
    streamed = list(spoken(stream, config, 0, lambda *_: None, print, change))
    assert clips_of(streamed) == clips_of(list(loaded(data, [range(12)], 1, change)))
    full = [batch.lengths for batch in streamed if len(batch.lengths) == 4]
    assert all(max(lengths) <= 2 ** (1.01 / PER_DOUBLING) * min(lengths) for lengths in full[:-3])


def test_a_clip_is_as_long_as_its_manifest_says_before_it_is_changed(tmp_path: Path, digits: Path) -> None:
    wrong = [replace(one, duration=9.0) for one in read_manifest(digits / "dev-clean.csv")[:1]]
    seen: list[str] = []

    def change(sample: Sample, pcm: Pcm) -> Pcm:
        seen.append(sample.id)
        return pcm[:100]

    (tmp_path / "wrong.csv").write_bytes(manifest_bytes(wrong, tmp_path))
    with pytest.raises(DataError, match=r"its manifest says 9\.000 s"):
        list(loaded(read_data([tmp_path / "wrong.csv"]), [(0,)], 1, change))
    assert seen == []


@pytest.mark.parametrize("workers", [0, 2])
def test_what_goes_wrong_in_a_change_comes_with_its_own_batch(data: Data, workers: int) -> None:
    def change(sample: Sample, pcm: Pcm) -> Pcm:
        if sample.id == data.samples[5].id:
            raise DataError("augment.noise: it is gone")
        return pcm

    coming = loaded(data, [(0, 1), (2, 3), (4, 5), (6, 7)], workers, change)
    assert clips_of([next(coming), next(coming)]) == clips_of(list(loaded(data, [(0, 1), (2, 3)])))
    with pytest.raises(DataError, match="it is gone"):
        next(coming)


@pytest.mark.slow
def test_dev_data_are_judged_as_they_are(tmp_path: Path, digits: Path, data: Data) -> None:
    """At a rate of next to nothing the weights stay as they were drawn, and so does what they make of the dev data."""
    dev = read_data([digits / "test-clean.csv"])
    still = ["model.hidden=16", "train.epochs=1", "train.rate=1e-12", "train.schedule=constant", "model.dropout=0.0"]
    harsh = [f"augment.noise={digits / 'test-clean.csv'}", "augment.noise_share=1", "augment.noise_snr=[-60, -60]"]
    harsh += ["augment.gain=[-60, -60]", "augment.speed=0.5", "augment.mask_bins=400", "augment.mask_frames=400"]
    plain, changed = (
        train(read_config("ds1-small", [*still, *settings]), english(), data, dev, tmp_path / name).history[0]
        for name, settings in (("plain", []), ("changed", harsh))
    )
    assert changed.dev_loss == pytest.approx(plain.dev_loss, rel=1e-7)
    assert changed.loss != pytest.approx(plain.loss, rel=1e-5)
