"""The one way in which dsprep makes things that last: chunks of audio, shards, downloads, checkpoints.

    .000003.tar.4711-....tmp     written, hashed and fsynced under a name of its own
    000003.tar                   then renamed
    000003.tar.json              then the record: key, and size and sha256 of each file

A thing is done when its record is there, whole, has the expected key, and the sizes match: never because
a file exists. A key is a digest of everything that went in, so changed inputs or settings build anew.
Work that was killed leaves only `.tmp` names, which the next run sweeps; two runs at once make the same bytes.
"""

import errno
import hashlib
import itertools
import json
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ..manifests import DataError, OutputError
from .hashing import sha256_if_there

TEMPORARY = re.compile(r"\.(?P<name>.+)\.(?P<pid>\d+)-(?P<process>[0-9a-f]{8})[0-9a-f]{8}\.tmp")
DEPTH = 2
"""Folders below an output folder in which work is begun: `audio/dev-clean/`. There may be millions of files below."""
LINES = 1000
"""To write at a time of what comes in lines."""
WRITEBACK = 8 << 20
"""Bytes of a file after which they may as well go to the disk."""
PROCESS = secrets.token_hex(4)
"""Of this process and no other: in containers, process numbers come again."""


@dataclass(frozen=True, slots=True)
class FileDigest:
    """What a written file must be."""

    name: str
    """Relative to the folder that the record stands in, `/` between folders."""
    size: int
    """Bytes."""
    sha256: str


@dataclass(frozen=True, slots=True)
class Record:
    """What was committed, and from what."""

    key: str
    files: tuple[FileDigest, ...]
    facts: Any
    """What the maker wants to remember, as JSON."""
    seal: str
    """sha256 over all of the above."""


def digest_of(value: Any) -> str:
    """sha256 of a JSON value in its canonical form: the same value, the same digest, on any machine."""
    return hashlib.sha256(_canonical(value)).hexdigest()


