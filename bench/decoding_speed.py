"""Decoding speed: a beam of 100 with a 3-gram beside flashlight's own loop, and the greedy decoder.

    python bench/decoding_speed.py [--utterances 40]

Utterances are made: sentences of a vocabulary of 5,000 words as a model would hear them, 29 labels, 12 s of steps of
20 ms, each letter a peak of a step or two with some of its mass elsewhere. The bare loop gives the same numbers to
flashlight's decoder with the same lexicon, model and options, and joins the words of the best hypothesis, nothing else.
Both take turns on the same log-probabilities; medians over the rounds.
"""

import argparse
import math
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from dsprep.manifests import Alphabet, english
from dsprep.trainer.decoding.decoder import LogProbs
from dsprep.trainer.decoding.decoding import ALPHA, BETA, Decoding
from dsprep.trainer.language.building import Recipe, build_model
from dsprep.trainer.language.flashlight import (
    CriterionType,
    Dictionary,
    KenLM,
    LexiconDecoder,
    LexiconDecoderOptions,
    SmearingMode,
    Trie,
)
from dsprep.trainer.language.kenlm import silenced, words_of_model

STEPS = 600
BLANK_SHARE = 0.6


def sentences(count: int, seed: int) -> list[str]:
    """Sentences of made words, a few of them frequent."""
    draw = np.random.default_rng(seed)
    letters = np.array(list("etaoinshrdlucmfwypvbgkqjxz"))
    spell = np.random.default_rng(0)
    words = ["".join(spell.choice(letters[: 8 + index % 18], 2 + index % 8)) for index in range(5000)]
    return [" ".join(words[min(int(one), 5000) - 1] for one in draw.zipf(1.2, 30)) for _ in range(count)]


def heard(text: str, alphabet: Alphabet, seed: int) -> LogProbs:
    """Log-probabilities of a text that is said in `STEPS`, what does not fit in left out."""
    draw = np.random.default_rng(seed)
    x = draw.normal(-7, 1.5, (STEPS, alphabet.size))
    x[:, alphabet.blank] = 2
    # The bare loop loses a last word that has no space behind it.
    labels = alphabet.encode(text[: int(STEPS * (1 - BLANK_SHARE))].rpartition(" ")[0] + " ")
    places = np.linspace(1, STEPS - 3, len(labels)).astype(int)
    for place, label in zip(places.tolist(), labels, strict=True):
        x[place, label] = draw.normal(3.5, 2)
        x[place, draw.integers(0, alphabet.size - 1)] += 8
        x[place + 1, label] = draw.normal(-1, 3)
    return np.asarray(x - np.log(np.exp(x).sum(1, keepdims=True)), np.float32)


def bare_search(lm: Path, alphabet: Alphabet) -> Callable[[LogProbs], str]:
    """Flashlight's own decoder, as its documentation has it."""
    words = sorted(words_of_model(lm))
    dictionary = Dictionary()
    for word in (*words, "<unk>"):
        dictionary.add_entry(word)
    with silenced():
        model = KenLM(str(lm), dictionary)
    space, start = alphabet.encode(" ")[0], model.start(False)
    trie = Trie(alphabet.size, space)
    for index, word in enumerate(words):
        trie.insert([*alphabet.encode(word), space], index, model.score(start, index)[1])
    trie.smear(SmearingMode.MAX)
    options = LexiconDecoderOptions(
        beam_size=100,
        beam_size_token=alphabet.size,
        beam_threshold=25,
        lm_weight=ALPHA * math.log(10),
        word_score=BETA,
        unk_score=-math.inf,
        sil_score=0,
        log_add=True,
        criterion_type=CriterionType.CTC,
    )
    search = LexiconDecoder(options, trie, model, space, alphabet.blank, dictionary.get_index("<unk>"), [], False)

    def decode(log_probs_TV: LogProbs) -> str:
        best: Any = search.decode(log_probs_TV.ctypes.data, *log_probs_TV.shape)[0]
        return " ".join(words[word] for word in best.words if word >= 0)

    return decode


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--utterances", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    alphabet = english()
    with tempfile.TemporaryDirectory() as home:
        text, lm = Path(home) / "text", Path(home) / "3gram.arpa"
        text.write_text("\n".join(sentences(5000, 1)))
        build_model([text], lm, Recipe(order=3, discount_fallback=True))
        said = sentences(asked.utterances, 2)
        clips = [heard(one, alphabet, seed) for seed, one in enumerate(said)]
        ours, greedy = Decoding(lm=lm).decoder(alphabet), Decoding().decoder(alphabet)
        ways: dict[str, Callable[[LogProbs], str]] = {
            "flashlight's bare loop": bare_search(lm, alphabet),
            "beam 100, 3-gram": lambda one: ours.decode(one)[0].text,
            "greedy": lambda one: greedy.decode(one)[0].text,
        }
        took: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(asked.rounds):
            for name, way in ways.items():
                began = time.perf_counter()
                for one in clips:
                    way(one)
                took[name].append((time.perf_counter() - began) / len(clips) * 1000)
        same = sum(ways["flashlight's bare loop"](one) == ways["beam 100, 3-gram"](one) for one in clips)
    print(f"{len(clips)} utterances of {STEPS * 0.02:.0f} s; the two searches hear the same in {same}")
    for name, times in took.items():
        print(f"{name:24} {statistics.median(times):8.2f} ms an utterance ({min(times):.2f} to {max(times):.2f})")
    pairs = zip(took["beam 100, 3-gram"], took["flashlight's bare loop"], strict=True)
    ratios = [one / other for one, other in pairs]
    print(f"beam beside the bare loop: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
