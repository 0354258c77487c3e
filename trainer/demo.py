"""Demo: the main job once, offline, on speech that it makes itself, in less than five minutes on two cores."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from ..importers import CORPORA
from ..manifests import english
from ..pipeline.espeak import PARTS, make_corpus
from ..pipeline.importing import import_corpus
from ..pipeline.job import Job
from ..pipeline.report import PartReport
from ..pipeline.shards.placement import Sharding
from ..pipeline.shards.sharding import ShardReport, shard
from .config import read_config
from .evaluating import Asked, evaluate_model
from .loading.data import read_data
from .scoring.heard import Evaluation
from .training.means import Callbacks
from .training.standing import Standing
from .training.training import train

SETTINGS = ("train.epochs=12", "batch.seconds=40")
"""Over the preset ds2-small."""
SHARD_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class DemoReport:
    """What the demo did."""

    imported: tuple[PartReport, ...]
    shards: ShardReport
    standing: Standing
    test: Evaluation

    def lines(self) -> Iterator[tuple[str, str, str]]:
        """A table of three columns."""
        for part in self.imported:
            yield f"imported {part.name}", f"{part.kept.rows} of {part.rows} rows", f"{part.kept.seconds / 60:.1f} min"
        yield "shards", str(self.shards.shards), f"{self.shards.bytes / 1e6:.1f} MB"
        first, last = self.standing.history[0], self.standing.history[-1]
        yield "training loss, first epoch", "", f"{first.loss:.2f}"
        yield "training loss, last epoch", "", f"{last.loss:.2f}"
        yield "WER on dev-clean, best epoch", "", f"{self.standing.best.dev_words.rate:.2%}"
        yield "WER on test-clean, unseen sentences", f"{self.test.words.words} words", f"{self.test.words.rate:.2%}"

    @property
    def next_commands(self) -> tuple[str, ...]:
        """The same job on a real corpus."""
        return (
            "dsprep import librispeech data --part train-clean-5 --part dev-clean-2",
            "dsprep shard data/train-clean-5.csv shards",
            "dsprep train --train shards --dev data/dev-clean-2.csv --run run --config ds2-small",
        )


def run_demo(
    out: Path,
    workers: int,
    callbacks: Callbacks,
) -> DemoReport:
    """Make speech, import it, shard it, train on it and evaluate; run again, it goes on where it stopped."""
    archives, progress = out / "archives", callbacks.progress
    make_corpus(archives, progress)
    data, shards, run = out / "data", out / "shards", out / "run"
    job = Job(corpus=CORPORA["librispeech"], parts=tuple(PARTS), sources=(str(archives),))
    imported = import_corpus(job, data, workers, progress).parts
    sharded = shard([data / "train-clean-100.csv"], shards, Sharding(shard_bytes=SHARD_BYTES), workers, progress)
    standing = train(
        read_config("ds2-small", SETTINGS),
        english(),
        read_data([shards]),
        read_data([data / "dev-clean.csv"]),
        run,
        callbacks=callbacks,
    )
    asked = Asked(data=read_data([data / "test-clean.csv"]), device=torch.device("cpu"), progress=progress)
    return DemoReport(imported, sharded, standing, evaluate_model(run, asked).evaluation)
