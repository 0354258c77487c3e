"""Batches come padded, whole and in order from any number of threads, and leave nothing behind."""

import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import closing
from dataclasses import replace
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dsprep.manifests import DataError, Sample, manifest_bytes, read_manifest
from dsprep.pipeline.reading import Reader, audio_bytes
from dsprep.pipeline.shards.placement import Sharding
from dsprep.pipeline.shards.sharding import shard
from dsprep.pipeline.sound.audio import decode, encode
from dsprep.trainer.loading.batches import AHEAD, Loaded, load, loaded
from dsprep.trainer.loading.data import Data, read_data

WORKERS = [0, 1, 2, 3]
LENGTHS = (0.5, 0.1, 0.30025, 0.2, 0.25, 0.0000625, 0.4)
"""Seconds; the third is no whole number of milliseconds."""


def data_of(home: Path, samples: list[Sample]) -> Data:
    (home / "all.csv").write_bytes(manifest_bytes(samples, home))
    return read_data([home / "all.csv"])


def write_clips(home: Path, make: Any, form: str) -> list[Sample]:
    """Seven clips, each in a file of its own."""
    samples = []
    for index, seconds in enumerate(LENGTHS):
        pcm = make.tone(seconds, 200 + 50 * index)
        data, path = bytes(encode(pcm, form)), home / f"{index}.{form}"
        path.write_bytes(data)
        samples.append(Sample(id=f"c{index}", path=path, size=len(data), transcript="a", duration=len(pcm) / 16_000))
    return samples


@pytest.fixture
def data(tmp_path: Path, make: Any) -> Data:
    return data_of(tmp_path, write_clips(tmp_path, make, "wav"))


@pytest.fixture(scope="module")
def tars(tmp_path_factory: pytest.TempPathFactory, make: Any) -> Mapping[str, Data]:
    """The same clips in shards, by form."""
    found = {}
    for form in ("wav", "flac"):
        home = tmp_path_factory.mktemp(form)
        data_of(home, write_clips(home, make, form))
        shard([home / "all.csv"], home / "shards", Sharding(shard_bytes=20_000, seed=0), 1)
        found[form] = read_data([home / "shards"])
    return found


@pytest.fixture(autouse=True)
def _nothing_is_left_behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before
    assert not opened(tmp_path_factory.getbasetemp())


def opened(home: Path) -> list[Path]:
    """Files below `home` that this process has open, where the system tells."""
    here = Path("/proc/self/fd")
    links = [one.readlink() for one in here.iterdir() if one.is_symlink()] if here.exists() else []
    return [link for link in links if link.is_relative_to(home)]


def assert_whole(batch: Loaded) -> None:
    """Each row is what `decode` makes of its clip, then zeros; the longest has none."""
    assert batch.pcm_BN.shape == (len(batch.samples), max(batch.lengths, default=0))
    assert batch.pcm_BN.dtype == np.int16
    for sample, row, length in zip(batch.samples, batch.pcm_BN, batch.lengths, strict=True):
        assert np.array_equal(row[:length], decode(audio_bytes(sample)))
        assert not row[length:].any()


BATCHES = [(0, 1), (6,), (5, 3, 2), (), (4, 4), (1, 2, 3, 4, 5, 6, 0)]


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("form", ["wav", "flac"])
def test_every_batch_of_the_plan_comes_in_its_turn_padded_with_zeros(
    tmp_path: Path, make: Any, tars: Mapping[str, Data], form: str, workers: int
) -> None:
    for data in (data_of(tmp_path, write_clips(tmp_path, make, form)), tars[form]):
        found = list(loaded(data, BATCHES, workers))
        assert [list(one.samples) for one in found] == [[data.samples[index] for index in one] for one in BATCHES]
        for batch in found:
            assert_whole(batch)


def test_a_rank_without_a_share_of_a_batch_gets_an_array_of_nothing(data: Data) -> None:
    (batch,) = loaded(data, [()])
    assert (batch.pcm_BN.shape, batch.lengths) == ((0, 0), [])
    assert batch.sound(torch.device("cpu")).shape == (0, 0)


def test_the_sound_from_minus_1_to_1_is_exactly_that_of_the_numbers(data: Data) -> None:
    every = np.arange(-(1 << 15), 1 << 15, dtype=np.int16)[None]
    found = Loaded((), every, [every.size]).sound(torch.device("cpu"))
    assert found.dtype == torch.float32
    assert np.array_equal(found.numpy(), every.astype(np.float32) / np.float32(32_768))


