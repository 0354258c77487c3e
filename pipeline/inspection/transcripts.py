"""Transcripts: what is wrong with the texts of a manifest, and with their lengths against their clips'.

"twenty  one "    spaces        two of them together, one at the end
"cafe\\u0301"      not-nfc       an e and an accent for an é
"café"            outside-alphabet, with English's a-z
"""

import statistics
import unicodedata
from collections.abc import Iterator, Sequence

from ...manifests import Alphabet, Sample, ctc, describe
from ..coverage import Coverage
from ..samples import DataSet
from ..screen import Fit
from .findings import SHOWN, Finding, Kind

FEW = 10
"""Clips, below which a manifest has no median speech rate worth the name; and outliers that are told of one."""
RATE_FACTOR = 3.0
"""How many times the median's speech rate is far from it, either way."""


def transcript_faults(data: DataSet, lengths: Sequence[int | None], alphabet: Alphabet, fit: Fit) -> Iterator[Finding]:
    """Findings about the texts of `data`; `lengths` are its clips' in samples at 16 kHz, where they are known."""
    for sample, length in zip(data.samples, lengths, strict=True):
        for kind, detail in _faults_of(sample, length, fit):
            yield Finding(kind=kind, manifest=data.name, id=sample.id, detail=detail)
    yield from _outside(data, alphabet)
    yield from _speech_rates(data, lengths)


def _faults_of(sample: Sample, length: int | None, fit: Fit) -> Iterator[tuple[Kind, str]]:
    text = sample.transcript
    composed = unicodedata.normalize("NFC", text)
    if not text.strip():
        yield Kind.EMPTY_TEXT, f"no words in {text!r}"
        return
    if text != " ".join(text.split()):
        yield Kind.SPACES, repr(text[:SHOWN])
    if text != composed:
        yield Kind.NOT_NFC, repr(text[:SHOWN])
    if length is not None:
        steps, needed = fit(length, composed)
        if steps < needed:
            yield Kind.TOO_FAST, f"{steps} steps for {needed} labels: {text[:SHOWN]!r}"


def _outside(data: DataSet, alphabet: Alphabet) -> Iterator[Finding]:
    """One finding a character, not a clip: in another language each clip would have it."""
    found = Coverage.of((sample.id, sample.transcript) for sample in data.samples)
    for one in sorted(found.outside(alphabet), key=lambda one: (-one.texts, one.character)):
        detail = f"{describe(one.character)}, {one.count} in all, transcripts with it {one.texts}: {one.example}"
        yield Finding(kind=Kind.OUTSIDE_ALPHABET, manifest=data.name, id=one.example, detail=detail)


def _speech_rates(data: DataSet, lengths: Sequence[int | None]) -> Iterator[Finding]:
    """The clips furthest from the median of characters per second, if they are far."""
    rates = [
        (len(sample.transcript) * ctc.RATE / length, sample)
        for sample, length in zip(data.samples, lengths, strict=True)
        if length and sample.transcript.strip()
    ]
    if len(rates) < FEW:
        return
    median = statistics.median(rate for rate, _ in rates)
    ranked = sorted(rates, key=lambda pair: (-max(pair[0] / median, median / pair[0]), pair[1].id))
    for rate, sample in ranked[:FEW]:
        if max(rate / median, median / rate) > RATE_FACTOR:
            detail = f"{rate:.1f} characters a second, the median has {median:.1f}: {sample.transcript[:SHOWN]!r}"
            yield Finding(kind=Kind.SPEECH_RATE, manifest=data.name, id=sample.id, detail=detail)
