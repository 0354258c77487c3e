"""Accounts: what a folder of shards tells of itself, in three places, each of which may be damaged.

shards.json          each tar's size and sha256, the seal of its record, the sha256 of the manifest
000000.tar.json      the tar's size and sha256, and of each sample place, size, sha256 and length
manifest.csv         the same of all samples, and their texts: so every byte of the tars but the audio
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ...manifests import DataError, Sample, manifest_bytes, read_manifest
from ..commit import FileDigest, read_record, record_path, unseal
from ..outdir import BEGUN, REJECTED, SHARDED
from ..places import MANIFEST
from ..reading import open_file
from ..verdict import Finding, file_fault
from .damage import SHOWN, Contents
from .inventory import Made
from .tar import BLOCK, END, taken

TARS = "[0-9]*.tar"
SHORT = 19
"""Characters of a digest that tell it from another."""
UNSEALED = "damaged: it does not match its own seal"
Rows = Mapping[str, Sequence[Sample]]
"""Samples by the name of their tar."""


@dataclass(frozen=True, slots=True)
class Tar:
    """A shard, and what is known of it."""

    path: Path
    file: FileDigest | None
    """None: neither shards.json nor its record are whole."""
    contents: Contents | None
    """None: neither its record nor the manifest are whole, or nobody asked."""


@dataclass(frozen=True, slots=True)
class Account:
    """What a record tells, in few bytes a sample."""

    key: str
    settings: Any
    made: Made


def holds_shards(root: Path) -> bool:
    """Whether shards were written into the folder `root` and finished, whatever became of them."""
    return (root / SHARDED).exists() or (not (root / BEGUN).exists() and any(map(_told_by, _made(root))))


def _made(root: Path) -> Iterator[Path]:
    """Shards that have a record, whether they are there or not."""
    return (path.with_suffix("") for path in root.glob(f"{TARS}.json"))


class Accounts:
    """What is still whole of what a folder of shards tells of itself; what is not is in `findings`.

    With `deep`, the sha256 of small files counts too, and what the tars must hold is made out.
    """

    def __init__(self, root: Path, *, deep: bool) -> None:
        self.root, self.deep = root, deep
        self.findings: list[Finding] = []
        self.index = self._index()
        """What shards.json holds, if it is whole."""
        self.small = [FileDigest(**one) for one in self.index["files"]] if self.index else []
        """Files that shards.json vouches for."""
        damaged = {one.name for one in self.small if self._damaged(one)} if self.index else self._lacking()
        self.rows = self._rows() if deep and MANIFEST not in damaged else None
        """Of the manifest, if it can be trusted and was asked for."""
        self.records: dict[str, Account] = {}
        """Those that are whole, by the name of their shard; filled by `tars`."""

    def names(self) -> list[str]:
        """Of all shards that were written, as far as anything tells."""
        if self.index:
            return [one["name"] for one in self.index["shards"]]
        recorded = {path.name for path in _made(self.root)}
        return sorted(
            recorded | ({path.name for path in self.root.glob(TARS)} if self.rows is None else set(self.rows))
        )

    def known(self) -> set[Path]:
        """Every file that belongs there."""
        tars = [self.root / name for name in self.names()]
        return {self.root / name for name in (SHARDED, MANIFEST, REJECTED, *(one.name for one in self.small))} | {
            path for tar in tars for path in (tar, record_path(tar))
        }

    def tars(self) -> list[Tar]:
        """The shards, with what is known of each."""
        entries = {one["name"]: one for one in self.index["shards"]} if self.index else {}
        return [self._tar(name, entries.get(name)) for name in self.names()]

    def _tar(self, name: str, entry: Mapping[str, Any] | None) -> Tar:
        path = self.root / name
        told = self._record(path, entry["seal"] if entry else None)
        file = FileDigest(name, entry["bytes"], entry["sha256"]) if entry else None
        if told and file != told[0].made.file:
            if entry:
                self._add(
                    self.root / SHARDED, f"other size or sha256 of {name} than its record, which has the right seal"
                )
            file = told[0].made.file
        return Tar(path, file, self._contents(name, told[1] if told else None, file) if self.deep else None)

    def _index(self) -> dict[str, Any] | None:
        path = self.root / SHARDED
        if fault := _unread(path):
            self._add(path, fault)
            return None
        try:
            content = unseal(path.read_bytes(), path)
            _ = [(one["name"], one["bytes"], one["sha256"], one["seal"]) for one in content["shards"]]
            _ = [FileDigest(**one) for one in content["files"]]
        except (OSError, DataError):
            self._add(path, UNSEALED)
        except (KeyError, TypeError):
            self._add(path, "of another version of dsprep: type dsprep shard again")
        else:
            if not self._foreign(content):
                return content
            self._add(path, "of other shards: it tells of none that is here")
        return None

    def _foreign(self, index: Mapping[str, Any]) -> bool:
        """Whether there are whole records, and none of them is one that this index tells of."""
        others = False
        for one in index["shards"]:
            told = _told_by(self.root / one["name"])
            if told and told[0].made.seal == one["seal"]:
                return False
            others = others or told is not None
        return others

    def _damaged(self, file: FileDigest) -> bool:
        fault = file_fault(self.root / file.name, file, deep=self.deep)
        if fault:
            self._add(self.root / file.name, fault)
        return bool(fault)

    def _lacking(self) -> set[str]:
        """Those of the files that every folder of shards has which cannot be read, when nothing vouches for them."""
        faults = {name: fault for name in (MANIFEST, REJECTED) if (fault := _unread(self.root / name))}
        for name, fault in faults.items():
            self._add(self.root / name, fault)
        return set(faults)

    def _rows(self) -> Rows | None:
        """The manifest's rows by their tars; where shards.json does not vouch for it, it must at least be like ours."""
        path = self.root / MANIFEST
        try:
            samples = read_manifest(path)
            if not self.index and manifest_bytes(samples, self.root) != path.read_bytes():
                raise DataError("damaged: not as dsprep writes it")
        except DataError as error:
            self._add(path, _unread(path) or str(error).removeprefix(f"{path}").lstrip(": "))
            return None
        rows: dict[str, list[Sample]] = {}
        for one in samples:
            if one.path.parent == self.root and one.offset is not None:
                rows.setdefault(one.path.name, []).append(one)
            else:
                self._add(path, f"its row is of no shard: {one.path}", one.id)
        return rows

    def _record(self, path: Path, seal: str | None) -> tuple[Account, list[Sample]] | None:
        told = _told_by(path)
        if told is None:
            self._add(record_path(path), _unread(record_path(path)) or UNSEALED)
        elif seal and told[0].made.seal != seal:
            self._add(record_path(path), f"not the one that {SHARDED} tells of")
            return None
        else:
            self.records[path.name] = told[0]
        return told

    def _contents(self, name: str, told: Sequence[Sample] | None, file: FileDigest | None) -> Contents | None:
        rows = None if self.rows is None else sorted(self.rows.get(name, ()), key=_offset)
        if rows is not None and told is not None:
            wrong = list(islice(self._contradictions(name, rows, told), SHOWN))
            self.findings += wrong
            rows = None if wrong else rows
        if rows is not None:
            last = _offset(rows[-1]) - BLOCK + taken(rows[-1], rows[-1].size) if rows else 0
            return Contents(tuple(rows), file.size if file else last + len(END))
        return Contents(tuple(told), file.size, texts=False) if told is not None and file else None

    def _contradictions(self, name: str, rows: Sequence[Sample], told: Sequence[Sample]) -> Iterator[Finding]:
        """Where the manifest's rows are not what the record of their tar tells."""
        manifest, others = self.root / MANIFEST, {one.id: one for one in told}
        for row in rows:
            if (other := others.pop(row.id, None)) is None:
                yield Finding(manifest, f"{name} holds no such sample", key=row.id)
                continue
            pairs = (
                (what, getattr(row, what), getattr(other, what)) for what in ("offset", "size", "sha256", "duration")
            )
            if wrong := next((one for one in pairs if one[1] != one[2]), None):
                yield Finding(manifest, f"its {wrong[0]} is {wrong[1]}, {name}.json says {wrong[2]}", key=row.id)
        for other in others.values():
            yield Finding(manifest, f"its row is missing: it is in {name}", key=other.id)

    def _add(self, path: Path, what: str, key: str = "") -> None:
        self.findings.append(Finding(path, what, key=key))


def _told_by(path: Path) -> tuple[Account, list[Sample]] | None:
    """The record of the shard at `path`, if it is whole, and what it tells of the samples, in their order."""
    record = read_record(path)
    try:
        if record is None or [one.name for one in record.files] != [path.name]:
            return None
        return Account(record.key, record.facts["settings"], Made.of(record)), [
            Sample(
                id=one["id"],
                path=path,
                offset=one["offset"],
                size=one["size"],
                sha256=one["sha256"],
                duration=one["duration"],
                transcript="",
            )
            for one in record.facts["samples"]
        ]
    except (KeyError, TypeError, ValueError, OverflowError):  # of another version, or of something else
        return None


def _unread(path: Path) -> str:
    """Why a file cannot be read; empty if it can."""
    try:
        open_file(path).close()
    except FileNotFoundError:
        return "missing"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return ""


def _offset(sample: Sample) -> int:
    return sample.offset or 0
