"""Layouts: the two kinds of file that torch.save has written, and where the numbers are in them.

    PK, archive/data.pkl, archive/data/0, archive/data/1 ...                            torch 1.6 and later
    pickles: magic number, version, system, object, keys; then for each key a count and numbers      before

Source: torch/serialization.py.
"""

import zipfile
from collections.abc import Callable
from typing import Any, BinaryIO

from .reader import WIDTHS, Reader, Refused, Storage, shown

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
LARGEST_PICKLE = 1 << 26
"""Bytes. A released model has a thousandth of that: its numbers lie outside of it."""
COUNT = 8
"""Bytes before each storage of the old layout, little-endian."""

Fetch = Callable[[Storage], bytes]
"""The bytes of a storage."""


def read(file: BinaryIO, size: int) -> tuple[Any, Fetch]:
    """The object in a file of `size` bytes, and how its numbers are had.

    Raises:
        Refused: torch.save does not write such files.
        What the standard library raises over a damaged one.
    """
    head = file.read(4)
    file.seek(0)
    return _read_zip(file) if head == b"PK\x03\x04" else _read_old(file, size)


def _read_zip(file: BinaryIO) -> tuple[Any, Fetch]:
    archive = zipfile.ZipFile(file)
    names = archive.namelist()
    if len({*names}) != len(names):
        raise Refused("it is a zip with two entries of one name, which torch never writes")
    roots = [name.removesuffix("data.pkl") for name in names if name.endswith("/data.pkl")]
    if len(roots) != 1 or f"{roots[0]}constants.pkl" in names:
        raise Refused("it is a zip, but none that torch.save writes")
    _stored(archive, f"{roots[0]}data.pkl", LARGEST_PICKLE)
    if f"{roots[0]}byteorder" in names and archive.read(_stored(archive, f"{roots[0]}byteorder", 9)) != b"little":
        raise Refused("it was saved on a machine of another byte order")
    with archive.open(f"{roots[0]}data.pkl") as data:
        found = Reader(data).load()

    def fetch(storage: Storage) -> bytes:
        return archive.read(_stored(archive, f"{roots[0]}data/{storage.key}", storage.size * WIDTHS[storage.kind]))

    return found, fetch


def _stored(archive: zipfile.ZipFile, name: str, most: int) -> zipfile.ZipInfo:
    """A member of at most `most` bytes, which lies there as it is: none grows while it is read."""
    info = archive.getinfo(name)
    if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
        raise Refused(f"{shown(name)} in it is compressed, which torch never does")
    if info.file_size > most:
        raise Refused(f"{shown(name)} in it has {info.file_size} bytes, and should have at most {most}")
    return info


def _read_old(file: BinaryIO, size: int) -> tuple[Any, Fetch]:
    if Reader(file).load() != MAGIC or Reader(file).load() != PROTOCOL:
        raise Refused("it is no file that torch.save writes")
    if dict(Reader(file).load()).get("little_endian") is not True:
        raise Refused("it was saved on a machine of another byte order")
    reader = Reader(file)
    found = reader.load()
    keys = list(Reader(file).load())
    places, at = dict[str, int](), file.tell()
    for key in keys:
        storage = reader.storages[key]
        file.seek(at)
        if int.from_bytes(file.read(COUNT), "little") != storage.size:
            raise Refused(f"the storage {shown(key)} has another count than it should")
        places[key] = at + COUNT
        at = places[key] + storage.size * WIDTHS[storage.kind]
        if at > size:
            raise Refused("it was cut off: fetch it again")

    def fetch(storage: Storage) -> bytes:
        file.seek(places[storage.key])
        return file.read(storage.size * WIDTHS[storage.kind])

    return found, fetch
