"""Fetch: published files onto this machine, resumed where they broke off, never taken for whole unless they are.

archives/.dev-clean.tar.gz.part         what has arrived
archives/.dev-clean.tar.gz.part.json    what it is a piece of: the server's ETag
archives/dev-clean.tar.gz               whole, its digest checked
archives/dev-clean.tar.gz.json          its record
"""

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import requests

from ..importers import Archive, Part
from ..manifests import DataError, FetchError, OutputError, Progress
from .commit import FileDigest, accepted, seal, unseal, write_record, write_whole, writing

BLOCK = 1 << 16
"""Bytes at a time: what a broken connection loses at most."""
ATTEMPTS = 5
"""Connections in a row that may bring nothing new."""
PAUSE_SECONDS = 1.0
"""Before the second attempt; it doubles."""
TIMEOUT_SECONDS = 60
"""To connect, and between two blocks."""


def local(part: Part, sources: Sequence[str], folder: Path, progress: Progress) -> list[Path]:
    """`sources` as paths: URLs among them are fetched into `folder`, and without any the published archives are."""
    if not sources:
        return [fetch(archive, folder, progress) for archive in part.archives]
    return [fetch(_named(part, source), folder, progress) if is_url(source) else Path(source) for source in sources]


def is_url(source: str) -> bool:
    """Whether a source is to be fetched."""
    return source.startswith(("http://", "https://"))


def _named(part: Part, url: str) -> Archive:
    """The published archive of that file name, from another place; or one of which nothing is known."""
    archive = Archive(url=url, bytes=None, digest="")
    return next((replace(one, url=url) for one in part.archives if one.name == archive.name), archive)


def fetch(archive: Archive, folder: Path, progress: Progress) -> Path:
    """The archive in `folder`, fetched if it is not there yet.

    Raises:
        FetchError: the server cannot be reached, sends something else, or keeps breaking off.
    """
    target = folder / archive.name
    key = archive.digest or archive.url
    if accepted(target, key):
        return target
    with writing(target):
        folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{archive.name}.part"
    with _locked(partial) as file:
        idle, furthest = 0, -1
        while not _attempt(archive, file, progress):
            idle = idle + 1 if file.tell() <= furthest else 0
            furthest = max(furthest, file.tell())
            if idle == ATTEMPTS:
                raise FetchError(f"{archive.url} broke off {ATTEMPTS} times at byte {furthest}; type the command again")
            time.sleep(PAUSE_SECONDS * 2**idle)
        digest = _check(archive, file)
        partial.replace(target)
        _state(file).unlink(missing_ok=True)
    write_record(target, key, [FileDigest(target.name, target.stat().st_size, digest)], None)
    return target


@contextmanager
def _locked(partial: Path) -> Iterator[BinaryIO]:
    with writing(partial):
        file = partial.open("ab+")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OutputError(
                f"another dsprep is fetching {partial}; wait for it, then type the command again"
            ) from error
        yield file


def _attempt(archive: Archive, file: BinaryIO, progress: Progress) -> bool:
    """One connection: append what it brings. True when the file has all the bytes that the server promised."""
    have, tag = file.seek(0, 2), _tag(file)
    if not tag:
        have = _empty(file)
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": tag}
    try:
        with requests.get(archive.url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as answer:
            if answer.status_code == 416:  # we hold more than there is: another file's bytes
                _empty(file)
                return False
            total = _total(archive, answer, have)
            if answer.status_code == 200:
                _empty(file)
                write_whole(_state(file), seal({"tag": _strong_tag(answer)}))
            for block in answer.iter_content(BLOCK):
                with writing(Path(file.name)):
                    file.write(block)
                progress(f"fetching {archive.name}", file.tell(), total or 0, "B")
            if total is not None and file.tell() > total:
                raise FetchError(f"{archive.url} sends more than the {total} bytes it promised; type the command again")
            return total is None or file.tell() == total
    except requests.RequestException as error:
        if file.tell() == 0 and isinstance(error, requests.ConnectionError):
            reason = getattr(error.args[0] if error.args else None, "reason", error)
            raise FetchError(f"cannot reach {archive.url} ({reason}); use --source with a file you have") from error
        return False


def _empty(file: BinaryIO) -> int:
    return file.truncate(file.seek(0))


def _tag(file: BinaryIO) -> str:
    """The ETag of what has arrived so far, empty if it cannot be gone on with."""
    try:
        return str(unseal(_state(file).read_bytes(), _state(file))["tag"])
    except (FileNotFoundError, DataError):
        return ""


def _total(archive: Archive, answer: requests.Response, have: int) -> int | None:
    """How long the whole file is, by what the server says.

    Raises:
        FetchError: it is not the file that was asked for.
    """
    if answer.status_code not in (200, 206):
        raise FetchError(
            f"{archive.url} answers {answer.status_code} {answer.reason}; use --source with a file you have"
        )
    if answer.status_code == 206 and not answer.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
        raise FetchError(f"{archive.url} sends another range than was asked for; type the command again")
    if "html" in answer.headers.get("Content-Type", ""):
        raise FetchError(f"{archive.url} sends a web page, not a file; open it in a browser to see why")
    length = answer.headers.get("Content-Length")
    total = None if length is None else int(length) + (have if answer.status_code == 206 else 0)
    if archive.bytes is not None and total not in (None, archive.bytes):
        raise FetchError(f"{archive.url} is {total} bytes, published are {archive.bytes}: it is another file")
    return total


def _check(archive: Archive, file: BinaryIO) -> str:
    """The sha256 of what has arrived.

    Raises:
        FetchError: the digest is not the published one; what arrived is thrown away.
    """
    algorithm, _, expected = archive.digest.partition(":")
    hashes = [hashlib.sha256(), hashlib.new(algorithm or "sha256")]
    with writing(Path(file.name)):
        file.flush()
        os.fsync(file.fileno())
    file.seek(0)
    while block := file.read(BLOCK):
        for one in hashes:
            one.update(block)
    if expected and hashes[1].hexdigest() != expected:
        file.truncate(0)
        raise FetchError(f"{archive.url} has {algorithm} {hashes[1].hexdigest()}, published is {expected}: not kept")
    return hashes[0].hexdigest()


def _strong_tag(answer: requests.Response) -> str:
    tag = answer.headers.get("ETag", "")
    return "" if tag.startswith("W/") else tag


def _state(file: BinaryIO) -> Path:
    return Path(file.name + ".json")
