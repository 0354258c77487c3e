"""Sounds of any length become transcripts in their order; what cannot be heard is named, and the rest goes on."""

import os
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dsprep.manifests.ctc import RATE
from dsprep.pipeline.sound.audio import Pcm
from dsprep.trainer.acoustic.acoustic import AcousticModel
from dsprep.trainer.transcribing.batching import EVENTS, Asked, Begin, Broken, Heard, answered, batches_of
from dsprep.trainer.transcribing.sources import Source, number_sound, of_file
from dsprep.trainer.transcribing.transcribing import Failure, transcribe
from dsprep.trainer.transcribing.transcript import Transcript
from dsprep.trainer.transcribing.windows import Window, windows_of

LONG = " ".join(["the cat sat on a mat and did not say why"] * 40)


def source(name: str, pcm: Pcm) -> Source:
    return Source(name=name, sound=partial(number_sound, pcm, RATE))


def texts(model: AcousticModel, sources: list[Source], decoder: Any, **how: Any) -> list[str]:
    found = []
    for outcome in transcribe(model, sources, decoder, **how):
        assert isinstance(outcome, Transcript)
        found.append(outcome.text)
    return found


@pytest.mark.parametrize("streams", [False, True])
def test_a_sound_of_any_length_is_heard_to_its_end(saying: Any, streams: bool) -> None:
    pcm = saying.spoken(LONG)
    (found,) = transcribe(saying.model(streams), [source("long", pcm)], saying.decoder)
    assert isinstance(found, Transcript)
    assert len(pcm) / RATE > 150
    assert found.text == LONG
    assert (found.name, found.seconds) == ("long", len(pcm) / RATE)
    whole = saying.decoder.decode(saying.heard(pcm))[0]
    assert [(one.text, one.start, one.end) for one in found.words] == [
        (one.text, one.start, one.end) for one in whole.words
    ]
    assert found.score == pytest.approx(whole.score, rel=1e-4)


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("batch_seconds", [1.0, 7.0, 1000.0])
def test_the_order_is_that_of_the_sounds_whatever_the_batches(saying: Any, streams: bool, batch_seconds: float) -> None:
    said = ["a b", LONG[:500], "c", LONG[:77], "d e f", LONG[:400], "g"] * 3
    sources = [source(str(number), saying.spoken(text)) for number, text in enumerate(said)]
    model = saying.model(streams)
    assert texts(model, sources, saying.decoder, batch_seconds=batch_seconds) == [text.strip() for text in said]
    for lengths in model.batches:
        assert len(lengths) == 1 or len(lengths) * max(lengths) <= batch_seconds * RATE


def test_sounds_of_like_length_share_batches_and_no_more_than_some_are_held(saying: Any) -> None:
    asked = [
        window for number in range(1000) for window in windows_of([np.ones(1000 + number * 37 % 16_000, np.int16)])
    ]
    lengths = [[len(window.pcm_N) for window in batch] for batch in batches_of(asked, 10.0)]
    assert sum(max(batch) * len(batch) for batch in lengths) < 1.1 * sum(map(sum, lengths))
    model, taken = saying.model(), 0

    def taking() -> Any:
        nonlocal taken
        for window in asked:
            taken += 1
            yield window

    answers = answered(model, taking(), 1.0)
    next(answers)
    assert taken < 100
    assert 1 + len(list(answers)) == len(asked)


def test_answers_come_as_they_were_asked(saying: Any) -> None:
    a, b = source("a", np.ones(1, np.int16)), source("b", np.ones(1, np.int16))
    asked: list[Asked] = [Begin(a), Window(pcm_N=saying.spoken("a")), Begin(b), Window(pcm_N=saying.spoken("bcd"))]
    first, heard_a, second, heard_b = answered(saying.model(), asked, 100.0)
    assert (first, second) == (Begin(a), Begin(b))
    assert isinstance(heard_a, Heard)
    assert isinstance(heard_b, Heard)
    assert len(heard_b.log_probs_TV) == 3 * len(heard_a.log_probs_TV)


def test_what_cannot_be_heard_is_named_and_the_rest_goes_on(saying: Any, tmp_path: Path) -> None:
    good = saying.wav(tmp_path / "good.wav", saying.spoken("one"))
    cut_off = tmp_path / "cut.wav"
    cut_off.write_bytes(saying.wav(tmp_path / "long.wav", saying.spoken(LONG)).read_bytes()[:-100])
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("these are words")
    saying.wav(tmp_path / "silent.wav", np.zeros(0, np.int16))
    os.mkfifo(tmp_path / "pipe.wav")
    names = ["good", "cut", "empty", "good", "text", "silent", "gone", "pipe", "good"]
    sources = [of_file(tmp_path / f"{name}.wav") for name in names]
    found = list(transcribe(saying.model(), sources, saying.decoder))
    assert [one.text for one in found if isinstance(one, Transcript)] == ["one"] * 3
    told = {Path(one.name).stem: one.reason for one in found if isinstance(one, Failure)}
    assert list(told) == ["cut", "empty", "text", "silent", "gone", "pipe"]
    assert "bytes are there" in told["cut"]
    assert told["empty"] == "it is empty"
    assert "no audio that is known here" in told["text"]
    assert told["silent"] == "it holds no sound"
    assert told["gone"] == "No such file or directory"
    assert "named -" in told["pipe"]
    assert [one.name for one in found] == [str(tmp_path / f"{name}.wav") for name in names]
    assert good.exists()


def test_sounds_without_end_that_cannot_be_heard_are_told_and_not_gathered(saying: Any) -> None:
    taken = 0

    def broken() -> Any:
        nonlocal taken
        while True:
            taken += 1
            yield Broken("it is empty")

    assert next(answered(saying.model(), broken(), 100.0)) == Broken("it is empty")
    assert taken == EVENTS


@pytest.mark.parametrize("samples", [1, 160, 16_000])
def test_the_shortest_sounds_and_silence_have_a_transcript(saying: Any, samples: int) -> None:
    (found,) = transcribe(saying.model(), [source("short", np.zeros(samples, np.int16))], saying.decoder)
    assert isinstance(found, Transcript)
    assert (found.text, found.words, found.seconds) == ("", (), round(samples / RATE, 4))


def test_a_pause_begins_another_segment_where_it_is_asked_for(saying: Any) -> None:
    pcm = np.concatenate([saying.spoken("one two", 1.0), saying.spoken("three", 2.0)])
    (found,) = transcribe(saying.model(), [source("two", pcm)], saying.decoder, pause=40)
    assert isinstance(found, Transcript)
    assert [segment.text for segment in found.segments] == ["one two", "three"]
    assert found.text == "one two three"
    assert found.segments[1].hypotheses[0].words[0].start == pytest.approx(1.7)
