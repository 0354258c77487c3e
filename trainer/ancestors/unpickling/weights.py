"""Weights: the tensors of a state_dict, from where a file has them to safetensors.

8 bytes: length of the header | {"fc.weight": {"dtype": "F32", "shape": [29, 8], "data_offsets": [0, 928]}} | numbers
"""

import json
import math
from typing import Any, BinaryIO

from .layouts import Fetch
from .reader import WIDTHS, Refused, Storage, Tensor, natural, shown


def write_weights(state: Any, fetch: Fetch, size: int, out: BinaryIO) -> None:
    """Write all tensors of `state`, which together have at most `size` bytes, those of the file they come from.

    Raises:
        Refused: it is no state_dict, or a tensor is not where it says.
    """
    if not isinstance(state, dict) or not state or not all(isinstance(name, str) for name in state):
        raise Refused("it holds no state_dict with weights")
    places = {name: _place(name, tensor) for name, tensor in state.items()}
    if sum(length for _, length in places.values()) > size:
        raise Refused("its tensors would have more bytes than the file: they share their numbers")
    out.write(_header(state, places))
    key, data = "", b""
    for name, tensor in state.items():
        if tensor.storage.key != key:
            key, data = tensor.storage.key, fetch(tensor.storage)
            if len(data) != tensor.storage.size * WIDTHS[tensor.storage.kind]:
                raise Refused(f"the storage {shown(key)} has fewer numbers than it should: fetch the file again")
        start, length = places[name]
        out.write(memoryview(data)[start : start + length])


def _header(state: dict[str, Tensor], places: dict[str, tuple[int, int]]) -> bytes:
    header, at = {}, 0
    for name, tensor in state.items():
        end = at + places[name][1]
        header[name] = {"dtype": tensor.storage.kind, "shape": tensor.size, "data_offsets": (at, end)}
        at = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _place(name: str, tensor: Any) -> tuple[int, int]:
    """(first byte in its storage, bytes), once the numbers are known to lie there in one piece."""
    if not isinstance(tensor, Tensor) or not isinstance(tensor.storage, Storage):
        raise Refused(f"{shown(name)} is no tensor")
    storage, offset, size, stride = tensor
    if not isinstance(size, tuple) or not isinstance(stride, tuple) or len(size) != len(stride) or len(size) > 8:
        raise Refused(f"{shown(name)} has no shape")
    if not all(map(natural, (offset, *size, *stride))):
        raise Refused(f"{shown(name)} has no shape")
    steps = [math.prod(size[axis + 1 :]) for axis in range(len(size))]
    if any(length > 1 and one != step for one, step, length in zip(stride, steps, size, strict=True)):
        raise Refused(f"{shown(name)} does not lie in one piece: save it with .contiguous()")
    if storage.shift + offset + math.prod(size) > storage.size:
        raise Refused(f"{shown(name)} reaches over the end of its storage")
    width = WIDTHS[storage.kind]
    return (storage.shift + offset) * width, math.prod(size) * width
