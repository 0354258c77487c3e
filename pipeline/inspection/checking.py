"""Checking: what is wrong with data before it is trained on, each fault with its manifest and id.

    duration          train  9000-1   lasts 2.925 s, the manifest says 3.1 s
    outside-alphabet  train  9000-7   'é' (U+00E9), 3 in all, transcripts with it 2: 9000-7, 9001-4
    speaker-leak      train  test     4 speakers in common

Read-only: nothing is written, so there is nothing to resume.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from ...manifests import Alphabet, Progress, Sample, ctc, seconds_text, silent
from ..foreign import Cache
from ..samples import DataSet, file_faults, read_each
from ..screen import FITS
from .findings import EXAMPLES, Checked, Finding, Kind, Report
from .leaks import leaks, repeats, table_of
from .measure import Sound, listen
from .transcripts import transcript_faults

TOLERANCE = 0.5 + 1e-6
"""Of lengths, in samples at 16 kHz: resampling rounds to whole samples, and a duration to a float."""
SILENCE_DB = -60.0
"""Of full scale: a thousandth, 33 of 32768 steps."""
CLIPPED_SHARE = 0.001
"""Of samples at full scale: single ones are a loud recording, a thousandth is a flattened one."""
MODELS = tuple(name for name in FITS if name in ("any", *ctc.MODEL_STEPS))
"""Whose label steps transcripts can be asked to fit."""

Sounds = list[Sound | None]
"""Of a data set's samples, in their order; None for one that was not, or cannot be, decoded."""


def check(
    places: Sequence[Path],
    alphabet: Alphabet,
    *,
    model: str = "any",
    quick: bool = False,
    workers: int = 1,
    progress: Progress = silent,
    cache: Cache | None = None,
) -> Report:
    """Look for everything of `Kind` in manifests and shard folders; `quick` decodes no audio.

    `model` is one of `MODELS`: whose label steps transcripts must fit.

    Raises:
        DataError: a place is neither, cannot be read (an id twice in it), or is named twice; all are empty.
        OutputError: a worker process was killed.
    """
    sets = read_each(places, cache)
    findings = [finding for data in sets for finding in _files(data)]
    if quick:
        sounds = [Sounds([None] * len(data.samples)) for data in sets]
    else:
        sounds, unheard = _hear(sets, {(one.manifest, one.id) for one in findings}, workers, progress)
        findings += unheard
    for data, heard in zip(sets, sounds, strict=True):
        findings += _sound_faults(data, heard)
        findings += transcript_faults(data, _lengths(data, heard), alphabet, FITS[model])
    names = [data.name for data in sets]
    table = table_of(sets, sounds)
    findings += repeats(table, names)
    order = {kind: place for place, kind in enumerate(Kind)}
    return Report(
        sets=tuple(_checked(data, _lengths(data, heard)) for data, heard in zip(sets, sounds, strict=True)),
        findings=tuple(sorted(findings, key=lambda one: (order[one.kind], names.index(one.manifest)))),
        leaks=tuple(leaks(table, names)),
        unchecked=tuple(_unchecked(sets, sounds, quick)),
    )


def _files(data: DataSet) -> Iterator[Finding]:
    if not data.samples:
        yield Finding(kind=Kind.NO_ROWS, manifest=data.name, id="", detail=f"{data.manifest} has no rows")
    for sample, fault in file_faults(data.samples):
        yield Finding(kind=Kind.FILE, manifest=data.name, id=sample.id, detail=fault)


def _hear(
    sets: Sequence[DataSet], gone: set[tuple[str, str]], workers: int, progress: Progress
) -> tuple[list[Sounds], list[Finding]]:
    """The sounds of all clips but those that are gone, and which of them cannot be decoded."""
    sounds = [Sounds([None] * len(data.samples)) for data in sets]
    findings: list[Finding] = []
    places = [
        (number, row)
        for number, data in enumerate(sets)
        for row, sample in enumerate(data.samples)
        if (data.name, sample.id) not in gone
    ]
    heard = listen([sets[number].samples[row] for number, row in places], workers, progress)
    for (number, row), sound in zip(places, heard, strict=True):
        if isinstance(sound, Sound):
            sounds[number][row] = sound
        else:
            name, id = sets[number].name, sets[number].samples[row].id
            findings.append(Finding(kind=Kind.UNREADABLE, manifest=name, id=id, detail=sound))
    return sounds, findings


def _lengths(data: DataSet, heard: Sounds) -> list[int | None]:
    """Samples at 16 kHz of each clip: as decoded, else as the manifest says."""
    return [
        sound.samples if sound else None if sample.duration is None else round(sample.duration * ctc.RATE)
        for sample, sound in zip(data.samples, heard, strict=True)
    ]


def _sound_faults(data: DataSet, heard: Sounds) -> Iterator[Finding]:
    forms: dict[str, list[str]] = {}
    for sample, sound in zip(data.samples, heard, strict=True):
        if sound is None:
            continue
        for kind, detail in _faults_of(sample, sound):
            yield Finding(kind=kind, manifest=data.name, id=sample.id, detail=detail)
        if sound.rate and (sound.rate, sound.channels) != (ctc.RATE, 1):
            forms.setdefault(f"{sound.rate} Hz, {_channels(sound.channels)}", []).append(sample.id)
    for form, ids in forms.items():  # one finding a form: a whole corpus may be like that
        detail = f"{form}, in {len(ids)} clips: {', '.join(ids[:EXAMPLES])}"
        yield Finding(kind=Kind.FORMAT, manifest=data.name, id=ids[0], detail=detail)


def _channels(count: int | None) -> str:
    return "mono" if count == 1 else f"{count} channels"


def _faults_of(sample: Sample, sound: Sound) -> Iterator[tuple[Kind, str]]:
    if sample.duration is not None and abs(sample.duration * ctc.RATE - sound.samples) > TOLERANCE:
        lasts, told = seconds_text(sound.samples / ctc.RATE), seconds_text(round(sample.duration, 7))
        yield Kind.DURATION, f"lasts {lasts} s, the manifest says {told} s"
    if not sound.samples:
        yield Kind.NO_SOUND, "no samples in it"
    elif sound.level < SILENCE_DB:
        yield Kind.SILENT, f"{sound.level:.0f} dB of full scale" if sound.level > float("-inf") else "all zeros"
    if sound.clipped > CLIPPED_SHARE:
        yield Kind.CLIPPED, f"{sound.clipped:.1%} of its samples are at full scale"


def _checked(data: DataSet, lengths: Sequence[int | None]) -> Checked:
    known = [length for length in lengths if length is not None]
    seconds = sum(known) / ctc.RATE if len(known) == len(lengths) else None
    return Checked(data.name, len(data.samples), seconds)


def _unchecked(sets: Sequence[DataSet], sounds: Sequence[Sounds], quick: bool) -> Iterator[str]:
    if quick:
        yield "audio: whether it decodes, lasts as long as the manifest says, is silent, clipped or there twice"
    for data, heard in zip(sets, sounds, strict=True):
        if unknown := sum(length is None for length in _lengths(data, heard)):
            yield f"{data.name}: whether the text fits, for {unknown} clips whose length is not known"
        if data.samples and not any(sample.speaker for sample in data.samples):
            yield f"{data.name}: whether it shares speakers, for it names none"