def seal(value: dict[str, Any], indent: int | None = None) -> bytes:
    """A JSON object with a digest of itself, as the bytes of a file that `unseal` can trust."""
    sealed = {**value, "seal": digest_of(value)}
    return json.dumps(sealed, indent=indent, sort_keys=True, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def unseal(data: bytes, place: Path | str) -> dict[str, Any]:
    """The object that `seal` wrote, without its seal.

    Raises:
        DataError: any byte of it has changed.
    """
    try:
        value = json.loads(data)
        del value["seal"]
        if data == seal(value) or data == seal(value, indent=1):
            return dict(value)
    except (ValueError, KeyError, TypeError):
        pass
    raise DataError(f"{place} is damaged: it does not match its own seal")


class Building:
    """A file or folder that is being made under a temporary name: hashes what is written through it."""

    def __init__(self, final: Path, path: Path, prefix: str = "") -> None:
        self.final, self.path, self._prefix = final, path, prefix
        self.files: list[FileDigest] = []

    def add(self, name: str, data: bytes | memoryview) -> int:
        """Write a whole file of that name into the folder; its size in bytes."""
        with self.open(name) as file:
            file.write(data)
        return len(data)

    @contextmanager
    def open(self, name: str = "") -> Iterator["HashingFile"]:
        """A file to write in one go: `name` in the folder, or the thing itself if it is a file."""
        if "/" in name:
            (self.path / name).parent.mkdir(exist_ok=True)
        with (self.path / name if name else self.path).open("xb", buffering=0) as raw:
            file = HashingFile(raw)
            yield file
            if not name:
                os.fsync(raw.fileno())
        whole = f"{self._prefix}{name}" if name else self.final.name
        self.files.append(FileDigest(whole, file.size, file.sha256.hexdigest()))

    def settle(self) -> None:
        """Bring the files of a folder to the disk: all at the end, when most are there, takes half the time."""
        if self.path.is_dir():
            for file in self.files:
                _sync(self.path / file.name.removeprefix(self._prefix))
            _sync(self.path)

    def spread(self) -> None:
        """Move the files of a folder to where their names say, beside `final`, for good."""
        targets = {file.name: self.final.parent / file.name for file in self.files}
        for name, target in targets.items():
            try:
                target.parent.mkdir(exist_ok=True)
                (self.path / name).replace(target)
            except FileNotFoundError:  # a run beside ours removed the folder, which was empty just then
                target.parent.mkdir(exist_ok=True)
                (self.path / name).replace(target)
        for folder in sorted({target.parent for target in targets.values()}):
            _sync(folder)


class HashingFile:
    """A file opened for writing that knows its size and sha256 so far."""

    def __init__(self, raw: BinaryIO | Any) -> None:
        self._raw = raw
        self._begun = 0
        self.size = 0
        self.sha256 = hashlib.sha256()

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Write all of `data`."""
        self.sha256.update(data)
        write_all(self._raw, data)
        self.size += len(data)
        if self.size - self._begun >= WRITEBACK:
            self._begin_writeback()
        return len(data)

    def _begin_writeback(self) -> None:
        """Let the system bring what is written to the disk while we go on: the fsync at the end waits a fifth as long.

        Linux begins to write pages that it is told are not needed, and drops none before they are written.
        """
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self._raw.fileno(), self._begun, self.size - self._begun, os.POSIX_FADV_DONTNEED)
        self._begun = self.size

    def tell(self) -> int:
        """Bytes written so far."""
        return self.size


def write_all(raw: Any, data: bytes | bytearray | memoryview) -> None:
    """Write all of `data` to an unbuffered file, which may take it in pieces."""
    view = memoryview(data).cast("B")
    while view:
        view = view[raw.write(view) :]


def commit(
    final: Path, key: str, build: Callable[[Building], Any], *, folder: bool = False, spread: bool = False
) -> Record:
    """Make the file or folder `final` whole or not at all, then its record; `build` returns the record's facts.

    With `spread`, `final` is only the name of the record: its files, `FOLDER/NAME`, go into folders beside it, which
    other records have files in too.

    Raises:
        OutputError: the disk is full, read-only or failed; nothing is taken for done.
    """
    with writing(final):
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary = temporary_name(final)
        try:
            if folder or spread:
                temporary.mkdir()
            building = Building(final, temporary, f"{final.name}/" if folder else "")
            facts = build(building)
            building.settle()
            if record := accepted(final, key):
                return record  # a run beside ours was first, and made the same bytes
            record_path(final).unlink(missing_ok=True)
            if spread:
                building.spread()
            else:
                _replace(temporary, final)
            _sync(final.parent)
            return write_record(final, key, building.files, facts)
        finally:
            discard(temporary)


def write_record(final: Path, key: str, files: Sequence[FileDigest], facts: Any) -> Record:
    """Write the record of `final`, which must be there and whole: from here on it is done."""
    record, data = recorded(key, files, facts)
    write_whole(record_path(final), data)
    return record


def recorded(key: str, files: Sequence[FileDigest], facts: Any) -> tuple[Record, bytes]:
    """A record, and the bytes that it is written as."""
    content = {"key": key, "files": [asdict(file) for file in files], "facts": facts}
    return Record(key, tuple(files), facts, digest_of(content)), seal(content)


def read_record(final: Path) -> Record | None:
    """The record of `final`, or None if there is none that is whole."""
    path = record_path(final)
    if file_size(path) is None:
        return None  # nor does anybody wait for a pipe to tell
    try:
        return record_of(path.read_bytes())
    except OSError:
        return None


def record_of(data: bytes) -> Record | None:
    """The record in these bytes, as `recorded` made them; None if they are not whole."""
    try:
        value = unseal(data, "a record")
        files = tuple(FileDigest(**file) for file in value["files"])
        return Record(value["key"], files, value["facts"], digest_of(value))
    except (DataError, KeyError, TypeError):
        return None


def accepted(final: Path, key: str) -> Record | None:
    """The record of `final` if it is done: recorded with that key, and every file of the recorded size."""
    record = read_record(final)
    return record if record is not None and record.key == key and _in_size(final, record.files) else None


def proven(final: Path, key: str) -> Record | None:
    """What `accepted` finds, if every byte of its files is as it was recorded: for what is made once and read often."""
    record = accepted(final, key)
    return (
        record
        if record and all(sha256_if_there(final.parent / file.name) == file.sha256 for file in record.files)
        else None
    )


def accepted_as_sealed(final: Path, expected: str) -> bool:
    """Whether `final` is done, and its record says what the one with that seal said."""
    try:
        value = json.loads(record_path(final).read_bytes())
        del value["seal"]
        files = [FileDigest(**file) for file in value["files"]]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return digest_of(value) == expected and _in_size(final, files)


def _in_size(final: Path, files: Iterable[FileDigest]) -> bool:
    return all(file_size(final.parent / file.name) == file.size for file in files)


def record_path(final: Path) -> Path:
    """Where the record of `final` stands: beside it, its name with `.json` after it."""
    return final.with_name(final.name + ".json")


def write_whole(path: Path, data: bytes | Iterable[bytes]) -> FileDigest:
    """Put `data` at `path` by write, fsync and rename: the old file or the new one, never a piece.

    Raises:
        OutputError: the disk is full, read-only or failed.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = temporary_name(path)
        try:
            with Building(path, temporary).open() as file:
                lines = iter([data] if isinstance(data, bytes) else data)
                while piece := b"".join(itertools.islice(lines, LINES)):
                    file.write(piece)
            temporary.replace(path)
            _sync(path.parent)
            return FileDigest(path.name, file.size, file.sha256.hexdigest())
        finally:
            discard(temporary)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Translate what the system says of a failed write into an OutputError that names `path`."""
    try:
        yield
    except OSError as error:
        what = error.strerror or str(error)
        raise OutputError(f"cannot write {path}: {what}; mend that and type the same command again") from error


def sweep(folder: Path) -> None:
    """Remove what dead processes left half-made in `folder` and `DEPTH` folders deep; another run's live work stays."""
    for path in itertools.chain.from_iterable(folder.glob("*/" * depth + ".*.tmp") for depth in range(DEPTH + 1)):
        if (match := TEMPORARY.fullmatch(path.name)) and not alive(int(match["pid"]), match["process"]):
            discard(path)


def discard(path: Path) -> None:
    """Remove a file or folder if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _replace(temporary: Path, final: Path) -> None:
    """Rename, also onto a folder that is there: it has another key, or a run beside ours made it just now."""
    while True:
        try:
            temporary.replace(final)
            return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        aside = temporary_name(final)
        with suppress(FileNotFoundError):
            final.rename(aside)
            discard(aside)


def temporary_name(final: Path) -> Path:
    """A name beside `final` that no other process uses, and that `sweep` knows for its own."""
    return final.with_name(f".{final.name}.{os.getpid()}-{PROCESS}{secrets.token_hex(4)}.tmp")


def _sync(path: Path) -> None:
    """Bring a file or a folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def file_size(path: Path) -> int | None:
    """Bytes of a file; None if it is not there, or no file, or cannot be looked at."""
    try:
        found = path.stat()
        return found.st_size if stat.S_ISREG(found.st_mode) else None
    except OSError:  # just being replaced by a run beside ours, a name too long, a folder closed to us
        return None


def alive(pid: int, process: str) -> bool:
    """Whether the process that made a temporary name of this number and mark still runs."""
    if pid == os.getpid():
        return process == PROCESS
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _zombie(pid)


def _zombie(pid: int) -> bool:
    """Whether a process was killed and nobody has asked after it, as happens in containers without an init."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:  # gone in the meantime, or not Linux: alive as far as one can tell
        return False
    return "\nState:\tZ" in status


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
