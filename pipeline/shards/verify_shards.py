"""Verify shards: what is wrong where in a folder of them, told by what is still whole.

    000003.tar       byte 9216  1272-128104-0000  audio to byte 196459 (still decodes)
    000005.tar.json                               missing

What is damaged of what the folder tells of itself (`accounts.py`) is told, and the rest says what became of the tars.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ...manifests import Progress
from ..places import MANIFEST
from ..reading import Opened, length_of, open_file
from ..verdict import DIGEST_DIFFERS, IN_PROCESS, Finding, Verdict, file_fault, in_order, unknown_files
from ..workers import run
from .accounts import Accounts, Tar
from .damage import Contents, Fault, first, locate, scan


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of a shard."""

    sha256: str
    findings: tuple[Finding, ...]


def verify_shards(root: Path, *, deep: bool, workers: int, progress: Progress) -> Verdict:
    """What has become of the shards in `root`.

    Raises:
        OutputError: a worker process was killed.
    """
    accounts = Accounts(root, deep=deep)
    tars = accounts.tars()
    total, done = sum(tar.file.size for tar in tars if tar.file), 0
    seen: dict[Path, Seen] = {}
    for tar, one in run(examine if deep else glance, tars, workers if deep and total >= IN_PROCESS else 0):
        seen[tar.path] = one
        done += tar.file.size if tar.file else 0
        progress("verifying", done, total, "B")
    known = accounts.known()
    findings = in_order([*accounts.findings, *_told(tars, seen)])
    return Verdict("shard", len(known), findings, unknown_files(root, known))


def _told(tars: Sequence[Tar], seen: Mapping[Path, Seen]) -> Iterator[Finding]:
    """The findings of all shards; one that holds what another should is told in a word."""
    owners = {tar.file.sha256: tar.path for tar in tars if tar.file}
    for tar in tars:
        owner = owners.get(seen[tar.path].sha256, tar.path)
        if owner == tar.path:
            yield from seen[tar.path].findings
        else:
            yield Finding(tar.path, f"it is {owner.name} under another name")


def glance(tar: Tar) -> Seen:
    """Whether a shard is there in its size."""
    fault = file_fault(tar.path, tar.file, deep=False)
    return Seen("", (Finding(tar.path, fault),) if fault else ())


def examine(tar: Tar) -> Seen:
    """What became of a shard, by reading all of it."""
    size = length_of(tar.path)
    if size is None:
        return glance(tar)
    try:
        with closing(open_file(tar.path)) as file:
            return _examine(tar, file, size)
    except OSError as error:
        return Seen("", (Finding(tar.path, f"cannot be read: {error.strerror}"),))


def _examine(tar: Tar, file: Opened, size: int) -> Seen:
    found = scan(file, size, tar.contents or Contents((), size))
    if tar.file and (found.sha256, size) == (tar.file.sha256, tar.file.size):
        rows = [Fault(one.byte, f"{tar.path.name} is other than its row: {one.what}", one.key) for one in found.apart]
        return Seen(found.sha256, (*_findings(tar.path.with_name(MANIFEST), rows), *_findings(tar.path, found.unsound)))
    if tar.contents is None:
        what = DIGEST_DIFFERS if tar.file else "nothing that is whole tells what it must hold"
        return Seen(found.sha256, (Finding(tar.path, what),))
    faults = locate(file, size, tar.contents) or found.unsound
    if tar.file and not faults:  # the tar is as the manifest and the record tell, and shards.json of another
        faults = [Fault(0, DIGEST_DIFFERS)]
    return Seen(found.sha256, _findings(tar.path, faults))


def _findings(path: Path, faults: Iterable[Fault]) -> tuple[Finding, ...]:
    return tuple(Finding(path, one.what, one.byte, one.key) for one in first(faults))
