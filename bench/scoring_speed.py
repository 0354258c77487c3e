"""Scoring of 2,620 made utterances (52 k words, as test-clean of LibriSpeech has): ours beside jiwer's own calls.

    python bench/scoring_speed.py
    python bench/scoring_speed.py --run runs/digits --data data/digits/test-other.csv

    jiwer, WER           jiwer.wer
    dsprep, WER          word errors, and the WER's 95 % interval of 1,000 resamples of 40 speakers, or of utterances
    jiwer, WER and CER   jiwer.wer and jiwer.cer
    dsprep, all          text profile, WER, CER and SER with their intervals, as `dsprep evaluate` has them

Milliseconds of the processor: the median of 15 rounds in turns, the least, and how many times jiwer's of the same.
Both must count as many errors. With --run: which share of a greedy evaluation on the CPU, reading and network
included, decoding and scoring take.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import jiwer
import numpy as np
import torch

from dsprep.manifests import Sample
from dsprep.trainer.acoustic.run import open_run
from dsprep.trainer.decoding.decoder import LogProbs
from dsprep.trainer.decoding.greedy import Greedy
from dsprep.trainer.decoding.hypothesis import Hypothesis
from dsprep.trainer.judging import judge
from dsprep.trainer.loading.data import read_data
from dsprep.trainer.scoring.bootstrap import Interval, interval, resampled, resampling_of
from dsprep.trainer.scoring.errors import Errors, added, count_words
from dsprep.trainer.scoring.heard import heard_of
from dsprep.trainer.scoring.summary import Summary, summary_of

ROUNDS = 15
UTTERANCES = 2620
SPEAKERS = [f"speaker {number % 40}" for number in range(UTTERANCES)]
UNKNOWN = [""] * UTTERANCES


def made(share: float = 0.1, seed: int = 1) -> tuple[list[str], list[str]]:
    """Texts of 20 words on average, the common ones often, and the same with about that share of errors."""
    chance = random.Random(seed)
    vocabulary = ["".join(chance.choices("etaoinshrdlu", k=chance.randint(2, 9))) for _ in range(20_000)]
    often = list(accumulate(1 / (rank + 1) for rank in range(len(vocabulary))))
    references, hypotheses = [], []
    for _ in range(UTTERANCES):
        said = chance.choices(vocabulary, cum_weights=often, k=chance.randint(2, 38))
        heard = list[str]()
        for word in said:
            other, luck = chance.choices(vocabulary, cum_weights=often)[0], chance.random() / share
            heard += [other] if luck < 0.6 else [] if luck < 0.8 else [word, other] if luck < 1 else [word]
        references.append(" ".join(said))
        hypotheses.append(" ".join(heard))
    return references, hypotheses


REFERENCES, HYPOTHESES = made()
SAMPLES = [
    Sample(id=str(number), path=Path("x"), size=1, transcript=text, speaker=SPEAKERS[number])
    for number, text in enumerate(REFERENCES)
]


def word_rate(speakers: Sequence[str]) -> tuple[Errors, Interval]:
    """The errors, and where their rate may lie."""
    errors = list(map(count_words, REFERENCES, HYPOTHESES))
    counts = np.array([(one.total, one.words) for one in errors], np.float64)
    rates = resampled(counts, speakers, resampling_of(speakers))
    return added(errors), interval(rates[:, 0])


def everything() -> Summary:
    """What `dsprep evaluate` computes when the network is done."""
    texts = zip(SAMPLES, HYPOTHESES, strict=True)
    return summary_of([heard_of(sample, Hypothesis(text=text), 0.0) for sample, text in texts])


RUNS: dict[str, Callable[[], object]] = {
    "jiwer, WER": lambda: jiwer.wer(REFERENCES, HYPOTHESES),
    "dsprep, WER, by speakers": lambda: word_rate(SPEAKERS),
    "dsprep, WER, by utterances": lambda: word_rate(UNKNOWN),
    "jiwer, WER and CER": lambda: (jiwer.wer(REFERENCES, HYPOTHESES), jiwer.cer(REFERENCES, HYPOTHESES)),
    "dsprep, all": everything,
}


@dataclass
class Timed:
    """A decoder that knows how long it took."""

    decoder: Greedy
    seconds: float = 0.0

    def decode(self, log_probs_TV: LogProbs) -> tuple[Hypothesis, ...]:
        began = time.perf_counter()
        found = self.decoder.decode(log_probs_TV)
        self.seconds += time.perf_counter() - began
        return found


def shares(run: Path, data: Path) -> None:
    """Print what an evaluation spends on decoding and scoring."""
    model, read = open_run(run, "cpu"), read_data([data])
    decoder, batch = Timed(Greedy(model.alphabet)), model.standing.config.batch
    began = time.perf_counter()
    found = judge(model.model, model.features, read, model.alphabet, batch, decoder=decoder)
    judged = time.perf_counter() - began
    began = time.perf_counter()
    summary_of([heard_of(one.sample, one.hypothesis, one.loss) for one in found.heard])
    scored = time.perf_counter() - began
    print(f"\nevaluation of {read.summary}: {judged:.2f} s")
    for name, seconds in (("decoding", decoder.seconds), ("scoring", scored)):
        print(f"{name:12}{seconds:10.3f} s{seconds / judged:8.1%}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", type=Path)
    parser.add_argument("--data", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    theirs, (ours, _) = jiwer.process_words(REFERENCES, HYPOTHESES), word_rate(SPEAKERS)
    assert ours.total == theirs.substitutions + theirs.deletions + theirs.insertions
    print(f"{ours.words} words, WER {ours.rate:.2%}")
    taken: dict[str, list[float]] = {}
    for _ in range(ROUNDS + 1):
        for name, run in RUNS.items():
            began = time.process_time()
            run()
            taken.setdefault(name, []).append((time.process_time() - began) * 1000)
    print(f"{'ms':32}{'median':>10}{'least':>10}{'of jiwer':>10}")
    beside = 1.0
    for name, rounds in taken.items():
        median = statistics.median(rounds[1:])
        beside = median if name.startswith("jiwer") else beside
        print(f"{name:32}{median:10.1f}{min(rounds[1:]):10.1f}{median / beside:10.2f}")
    if given.run and given.data:
        shares(given.run, given.data)


if __name__ == "__main__":
    main()
