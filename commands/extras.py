"""Extras: packages that only some commands need, and what to type where they are not installed.

    this command needs more: pip install torch rapidfuzz (dsprep's extra 'train')

It is told before anything is read or begun.
"""

from __future__ import annotations

from ..manifests import MissingExtraError

TRAIN = ("torch", "safetensors", "rapidfuzz", "webdataset")
"""What the extra `train` brings."""
EXPORT = (*TRAIN, "onnx", "onnxruntime")
"""What the extra `export` does."""


def need(extra: str, *packages: str) -> None:
    """See to it that the packages of an extra can be imported, without importing them.

    Raises:
        MissingExtraError: some cannot; names them.
    """
    import importlib.util

    missing = [name for name in packages if importlib.util.find_spec(name.replace("-", "_")) is None]
    if missing:
        raise MissingExtraError(f"this command needs more: pip install {' '.join(missing)} (dsprep's extra {extra!r})")
