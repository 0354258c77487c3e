"""Wire: what must be known of an ONNX file before a runtime may read it, from its protocol buffer alone.

    field 7 of a model: the graph; field 14: metadata, of which ours are one, and tell the sha256 of all other fields

A file that is cut off, that is no ONNX, that is another's, or that would have weights read from other files is
refused here, with a sentence. Neither onnx nor a runtime is needed.

Source: onnx.proto (github.com/onnx/onnx) for the numbers of fields, protobuf.dev for their encoding.
"""

import hashlib
import mmap
from collections.abc import Iterator
from pathlib import Path

from ...manifests import DataError
from .facts import KEY, Facts, facts_of

GRAPH, METADATA = 7, 14
"""Fields of a model."""
EXTERNAL = (13, 14)
"""Fields of a tensor: external_data and data_location, which stay unset where a tensor holds its own numbers."""
BELOW = {
    "model": {7: "graph", 25: "function"},
    "function": {7: "node"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
"""In which fields of a message there may be tensors."""


def read_facts(path: Path) -> Facts:
    """What an exported file says of itself, once it is known to be whole.

    Raises:
        DataError: it cannot be read, is cut off, damaged, not ONNX, not ours, or another version's.
    """
    try:
        with path.open("rb") as file:
            if not path.stat().st_size:
                raise DataError(f"{path} is empty: export it again")
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    # It goes when nobody looks at it any more: an error may still do.
    return facts_in(memoryview(mapped), str(path))


def facts_in(data: memoryview, place: str) -> Facts:
    """The same of a file's bytes."""
    try:
        metadata, digest = _parts(data)
        outside = _reads_others(data, "model")
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{place} is not an ONNX file, or is cut off: name one that dsprep export has written"
        ) from error
    if KEY not in metadata:
        raise DataError(
            f"{place} is an ONNX file, but not one of dsprep export: it does not tell its alphabet and its features"
        )
    if outside:
        raise DataError(f"{place} keeps weights in other files, as dsprep export never does: it is not read")
    facts = facts_of(metadata[KEY], place)
    if digest != facts.graph:
        raise DataError(f"{place} is damaged: its graph is not the one that was written; export it again")
    return facts


def is_exported(path: Path) -> bool:
    """Whether a file is one of dsprep export, of whatever version."""
    try:
        return KEY in _parts(memoryview(path.read_bytes()))[0]
    except (OSError, ValueError):
        return False


def graph_digest(data: bytes) -> str:
    """sha256 of all in a file's bytes but the metadata."""
    return _parts(memoryview(data))[1]


def _parts(data: memoryview) -> tuple[dict[str, str], str]:
    """(metadata, sha256 of all else: the graph, and what its operations mean, which opsets tell)."""
    metadata, numbers, digest = {}, set(), hashlib.sha256()
    for number, value in _fields(data):
        numbers.add(number)
        if number == METADATA:
            entry = {key: bytes(_bytes(text)).decode() for key, text in _fields(_bytes(value))}
            metadata[entry.get(1, "")] = entry.get(2, "")
            continue
        digest.update(b"%d:" % number)
        digest.update(b"%d" % value if isinstance(value, int) else value)
    if GRAPH not in numbers:
        raise ValueError("no graph")
    return metadata, digest.hexdigest()


def _reads_others(data: memoryview, kind: str) -> bool:
    """Whether a message, or one in it, has a tensor whose numbers lie in another file."""
    for number, value in _fields(data):
        if kind == "tensor" and number in EXTERNAL and value != 0:
            return True
        if number in BELOW[kind] and _reads_others(_bytes(value), BELOW[kind][number]):
            return True
    return False


def _bytes(value: memoryview | int) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number where there should be bytes")
    return value


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """The fields of a message: their numbers, with bytes or a whole number.

    Raises:
        ValueError: it is no message, or one that is cut off.
    """
    place = 0
    while place < len(data):
        tag, place = _varint(data, place)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, place = _varint(data, place)
            yield number, value
            continue
        if kind == 2:
            length, place = _varint(data, place)
        else:
            length = {1: 8, 5: 4}.get(kind, len(data) + 1)
        if not number or place + length > len(data):
            raise ValueError("it ends too soon")
        yield number, data[place : place + length]
        place += length


def _varint(data: memoryview, place: int) -> tuple[int, int]:
    """(a whole number, the place after it)."""
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(data):
            break
        byte = data[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
    raise ValueError("a number does not end")
