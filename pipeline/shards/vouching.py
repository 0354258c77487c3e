"""Vouching: what dsprep's own records tell of the audio that a manifest names.

    audio/dev-clean/chunk-00003.json   an import's: {"name": "00007/1272-128104-0000.wav", "sha256": ...}, made by it
    audio/00000.json                   a conversion's: files that it copied, as they were
    000003.tar.json                    a shard's: each sample's offset and sha256, decoded or made by dsprep

With them changed audio is told, and FLAC that was decoded once is not decoded again.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ...manifests import Sample
from ..commit import read_record

Vouched = dict[tuple[str, int | None], tuple[str, bool]]
"""By path and offset: the sha256, and whether dsprep has decoded or made the audio."""


def vouched(samples: Sequence[Sample]) -> Iterator[tuple[Sample, bool]]:
    """Each sample, with its sha256 where a record tells it, and whether the record's maker knows that it decodes.

    What a manifest tells itself is not overruled: audio that has another digest than either is another one.
    """
    known = _known(samples)
    for sample in samples:
        sha256, whole = known.get((str(sample.path), sample.offset), ("", False))
        if sha256 and not sample.sha256:
            sample = replace(sample, sha256=sha256)
        yield sample, whole and sample.sha256 == sha256


def _known(samples: Iterable[Sample]) -> Vouched:
    known: Vouched = {}
    for tar in {sample.path for sample in samples if sample.offset is not None}:
        known |= _of_tar(tar)
    folders = {sample.path.parent for sample in samples if sample.offset is None}
    for folder in folders - {Path()}:  # a folder that is named `.` has no record beside it that could be looked for
        known |= _of_files(folder, whole=False)
    for home in {folder.parent for folder in folders}:
        for record in home.glob("chunk-*.json"):
            known |= _of_files(record.with_suffix(""), whole=True)
    return known


def _of_files(final: Path, *, whole: bool) -> Vouched:
    record = read_record(final)
    files = record.files if record else ()
    return {(f"{final.parent}/{file.name}", None): (file.sha256, whole) for file in files}


def _of_tar(tar: Path) -> Vouched:
    record = read_record(tar)
    if record is None or not isinstance(record.facts, dict):
        return {}
    samples = record.facts.get("samples", ())
    return {(str(tar), one["offset"]): (one["sha256"], True) for one in samples if "sha256" in one}
