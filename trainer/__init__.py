"""What consumes manifests and shards: batches, features, models, training, decoding, scoring.

    from dsprep.trainer import load, logits, transcribe

Torch is imported here only. These three are imported when they are asked for; all else is imported module by module, by
those that need it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .listening import load, logits, transcribe

__all__ = ["load", "logits", "transcribe"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module(f"{__name__}.listening"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
