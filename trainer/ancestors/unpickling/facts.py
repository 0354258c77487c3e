"""Facts: what a file tells besides its weights, as plain values for JSON.

DictConfig, state {"_content": {"window": EnumNode, state {"_val": SpectrogramWindow("hamming")}}}
{"window": "hamming"}
"""

from typing import Any

from .reader import Inert, Rebuild, Refused, Storage, Tensor

MOST = 100_000
"""Values. A list that holds itself, or is doubled thirty times over, is short in a pickle and endless here."""
HOLDERS = ("_content", "_val")
"""Where containers and nodes of OmegaConf have their values."""


class Facts:
    """Makes values plain, so many at the most."""

    def __init__(self) -> None:
        self.left = MOST

    def plain(self, value: Any) -> Any:
        """`value` without tensors, with what settings, enums and dataclasses hold in their place.

        Raises:
            Refused: it is larger than the facts of any model.
        """
        self.left -= 1
        if self.left < 0:
            raise Refused("it holds more facts than any model has")
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, Tensor | Storage | Rebuild):
            return None
        if isinstance(value, dict):
            return {str(key): self.plain(one) for key, one in value.items() if isinstance(key, str | int)}
        if isinstance(value, list | tuple):
            return [self.plain(one) for one in value]
        if isinstance(value, type) and issubclass(value, Inert):
            return value.place
        return self._held(value) if isinstance(value, Inert) else None

    def _held(self, value: Inert) -> Any:
        if isinstance(value.state, dict):
            return self.plain(next((value.state[key] for key in HOLDERS if key in value.state), value.state))
        if value.items:
            return self.plain(value.items)
        return self.plain(value.given[0]) if value.given else None
