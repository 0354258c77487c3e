from pathlib import Path

import pytest

from dsprep.importers.stm_lines import Segment, segment_id
from dsprep.manifests import DataError, Sample
from dsprep.pipeline.text import PROFILES
from dsprep.trainer.decoding.hypothesis import Hypothesis, Word
from dsprep.trainer.scoring.errors import Errors
from dsprep.trainer.scoring.heard import Evaluation, Heard, heard_of
from dsprep.trainer.scoring.rescoring import by_profile, by_stm


def heard(name: str, reference: str, hypothesis: str, path: str = "x.wav") -> Heard:
    words = tuple(
        Word(text=word, start=float(place), end=place + 0.5, confidence=1)
        for place, word in enumerate(hypothesis.split())
    )
    sample = Sample(id=name, path=Path(path), size=1, transcript=reference, duration=9.0)
    return heard_of(sample, Hypothesis(text=hypothesis, words=words), 1.0)


def segment(transcript: str, start: float = 0.0, end: float = 2.0, channel: str = "1") -> Segment:
    return Segment(file="f", channel=channel, speaker="s", start=start, end=end, transcript=transcript, place="f.stm:1")


def test_accents_and_blanks_make_no_error_however_they_are_typed() -> None:
    one = heard("a", "cafe\u0301  noir ", "café noir")
    assert one.words == Errors(words=2)
    assert one.sample.transcript == "café noir"
    assert one.written.reference == "cafe\u0301  noir "


def test_a_reference_never_passes_through_an_alphabet() -> None:
    assert heard("a", "größe 5!", "grosse").words == Errors(substitutions=1, deletions=1, words=2)


def test_a_profile_is_for_both_sides_and_what_was_written_is_kept() -> None:
    whole = Evaluation((heard("a", "Well, Mister O'Hara!", "well mister OHARA"),))
    assert whole.words.total == 3
    (one,) = by_profile(whole, PROFILES["plain"]).heard
    assert one.words == Errors(substitutions=1, words=3)
    assert one.hypothesis.text == "well mister ohara"
    assert one.written.reference == "Well, Mister O'Hara!"
    assert one.written.hypothesis == "well mister OHARA"
    assert by_profile(by_profile(whole, PROFILES["plain"]), PROFILES["keep"]).words == whole.words


def test_a_reference_that_the_profile_refuses_is_put_aside_and_a_hypothesis_is_not() -> None:
    whole = Evaluation((heard("a", "route 66", "route"), heard("b", "route", "route 66")))
    found = by_profile(whole, PROFILES["plain"])
    assert [(one.id, one.hypothesis) for one in found.unscored] == [("a", "route")]
    assert "numbers must be written as spoken" in found.unscored[0].why
    assert [(one.sample.id, one.words) for one in found.heard] == [("b", Errors(insertions=1, words=1))]


def test_an_utterance_is_compared_with_its_segment_in_any_case_of_letters() -> None:
    segments = [segment("I { UM / @ } (REALLY) know"), segment("no", 2, 3)]
    whole = Evaluation((heard(segment_id(segments[0]), "i um really know", "I KNOW"), heard("other", "x", "x")))
    found = by_stm(whole, segments)
    (one,) = found.heard
    assert one.words == Errors(words=3)
    assert one.sample.transcript == "i know"
    assert (one.speaker, one.segment) == ("s", segments[0])
    assert one.written.reference == "I { UM / @ } (REALLY) know"
    assert [(one.id, one.why) for one in found.unscored] == [("other", "no segment of the STM files is it")]


def test_a_recording_is_shared_out_among_its_segments() -> None:
    """Words at 0, 1, 2, 3 and 4 s; what is said while nothing is to be scored is no error."""
    segments = [segment("a b", 0, 2), segment("ignore_time_segment_in_scoring", 2, 3), segment("d { e / x }", 3, 9)]
    for name, path in (("f", "x.wav"), ("y", "audio/f.flac")):
        found = by_stm(Evaluation((heard(name, "", "a b c d e", path),)), [*reversed(segments), segments[0]])
        assert [one.words for one in found.heard] == [Errors(words=2), Errors(words=2)]
        assert [one.sample.id for one in found.heard] == [segment_id(segments[0]), segment_id(segments[2])]
        assert [(word.text, word.start) for word in found.heard[1].hypothesis.words] == [("d", 0.0), ("e", 1.0)]
        assert [one.why for one in found.unscored] == ["the STM says not to score it"]


def test_a_recording_with_two_channels_is_not_guessed_at() -> None:
    with pytest.raises(DataError, match="the STM has channels 1, 2 of it"):
        by_stm(Evaluation((heard("f", "", "a"),)), [segment("a"), segment("b", channel="2")])


def test_an_alternation_that_cannot_be_read_is_told_with_its_place() -> None:
    one = segment("a { b")
    with pytest.raises(DataError, match=r"f\.stm:1: a brace is not closed"):
        by_stm(Evaluation((heard(segment_id(one), "a", "a"),)), [one])


def test_a_profile_is_for_the_words_of_a_segment_too() -> None:
    one = segment("it 's { %hesitation / @ } <unk> me")
    (found,) = by_stm(Evaluation((heard(segment_id(one), "", "it's me"),)), [one], PROFILES["tedlium"]).heard
    assert found.words == Errors(words=2)
    refused = by_stm(Evaluation((heard(segment_id(one), "", "it's me"),)), [one], PROFILES["librispeech"])
    assert [one.why.split(":")[0] for one in refused.unscored] == ["profile librispeech"]
