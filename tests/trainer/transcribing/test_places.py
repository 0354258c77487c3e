"""Subtitles have a place each, or it is said before anything is heard."""

from contextlib import nullcontext
from pathlib import Path

import pytest

from dsprep.manifests import UsageError
from dsprep.trainer.transcribing.places import places_of
from dsprep.trainer.transcribing.sources import Source, of_file


def file(name: str, below: str) -> Source:
    return of_file(Path(name), below)


def test_they_lie_beside_the_sound_or_in_a_folder() -> None:
    sources = [file("x/a.b.wav", "a.b"), file("x/1/c.wav", "1/c")]
    beside = places_of(sources, ["srt", "vtt"], None)
    assert beside[0] == {"srt": Path("x/a.b.srt"), "vtt": Path("x/a.b.vtt")}
    assert [one["srt"] for one in places_of(sources, ["srt"], Path("out"))] == [
        Path("out/a.b.srt"),
        Path("out/1/c.srt"),
    ]
    assert places_of(sources, [], None) == [{}, {}]


def test_two_sounds_that_would_share_a_file_are_told_but_not_one_that_is_named_twice() -> None:
    with pytest.raises(UsageError, match=r"x/a\.wav and of x/a\.mp3 would both be x/a\.srt"):
        places_of([file("x/a.wav", "a"), file("x/a.mp3", "a")], ["srt"], None)
    assert len(places_of([file("a.wav", "a"), file("a.wav", "a")], ["srt"], None)) == 2


def test_a_clip_in_a_shard_needs_a_folder() -> None:
    clip = Source(name="clip-1", sound=lambda: nullcontext(iter([])), below="clip-1")
    with pytest.raises(UsageError, match=r"clip-1 is no file of its own: .* --out"):
        places_of([clip], ["vtt"], None)
    assert places_of([clip], ["vtt"], Path("out")) == [{"vtt": Path("out/clip-1.vtt")}]
