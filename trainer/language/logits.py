"""Logits: what a model makes of data, computed once and kept, so that decoding can be tried again and again.

    RUN/logits/3f0a....f32         float32 log-probabilities, [T, V] of one utterance after another
    RUN/logits/3f0a....f32.json    its record: which utterances, their transcripts and steps; sha256

Keyed by the digests of checkpoint and data: of others it is computed anew.

Axes: T steps of 20 ms, V labels.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...manifests import Alphabet, OutputError, Progress, silent
from ...pipeline.commit import Building, Record, accepted, commit, digest_of, read_record
from ..decoding.decoder import LogProbs

CODE = "logits-1"
"""Changes whenever other numbers would be kept of the same model and data."""
FOLDER = "logits"


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """Where the log-probabilities of one lie."""

    id: str
    transcript: str
    start: int
    """Steps before it."""
    steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Logits:
    """Log-probabilities that are kept."""

    path: Path
    alphabet: Alphabet
    utterances: tuple[Utterance, ...]

    def of(self, one: Utterance) -> LogProbs:
        """Of one utterance, TV, mapped and not read."""
        labels = self.alphabet.size
        if not one.steps:
            return np.empty((0, labels), np.float32)
        return np.memmap(self.path, np.float32, "r", 4 * labels * one.start, (one.steps, labels))


def logits_of(
    run: Path,
    data: Any,
    device: Any,
    path: Path | None = None,
    progress: Progress = silent,
    on_notice: Callable[[str], None] = lambda notice: None,
    workers: int = 1,
) -> Logits:
    """What the best checkpoint of a run makes of `loading.data.Data`, from the file it is kept in or computed.

    Raises:
        TrainingError: the run has no whole checkpoint.
        DataError: a sample cannot be read.
        OutputError: the file cannot be written, or is there and something else.
    """
    from ..training.checkpoint import best

    found = best(run, on_notice)
    key = digest_of([CODE, found.origin.sha256, data.digest])
    if path and path.exists() and read_record(path) is None:
        raise OutputError(f"{path} is there already and holds no log-probabilities: name another file, or remove it")
    path = path or run / FOLDER / f"{key[:16]}.f32"
    record = accepted(path, key)
    if record is None:
        from ..acoustic.run import hearing

        model = hearing(found, device)
        record = commit(path, key, lambda building: _written(building, model, data, progress, workers))
    return Logits(path=path, alphabet=found.standing.alphabet, utterances=_utterances(record))


def _written(building: Building, model: Any, data: Any, progress: Progress, workers: int) -> list[list[Any]]:
    from ..loading.batches import loaded
    from ..order.plan import plan_reading

    batches, told = plan_reading(data.clips, model.standing.config.batch), list[list[Any]]()
    with building.open() as file, closing(loaded(data, batches, workers)) as coming:
        for batch in coming:
            clips = [pcm[:length] for pcm, length in zip(batch.pcm_BN, batch.lengths, strict=True)]
            for sample, log_probs_TV in zip(batch.samples, model.log_probs(clips), strict=True):
                file.write(np.ascontiguousarray(log_probs_TV, np.float32).tobytes())
                told.append([sample.id, sample.transcript, len(log_probs_TV)])
            progress("computing", len(told), len(data.samples), "utterances")
    return told


def _utterances(record: Record) -> tuple[Utterance, ...]:
    found, start = list[Utterance](), 0
    for name, transcript, steps in record.facts:
        found.append(Utterance(id=name, transcript=transcript, start=start, steps=steps))
        start += steps
    return tuple(found)


def shares(utterances: Sequence[Utterance], count: int) -> list[tuple[Utterance, ...]]:
    """The utterances dealt to so many hands, long and short ones to each."""
    return [tuple(utterances[number::count]) for number in range(count)]
