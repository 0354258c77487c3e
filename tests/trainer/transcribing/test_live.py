"""A stream is transcribed while it comes: its segments are those of the file, and end at pauses."""

from typing import Any

import numpy as np
import pytest

from dsprep.manifests import english
from dsprep.pipeline.sound.audio import Pcm
from dsprep.trainer.transcribing.live import Live
from dsprep.trainer.transcribing.transcript import Segment

SAID = ["one two", "three", "four five six"]


def pieces_of(pcm: Pcm, size: int) -> list[Pcm]:
    return [pcm[at : at + size] for at in range(0, len(pcm), size)]


@pytest.mark.parametrize("size", [100, 1600, 50_000, 10**9])
def test_segments_end_at_pauses_however_the_sound_comes(saying: Any, size: int) -> None:
    pcm = np.concatenate([saying.spoken("", 3.0), *(saying.spoken(text, 1.0) for text in SAID)])
    live, found = Live(saying.stream(), saying.decoder, english()), list[Segment]()
    for piece in pieces_of(pcm, size):
        found += live.feed(piece)
    found += live.end()
    assert [segment.text for segment in found] == SAID
    starts = [segment.hypotheses[0].words[0].start for segment in found]
    assert starts == pytest.approx([3.0, 4.7, 6.2])


def test_what_is_being_said_is_told_before_it_is_certain(saying: Any) -> None:
    live, told = Live(saying.stream(), saying.decoder, english()), list[str]()
    for piece in pieces_of(saying.spoken("one two", 1.0), 1600):
        live.feed(piece)
        told.append(live.so_far.text if live.so_far else "")
    assert told[:7] == ["o", "on", "one", "one", "one t", "one tw", "one two"]
    assert told[-1] == ""


def test_what_is_being_said_is_new_after_a_pause_even_if_it_is_as_long_as_what_was(saying: Any) -> None:
    live = Live(saying.stream(), saying.decoder, english())
    live.feed(saying.spoken("one"))
    assert live.so_far
    assert live.so_far.text == "one"
    (ended,) = live.feed(np.concatenate([saying.spoken("", 1.0), saying.spoken("two")]))
    assert (ended.text, live.so_far.text) == ("one", "two")


def test_a_stream_without_pauses_is_cut_and_not_held(saying: Any) -> None:
    live = Live(saying.stream(), saying.decoder, english())
    found = [segment for _ in range(40) for segment in live.feed(saying.spoken("seven "))]
    found += live.feed(saying.spoken("seven " * 100))
    assert len(found) >= 2
    assert all(segment.end - segment.start <= 31 for segment in found)
    found += live.end()
    assert " ".join(segment.text for segment in found) == " ".join(["seven"] * 140)


def test_a_stream_of_nothing_ends_with_nothing(saying: Any) -> None:
    live = Live(saying.stream(), saying.decoder, english())
    assert live.end() == []
    assert live.so_far is None
