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


def test_clips_of_one_id_in_two_manifests_are_told_in_files_and_in_shards() -> None:
    for one, other in ((Path("1/a.wav"), Path("2/a.wav")), (None, None)):
        clips = [
            Source(name="clip", sound=lambda: nullcontext(iter([])), beside=beside, below="clip")
            for beside in (one, other)
        ]
        with pytest.raises(UsageError, match=r"of clip and of clip would both be out/clip\.srt"):
            places_of(clips, ["srt"], Path("out"))


def test_no_sound_is_overwritten_by_subtitles() -> None:
    with pytest.raises(UsageError, match=r"of b/talk\.srt would be written over b/talk\.srt: name a folder with --out"):
        places_of([file("b/talk.srt", "talk")], ["srt"], None)
    with pytest.raises(UsageError, match=r"of talk\.wav would be written over talk\.vtt"):
        places_of([file("talk.wav", "talk"), file("talk.vtt", "talk")], ["vtt"], None)


def test_a_file_is_no_folder_for_subtitles(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"file is no folder"):
        places_of([file("a.wav", "a")], ["srt"], tmp_path / "file")