@pytest.mark.parametrize("form", ["wav", "flac"])
@pytest.mark.parametrize("step", [0.01, 0.001])
def test_lengths_that_a_manifest_rounded_are_those_of_the_sound(
    tmp_path: Path, make: Any, form: str, step: float
) -> None:
    """The longest of a batch may be rounded up or down: the array is as wide as the sound."""
    samples = write_clips(tmp_path, make, form)
    for place in (np.floor, np.ceil):
        rounded = [replace(one, duration=float(place((one.duration or 0) / step) * step)) for one in samples]
        data = data_of(tmp_path, rounded)
        for batch in loaded(data, [(2,), (5, 2), (2, 5), (2, 1, 2), (5,)]):
            assert_whole(batch)


def test_a_clip_of_another_length_than_promised_is_refused(tmp_path: Path, make: Any) -> None:
    for form in ("wav", "flac"):
        samples = write_clips(tmp_path, make, form)
        for wrong in (0.0, 0.085, 0.115, 5.0):
            data = data_of(tmp_path, [replace(samples[1], duration=wrong)])
            with pytest.raises(DataError, match=f"c1: .*holds 0.100 s, its manifest says {wrong:.3f} s"):
                list(loaded(data, [(0,)]))


def test_clips_of_other_makers_are_read_and_their_lengths_found(tmp_path: Path, make: Any) -> None:
    rows = []
    for index, clip in enumerate((make.mp3(make.tone(0.3, rate=48_000)), make.flac(make.tone(0.2, rate=8000), 8000))):
        (tmp_path / f"{index}").write_bytes(clip)
        rows.append(Sample(id=f"m{index}", path=tmp_path / f"{index}", size=len(clip), transcript=""))
    data = data_of(tmp_path, rows)
    for batch in loaded(data, [(0, 1), (1, 0)], 2):
        assert_whole(batch)


@pytest.mark.parametrize("workers", WORKERS)
def test_a_clip_that_is_gone_stops_its_own_batch_and_none_before_it(data: Data, workers: int) -> None:
    for _ in range(3):
        gone = data.samples[6]
        gone.path.unlink(missing_ok=True)
        coming = loaded(data, [*repeat((0, 1), 5), (6,), *repeat((2, 3), 50)], workers)
        for _ in range(5):
            assert list(next(coming).samples) == list(data.samples[:2])
        with pytest.raises(DataError, match=rf"{gone.id}: cannot read .*{gone.path.name} at byte 0: No such file"):
            next(coming)
        with pytest.raises(StopIteration):
            next(coming)


@pytest.mark.parametrize("workers", WORKERS)
def test_no_more_is_read_ahead_than_is_wanted(data: Data, workers: int) -> None:
    taken = 0

    def endless() -> Iterator[tuple[int, ...]]:
        nonlocal taken
        while True:
            taken += 1
            yield (0, 1)

    with closing(loaded(data, endless(), workers)) as coming:
        for number in range(1, 20):
            next(coming)
            assert taken == number + AHEAD * workers


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("after", [0, 1, 7])
def test_one_who_stops_early_leaves_no_thread_and_no_file(tars: Mapping[str, Data], workers: int, after: int) -> None:
    coming = loaded(tars["wav"], [(0, 1, 2, 3, 4, 5, 6)] * 100, workers)
    for _ in range(after):
        next(coming)
    coming.close()


@pytest.mark.parametrize("workers", WORKERS)
def test_an_interruption_comes_through_at_once(tars: Mapping[str, Data], workers: int) -> None:
    old = signal.signal(signal.SIGINT, signal.default_int_handler)
    began = time.monotonic()
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt), closing(loaded(tars["flac"], repeat((0, 1)), workers)) as coming:
            for _ in coming:
                pass
    finally:
        signal.signal(signal.SIGINT, old)
        timer.join()
    assert time.monotonic() - began < 2


def test_a_batch_under_way_ends_with_the_clip_in_hand_once_it_is_told_to_stop(data: Data) -> None:
    stop = threading.Event()
    stop.set()
    with Reader() as reader, pytest.raises(CancelledError):
        load(data, (0, 1), reader, stop)


def test_a_manifest_without_durations_gives_the_same_batches(tmp_path: Path, data: Data) -> None:
    bare = [replace(one, duration=None) for one in read_manifest(tmp_path / "all.csv")]
    with Reader() as reader:
        known = load(data, (0, 1, 2), reader)
        found = load(data_of(tmp_path, bare), (0, 1, 2), reader)
    assert np.array_equal(known.pcm_BN, found.pcm_BN)
