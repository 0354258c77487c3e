"""Ways of loading: from shards to padded batches of 16 clips, ours and those that users come from.

    for clips, useful, padded in WAYS["dsprep"](home, "wav", workers=1, passes=3): ...

Each yields the number of clips of a batch, the samples that are sound, and the samples that are there. `home` holds
`shards/` (ours, which webdataset reads too) and `shar/` (Lhotse's), of the same audio, a format below each.
"""

import io
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from dsprep.manifests import Sample
from dsprep.trainer.config import read_config
from dsprep.trainer.loading.batches import loaded
from dsprep.trainer.loading.data import Data, read_data
from dsprep.trainer.order.plan import Plan

BATCH = 16
HEADER = 44
Loads = Iterator[tuple[int, int, int]]


def ours(home: Path, form: str, workers: int, passes: int) -> Loads:
    """dsprep: the plan's batches, by length, threads."""
    data = _data(home, form)
    batch = read_config("ds2-small", [f"batch.samples={BATCH}", "batch.seconds=100000"]).batch
    plan = Plan(data.clips, batch, 0)
    batches = [one for epoch in range(passes) for one in plan.epoch(epoch)]
    for one in loaded(data, batches, workers):
        yield len(one.lengths), sum(one.lengths), one.pcm_BN.size


def bare(home: Path, form: str, workers: int, passes: int) -> Loads:
    """The ceiling: what decodes a clip and no more; of WAV a `pread` and a view of it, of FLAC libsndfile in memory."""
    samples = _data(home, form).samples
    files = {path: os.open(path, os.O_RDONLY) for path in {sample.path for sample in samples}}

    def read(sample: Sample) -> bytes:
        return os.pread(files[sample.path], sample.size, sample.offset or 0)

    held = {sample.id: read(sample) for sample in samples} if form == "flac" else {}
    for _ in range(passes):
        for start in range(0, len(samples), BATCH):
            batch = samples[start : start + BATCH]
            size = sum(len(_decoded(held.get(one.id) or read(one), form)) for one in batch)
            yield len(batch), size, size
    for file in files.values():
        os.close(file)


def webdataset(home: Path, form: str, workers: int, passes: int) -> Loads:
    """webdataset: shards in shuffled order, a buffer of 1,000 samples, batches as they come, processes."""
    import webdataset as wds

    shards = sorted(map(str, (home / "shards" / form).glob("*.tar")))
    clips = wds.WebDataset(shards * passes, shardshuffle=100, seed=0)  # type: ignore[attr-defined]
    batches = clips.shuffle(1000).map(Decode(form)).batched(BATCH, collation_fn=pad)
    loader = wds.WebLoader(batches, batch_size=None, num_workers=workers)  # type: ignore[attr-defined]
    for padded, lengths in loader:
        yield len(lengths), sum(lengths), padded.numel()


def lhotse(home: Path, form: str, workers: int, passes: int) -> Loads:
    """Lhotse: Shar with a DynamicBucketingSampler of 10 buckets, a buffer of 1,000 cuts, processes; float32."""
    import torch
    from lhotse import CutSet
    from lhotse.dataset import DynamicBucketingSampler
    from lhotse.dataset.dataloading import make_worker_init_fn
    from lhotse.dataset.iterable_dataset import IterableDatasetWrapper
    from lhotse.dataset.sampling.dynamic_bucketing import estimate_duration_buckets

    place = home / "shar" / form
    bins = estimate_duration_buckets(CutSet.from_shar(in_dir=place), num_buckets=10)
    cuts = CutSet.from_shar(in_dir=place, split_for_dataloading=workers > 0, shuffle_shards=True).repeat(passes)
    sampler = DynamicBucketingSampler(
        cuts, max_cuts=BATCH, shuffle=True, duration_bins=bins, buffer_size=1000, world_size=1, rank=0
    )
    loader = torch.utils.data.DataLoader(
        IterableDatasetWrapper(Cuts(), sampler),
        batch_size=None,
        num_workers=workers,
        worker_init_fn=make_worker_init_fn(seed=0) if workers else None,
    )
    for padded, lengths in loader:
        yield len(lengths), int(lengths.sum()), padded.numel()


WAYS: dict[str, Callable[[Path, str, int, int], Loads]] = {
    "bare": bare,
    "dsprep": ours,
    "webdataset": webdataset,
    "lhotse": lhotse,
}


class Decode:
    """A webdataset sample to int16; a class, for worker processes."""

    def __init__(self, form: str) -> None:
        self.form = form

    def __call__(self, sample: dict[str, Any]) -> Any:
        return _decoded(sample[self.form], self.form)


class Cuts:
    """Lhotse's dataset: a batch of cuts to padded audio."""

    def __getitem__(self, cuts: Any) -> Any:
        from lhotse.dataset.collation import collate_audio

        return collate_audio(cuts)


def pad(clips: Sequence[Any]) -> Any:
    """Clips side by side as a tensor, and their lengths."""
    import torch

    lengths = [len(clip) for clip in clips]
    # numpy's zeros cost nothing until they are touched; torch's, on two threads, were a third of webdataset's time.
    padded = np.zeros((len(clips), max(lengths)), np.int16)
    for row, clip in zip(padded, clips, strict=True):
        row[: len(clip)] = clip
    return torch.from_numpy(padded), lengths


def write_shar(samples: Sequence[Sample], out: Path, form: str) -> None:
    """The same audio in Lhotse's Shar."""
    from lhotse import Recording
    from lhotse.shar import SharWriter

    out.mkdir(parents=True)
    with SharWriter(str(out), fields={"recording": form}, shard_size=250) as writer:
        for sample in samples:
            writer.write(Recording.from_file(sample.path, recording_id=sample.id).to_cut())


def _data(home: Path, form: str) -> Data:
    return read_data([home / "shards" / form])


def _decoded(data: bytes, form: str) -> Any:
    if form == "wav":
        return np.frombuffer(data, "<i2", offset=HEADER)
    return soundfile.read(io.BytesIO(data), dtype="int16")[0]
