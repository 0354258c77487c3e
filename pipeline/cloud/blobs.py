"""Blobs: clips kept on this machine, each under its own digest, within a bound.

    CACHE/blobs/3f/3fd2a1...9c      32 bytes of sha256, then the clip
    CACHE/blobs/total               bytes in all of them, `00000009999712345`, locked while that changes

Any number of threads and processes share it. What cannot be kept is not: a full or read-only disk costs speed alone.
"""

import fcntl
import hashlib
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ..commit import discard, sweep, temporary_name

HEAD = hashlib.sha256().digest_size
DIGITS = 17
"""Of the total."""
KEPT = 0.9
"""Of the bound, when room is made: not with every clip."""


class CacheNotice(UserWarning):
    """The cache cannot do its work, and everything else goes on."""


@dataclass(frozen=True, slots=True)
class Blobs:
    """What is kept in a folder."""

    root: Path
    bound: int
    """Bytes."""

    def get(self, key: str, sha256: str = "") -> bytes | None:
        """What was put there under 64 hexadecimal digits; None if nothing is, or other bytes than it was or should be.

        `sha256`, in hexadecimal, is what the clip must have where that is known.
        """
        path = self._path(key)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        clip = data[HEAD:]
        digest = hashlib.sha256(clip).digest()
        if digest != data[:HEAD] or sha256 not in ("", digest.hex()):
            with suppress(OSError):
                path.unlink()
            return None
        with suppress(OSError):
            os.utime(path)  # used just now; file systems do not keep times of reading
        return clip

    def put(self, key: str, clip: bytes) -> None:
        """Keep a clip, if there is room for it at all; others that were used longest ago make room."""
        size = HEAD + len(clip)
        if size > self.bound:
            return
        path = self._path(key)
        temporary = temporary_name(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                temporary.write_bytes(hashlib.sha256(clip).digest() + clip)
                self._take_in(temporary, path, size)
            finally:
                discard(temporary)
        except OSError as error:
            what = error.strerror or error
            warnings.warn(f"{self.root} keeps no clips ({what}): each is fetched anew", CacheNotice, stacklevel=2)

    def _take_in(self, temporary: Path, path: Path, size: int) -> None:
        with self._locked() as total:
            if path.exists():
                return
            held = total.read()
            if held is None or held + size > self.bound:
                held = self._make_room(size)
            total.write(held + size)  # before it is there: killed in between, the bound still holds
            temporary.replace(path)

    def _make_room(self, size: int) -> int:
        """Count what is there, and remove the oldest if `size` more do not fit; bytes that stay."""
        for folder in self.root.iterdir():
            if folder.is_dir():
                sweep(folder)
        found = sorted(self._kept())
        held = sum(bytes for _, _, bytes in found)
        wanted = min(int(self.bound * KEPT), self.bound - size) if held + size > self.bound else held
        for _, name, bytes in found:
            if held <= wanted:
                break
            Path(name).unlink(missing_ok=True)
            held -= bytes
        return held

    def _kept(self) -> Iterator[tuple[int, str, int]]:
        """When each clip was used last, in nanoseconds, where it is, and its bytes."""
        for folder in self.root.iterdir():
            if folder.is_dir():
                for one in os.scandir(folder):
                    if not one.name.startswith("."):  # being written by somebody
                        with suppress(FileNotFoundError):  # found damaged by somebody, and gone
                            yield one.stat().st_mtime_ns, one.path, one.stat().st_size

    @contextmanager
    def _locked(self) -> Iterator["_Total"]:
        descriptor = os.open(self.root / "total", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield _Total(descriptor)
        finally:
            os.close(descriptor)

    def _path(self, key: str) -> Path:
        return self.root / key[:2] / key


@dataclass(frozen=True, slots=True)
class _Total:
    descriptor: int

    def read(self) -> int | None:
        """Bytes that were counted; None where nobody has."""
        try:
            return int(os.pread(self.descriptor, DIGITS, 0))
        except ValueError:
            return None

    def write(self, value: int) -> None:
        # In place: a file that is cut to nothing and written again is brought to the disk by ext4 at once, 2 ms each.
        os.pwrite(self.descriptor, b"%0*d" % (DIGITS, value), 0)
