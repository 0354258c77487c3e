"""A transcript: its text in one line, its words in time, and what JSON tells of it."""

import json

import numpy as np

from dsprep.trainer.decoding.decoder import LogProbs
from dsprep.trainer.decoding.hypothesis import Hypothesis, Word
from dsprep.trainer.transcribing.pieces import Piece
from dsprep.trainer.transcribing.transcript import Segment, Transcript, segment_of

WORD = Word(text="one", start=0.1, end=0.3, confidence=0.98765)


class TwoReadings:
    """A decoder that is not sure."""

    def decode(self, log_probs_TV: LogProbs) -> tuple[Hypothesis, ...]:
        return (Hypothesis(text=" one ", score=-1.25, words=(WORD,)), Hypothesis(text="on", score=-2.5))


def segment(first: int) -> Segment:
    return segment_of(Piece(first=first, log_probs_TV=np.zeros((50, 3), np.float32)), TwoReadings())


def test_words_have_times_from_the_beginning_of_the_sound() -> None:
    found = segment(100)
    assert (found.start, found.end, found.text) == (2.0, 3.0, "one")
    assert (found.hypotheses[0].words[0].start, found.hypotheses[0].words[0].end) == (2.1, 2.3)


def test_segments_are_one_text_with_spaces_where_the_language_has_them() -> None:
    segments = (segment(0), segment(50))
    assert Transcript(name="a", seconds=2.0, segments=segments).text == "one one"
    assert Transcript(name="a", seconds=2.0, segments=segments, spaced=False).text == "oneone"
    assert Transcript(name="a", seconds=2.0, segments=()).text == ""


def test_json_tells_other_readings_if_there_are_any() -> None:
    facts = Transcript(name="a.wav", seconds=1.0, segments=(segment(0),)).facts()
    assert json.loads(json.dumps(facts)) == {
        "path": "a.wav",
        "seconds": 1.0,
        "text": "one",
        "score": -1.25,
        "words": [{"text": "one", "start": 0.1, "end": 0.3, "confidence": 0.9877}],
        "segments": [
            {
                "start": 0.0,
                "end": 1.0,
                "alternatives": [{"text": "one", "score": -1.25}, {"text": "on", "score": -2.5}],
            }
        ],
    }
    assert segment(0).whole_facts()["alternatives"] == facts["segments"][0]["alternatives"]
    sure = Segment(start=0.0, end=1.0, hypotheses=(Hypothesis(text="one", words=(WORD,)),))
    assert "segments" not in Transcript(name="a", seconds=1.0, segments=(sure,)).facts()
    assert "alternatives" not in sure.whole_facts()
