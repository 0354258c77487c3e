"""Rescoring: what was heard, compared anew: by another text profile, or with the references of STM files.

The network is not asked again. What has no reference is put aside and counted, never scored as if nothing was said.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ...importers.stm_lines import Segment, segment_id
from ...manifests import DataError
from ...pipeline.text import Profile, Unspoken
from ..decoding.hypothesis import Hypothesis, Word
from .errors import count_characters
from .heard import AS_WRITTEN, Evaluation, Heard, Raw, Unscored, heard_of, spoken
from .network import network_of, read
from .references import shared_out

Outcome = Heard | Unscored


def by_profile(evaluation: Evaluation, profile: Profile) -> Evaluation:
    """All texts compared as a profile has them.

    A reference that the profile refuses is put aside. A hypothesis that it refuses is compared as it is written.
    """
    return _gathered(evaluation, (_profiled(one, profile) for one in evaluation.heard))


def _profiled(one: Heard, profile: Profile) -> Outcome:
    written = one.written
    try:
        sample = replace(one.sample, transcript=written.reference)
        return heard_of(sample, replace(one.hypothesis, text=written.hypothesis), one.loss, profile)
    except Unspoken as error:
        return Unscored(id=one.sample.id, why=f"profile {profile.name}: {error}", hypothesis=written.hypothesis)


def by_stm(evaluation: Evaluation, references: Sequence[Segment], profile: Profile = AS_WRITTEN) -> Evaluation:
    """Every utterance compared with its segment, or a whole recording with its segments, as sclite does, in any case
    of letters.

    Raises:
        DataError: a segment's alternations cannot be read, or its recording has several channels.
    """
    segments = {segment_id(one): one for one in references}
    recordings = defaultdict[str, list[Segment]](list)
    for one in sorted(segments.values(), key=lambda one: one.start):
        recordings[one.file].append(one)

    def scored(one: Heard) -> Iterator[Outcome]:
        text = one.written.hypothesis
        whole = recordings.get(one.sample.id) or recordings.get(one.sample.path.stem)
        if found := segments.get(one.sample.id):
            yield _compared(one, found, text, profile)
        elif whole:
            yield from _shared(one, whole, profile)
        else:
            yield Unscored(id=one.sample.id, why="no segment of the STM files is it", hypothesis=text)

    return _gathered(evaluation, (outcome for one in evaluation.heard for outcome in scored(one)))


def _shared(one: Heard, whole: Sequence[Segment], profile: Profile) -> Iterator[Outcome]:
    channels = sorted({segment.channel for segment in whole})
    if len(channels) > 1:
        raise DataError(
            f"{one.sample.id}: the STM has channels {', '.join(channels)} of it, and the audio is one: "
            "import the STM, so that each segment is an utterance"
        )
    for segment, words in shared_out(one.hypothesis.words, whole):
        mine = replace(
            one,
            sample=replace(one.sample, id=segment_id(segment), duration=segment.end - segment.start),
            hypothesis=Hypothesis(text=" ".join(word.text for word in words), words=_since(words, segment.start)),
            loss=float("inf"),
            raw=None,
        )
        yield _compared(mine, segment, mine.hypothesis.text, profile)


def _compared(one: Heard, segment: Segment, text: str, profile: Profile) -> Outcome:
    """An utterance and its segment."""
    if segment.ignored:
        return Unscored(id=one.sample.id, why="the STM says not to score it", hypothesis=text)

    def folded(words: str) -> str:
        return profile(words).lower()

    try:
        network = network_of(segment.transcript, folded)
    except Unspoken as error:
        return Unscored(id=one.sample.id, why=f"profile {profile.name}: {error}", hypothesis=text)
    except ValueError as error:
        raise DataError(f"{segment.place}: {error}") from error
    heard = " ".join(spoken(text, profile).lower().split())
    reading = read(network, heard.split())
    said = " ".join(reading.words)
    return Heard(
        replace(one.sample, transcript=said, speaker=segment.speaker),
        replace(one.hypothesis, text=heard),
        one.loss,
        reading.errors,
        count_characters(said, heard),
        Raw(reference=segment.transcript, hypothesis=text),
        segment,
    )


def _since(words: Sequence[Word], start: float) -> tuple[Word, ...]:
    """Words by the time since a segment began, which one that hangs over from before it does not precede."""
    return tuple(replace(word, start=max(0.0, word.start - start), end=max(0.0, word.end - start)) for word in words)


def _gathered(evaluation: Evaluation, outcomes: Iterator[Outcome]) -> Evaluation:
    kept = list(outcomes)
    return Evaluation(
        tuple(sorted((one for one in kept if isinstance(one, Heard)), key=lambda one: one.sample.id)),
        tuple(
            sorted((*evaluation.unscored, *(one for one in kept if isinstance(one, Unscored))), key=lambda one: one.id)
        ),
    )
