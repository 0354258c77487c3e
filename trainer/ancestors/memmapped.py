"""Memory-mapped package: a graph and its big tensors in one file, as a `.pbmm` is.

    bytes of tensors, each at a multiple of 64 | a GraphDef | the directory | offset of the directory, 8 bytes

The directory is a protobuf message of elements (1: offset, 2: name) in the order of the file; an element reaches up to
the next, the last up to the directory. The graph is called `memmapped_package://.`, a tensor
`memmapped_package://layer_1_weights` or the like; the graph's ImmutableConst nodes name them.

Source: tensorflow/core/util/memmapped_file_system.{cc,proto} and memmapped_file_system_writer.cc.
"""

from collections.abc import Iterator
from itertools import pairwise

GRAPH = "memmapped_package://."
TAIL = 8
"""Bytes of the directory's offset, little-endian."""
VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
"""Wire types of protobuf."""


def regions(data: memoryview) -> dict[str, memoryview] | None:
    """The parts of a package by their names, or None if `data` is no package."""
    at = int.from_bytes(data[-TAIL:], "little")
    if at > len(data) - TAIL:
        return None
    try:
        elements = [_element(one) for one in _lengths(data[at:-TAIL])]
    except ValueError:
        return None
    bounds = [offset for offset, _ in elements] + [at]
    if any(start >= end for start, end in pairwise(bounds)):
        return None
    found = {name: data[bounds[i] : bounds[i + 1]] for i, (_, name) in enumerate(elements)}
    return found if GRAPH in found and len(found) == len(elements) else None


def _element(data: memoryview) -> tuple[int, str]:
    offset, name = 0, ""
    for field, value in _fields(data):
        if field == 1 and isinstance(value, int):
            offset = value
        elif field == 2 and isinstance(value, memoryview):
            name = bytes(value).decode()
    return offset, name


def _lengths(data: memoryview) -> Iterator[memoryview]:
    for _, value in _fields(data):
        if isinstance(value, memoryview):
            yield value


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """The (number, value) of each field of a message.

    Raises:
        ValueError: it is no message.
    """
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        if key & 7 == VARINT:
            number, at = _varint(data, at)
            yield key >> 3, number
            continue
        if key & 7 == LENGTH:
            size, at = _varint(data, at)
        elif key & 7 in (FIXED32, FIXED64):
            size = 4 if key & 7 == FIXED32 else 8
        else:
            raise ValueError(f"no wire type {key & 7}")
        if size > len(data) - at:
            raise ValueError("a field that is longer than its message")
        yield key >> 3, data[at : at + size]
        at += size


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """The number at `at`, and where the next byte is."""
    value = shift = 0
    while at < len(data) and shift < 64:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not data[at - 1] & 0x80:
            return value, at
    raise ValueError("a number that does not end")
