"""Zip: an archive that can be read at any place, and proof that what is wanted of it is whole.

A zip's own table of contents is at its end, so one that was cut off has none. Each member has a CRC, which is
compared when it is read to its end. Nothing is ever unpacked.
"""

import lzma
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from ..manifests import SourceError
from .archive import BLOCK, reading

LOCAL_HEADER = 30
"""Bytes of what stands before a member's name (PKWARE APPNOTE 4.3.7)."""
ENCRYPTED = 1


@contextmanager
def open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip to be read.

    Raises:
        SourceError: it cannot be read, is cut off or damaged; also from the reading that is done with it.
    """
    with translating(path), zipfile.ZipFile(path) as archive:
        yield archive


@contextmanager
def translating(path: Path) -> Iterator[None]:
    """What `reading` does, and the same for what zipfile says."""
    try:
        with reading(path):
            yield
    except NotImplementedError as error:  # Deflate64 of Windows, WinZip's encryption
        raise SourceError(f"{path} cannot be read here: {error}; unpack it, and import the folder") from error
    except (zipfile.BadZipFile, lzma.LZMAError, ValueError, OverflowError) as error:  # a name, an offset
        raise SourceError(f"{path} is damaged: {error}; fetch it again") from error


def members(archive: zipfile.ZipFile, path: Path) -> Iterator[zipfile.ZipInfo]:
    """The files of a zip in the order in which they lie there.

    Raises:
        SourceError: one is encrypted.
    """
    for info in sorted(archive.infolist(), key=lambda info: info.header_offset):
        if info.flag_bits & ENCRYPTED:
            raise SourceError(f"{path}: {info.filename} is encrypted; unpack it with its password, import the folder")
        if not info.is_dir():
            yield info


def is_link(info: zipfile.ZipInfo) -> bool:
    """Whether a member is a symbolic link, as Unix writes them."""
    return stat.S_ISLNK(info.external_attr >> 16)


def stored_at(info: zipfile.ZipInfo, file: BinaryIO) -> int | None:
    """Where the bytes of a member lie as they are; None if they are deflated."""
    if info.compress_type != zipfile.ZIP_STORED:
        return None
    file.seek(info.header_offset)
    header = file.read(LOCAL_HEADER)
    if len(header) < LOCAL_HEADER or header[:4] != b"PK\x03\x04":
        raise zipfile.BadZipFile(f"no member at byte {info.header_offset}")
    name, extra = int.from_bytes(header[26:28], "little"), int.from_bytes(header[28:30], "little")
    return info.header_offset + LOCAL_HEADER + name + extra


def read_through(file: IO[bytes]) -> None:
    """Read to the end, which compares the CRC."""
    while file.read(BLOCK):
        pass
