"""Verify: whether a folder that dsprep wrote is complete, incomplete, or damaged, and where.

It follows the digests from the mark that was written last: import.json, shards.json or convert.json, the
records it names, the files they name. Sizes are always compared; `deep` reads every byte, and for shards every member.
"""

import hashlib
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..manifests import DataError, DsprepError, Progress, Sample, read_manifest, silent
from .commit import FileDigest, Record, file_size, read_record, record_path, unseal
from .outdir import BEGUN, CONVERTED, IMPORTED
from .samples import MANIFEST
from .shards import INDEX, member_name
from .sound.audio import Unreadable, decode
from .source import Span


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was written."""

    path: Path
    what: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a folder is."""

    kind: str
    """What wrote it: `import`, `shard` or `convert`."""
    files: int
    """Files that were looked at."""
    findings: tuple[Finding, ...]
    """Empty: it is complete."""
    unknown: tuple[Path, ...]
    """Files there that dsprep did not write; they harm nothing."""


def verify(root: Path, *, deep: bool, progress: Progress = silent) -> Verdict:
    """What has become of the import or shards in the folder `root`.

    Raises:
        DataError: it is neither, or is one that has not been finished.
    """
    if (root / INDEX).is_file():
        return _verdict("shard", root, INDEX, deep, progress)
    if (root / IMPORTED).is_file():
        return _verdict("import", root, IMPORTED, deep, progress)
    if (root / CONVERTED).is_file():
        return _verdict("convert", root, CONVERTED, deep, progress)
    if (root / BEGUN).exists():
        raise DataError(f"{root} is incomplete: type the command that makes it once more, it goes on from here")
    raise DataError(f"{root} holds neither {IMPORTED}, {INDEX} nor {CONVERTED}: name a folder that dsprep wrote")


def _verdict(kind: str, root: Path, mark: str, deep: bool, progress: Progress) -> Verdict:
    try:
        content = unseal((root / mark).read_bytes(), root / mark)
    except (OSError, DataError) as error:
        return Verdict(kind, 1, (Finding(root / mark, str(error)),), ())
    expected, findings = _expected(root, content)
    known = {root / mark, *(path for path, _ in expected)}
    total, done = sum(file.size for _, file in expected), 0
    for path, file in expected:
        findings += _check(path, file, deep)
        done += file.size
        progress("verifying", done, total, "B")
    if deep and kind == "shard" and not findings:
        findings += _check_members(root, progress)
    # What `import` fetched is the publisher's: it has a record of its own, and may be thrown away.
    unknown = {path for path in root.rglob("*") if path.is_file()} - known
    unknown = {path for path in unknown if (root / "archives") not in path.parents}
    return Verdict(kind, len(known), tuple(findings), tuple(sorted(unknown)))


def _expected(root: Path, content: dict[str, Any]) -> tuple[list[tuple[Path, FileDigest]], list[Finding]]:
    """Every file that the mark vouches for, directly or through a record, and the records that do not hold."""
    files = [(root / one["name"], FileDigest(**one)) for one in content["files"]]
    findings: list[Finding] = []
    for path, seal in _recorded(root, content):
        record = read_record(path)
        if record is None or record.seal != seal:
            findings.append(Finding(record_path(path), "missing or damaged"))
        else:
            files += ((path.parent / file.name, file) for file in record.files)
            files.append((record_path(path), _record_file(path, record)))
    return files, findings


def _recorded(root: Path, content: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    for home in (content, *content.get("sections", {}).values()):
        for chunk in home.get("chunks", []):
            yield root / chunk["path"], chunk["seal"]
    for shard in content.get("shards", []):
        yield root / shard["name"], shard["seal"]


def _record_file(path: Path, record: Record) -> FileDigest:
    data = record_path(path).read_bytes()
    return FileDigest(record_path(path).name, len(data), hashlib.sha256(data).hexdigest())


def _check(path: Path, file: FileDigest, deep: bool) -> Iterator[Finding]:
    size = file_size(path)
    if size is None:
        yield Finding(path, "missing")
    elif size != file.size:
        yield Finding(path, f"{size} bytes, {file.size} were written")
    elif deep:
        try:
            with path.open("rb") as opened:
                same = hashlib.file_digest(opened, "sha256").hexdigest() == file.sha256
        except OSError as error:
            yield Finding(path, f"cannot be read: {error.strerror}")
            return
        if not same:
            yield Finding(path, "other bytes than were written (sha256 differs)")


def _check_members(root: Path, progress: Progress) -> Iterator[Finding]:
    """Each sample's members, by the manifest: the audio decodes, the text is the manifest's."""
    samples = read_manifest(root / MANIFEST)
    by_tar: dict[Path, list[Sample]] = {}
    for sample in samples:
        by_tar.setdefault(sample.path, []).append(sample)
    done = 0
    for path, held in sorted(by_tar.items()):
        try:
            yield from _check_tar(path, held)
        except (tarfile.TarError, DsprepError) as error:
            yield Finding(path, str(error))
        done += len(held)
        progress("reading members", done, len(samples), "samples")


def _check_tar(path: Path, samples: list[Sample]) -> Iterator[Finding]:
    with tarfile.open(path, "r|") as tar:
        texts: dict[str, bytes] = {}
        audio: dict[str, int] = {}
        for member in tar:
            file = tar.extractfile(member)
            if member.name.endswith(".txt") and file:
                texts[member.name.removesuffix(".txt")] = file.read()
            else:
                audio[member.name] = member.offset_data
    for sample in samples:
        data = Span(path, sample.offset or 0, sample.size).read()
        place = f"{sample.id} at byte {sample.offset}"
        if audio.get(member_name(sample, data)) != sample.offset:
            yield Finding(path, f"{place}: no such member")
        if texts.get(sample.id) != sample.transcript.encode():
            yield Finding(path, f"{place}: its text is not the manifest's")
        try:
            decode(data)
        except Unreadable as error:
            yield Finding(path, f"{place}: {error}")
