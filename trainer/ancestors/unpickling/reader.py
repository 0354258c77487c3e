"""Reader: an unpickler that knows a closed list of names, none of which is a function of anybody else's.

    torch._utils._rebuild_tensor_v2                          Tensor: where the numbers are, not yet read
    deepspeech_pytorch.enums.SpectrogramWindow("hamming")    Inert: given ("hamming",)
    os.system("...")                                         Refused

What a pickle can reach has no attributes that it could set: tuples, dicts, and classes with a `__setstate__` of their
own. Source: torch/serialization.py (persistent ids), torch/_utils.py (how tensors are rebuilt).
"""

import pickle
from functools import lru_cache
from typing import IO, Any, NamedTuple

WIDTHS = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
"""Bytes of a number, by safetensors' name of its type."""
INERT_PACKAGES = ("omegaconf", "deepspeech_pytorch", "pytorch_lightning")
"""Whose objects are in checkpoints of Lightning and tell of settings."""
BUILTINS = ["bool", "int", "long", "float", "str", "unicode", "bytes", "list", "tuple", "dict", "set", "object"]
INERT = {
    *(f"{home}.{name}" for home in ("builtins", "__builtin__") for name in BUILTINS),
    *(f"typing.{name}" for name in ("Any", "Dict", "List", "Optional", "Tuple", "Union")),
    *(f"torch.nn.modules.rnn.{name}" for name in ("LSTM", "GRU", "RNN")),
    *(f"numpy.{name}" for name in ("dtype", "core.multiarray.scalar", "_core.multiarray.scalar")),
    "_codecs.encode",  # the bytes of a scalar of NumPy
    "_operator.getitem",  # how typing.List[str] is pickled
    "collections.defaultdict",
}
"""Other names that settings and scores hold."""


class Refused(Exception):
    """The file is not read, with the reason."""


class Storage(NamedTuple):
    """A stretch of numbers of one type that tensors lie in."""

    kind: str
    """One of `WIDTHS`."""
    key: str
    size: int
    """Numbers in it."""
    shift: int
    """Where a view of it begins, in numbers."""


class Tensor(NamedTuple):
    """Where the numbers of a tensor are, as the pickle says: nothing of it has been checked."""

    storage: Any
    offset: Any
    size: Any
    stride: Any


class Rebuild(NamedTuple):
    """In place of torch's functions."""

    what: str

    def __call__(self, *given: Any) -> Any:
        """What the function gets first: a tensor's place, or the tensor that a parameter is."""
        return Tensor(*given[:4]) if self.what == "tensor" else given[0]


class Table(dict[Any, Any]):
    """In place of OrderedDict, whose attributes nobody needs."""

    __slots__ = ()

    def __setstate__(self, state: Any) -> None:
        """Leave `state` alone."""


class Inert:
    """In place of an object of another package: what it was made of, and no more."""

    __slots__ = ("given", "items", "state")
    place = ""
    """Of the class that it stands for."""
    given: tuple[Any, ...]
    items: dict[Any, Any]
    state: Any

    def __new__(cls, *given: Any) -> "Inert":
        made = super().__new__(cls)
        made.given, made.items, made.state = given, {}, None
        return made

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __setitem__(self, key: Any, value: Any) -> None:
        self.items[key] = value


@lru_cache
def inert(place: str) -> type[Inert]:
    """A class that stands for the one at `place`."""
    return type("Inert", (Inert,), {"__slots__": (), "place": place})


PARTS: dict[str, Any] = {
    "collections.OrderedDict": Table,
    "torch._utils._rebuild_tensor": Rebuild("tensor"),
    "torch._utils._rebuild_tensor_v2": Rebuild("tensor"),
    "torch._utils._rebuild_parameter": Rebuild("parameter"),
    "torch.DoubleStorage": "F64",
    "torch.FloatStorage": "F32",
    "torch.HalfStorage": "F16",
    "torch.BFloat16Storage": "BF16",
    "torch.LongStorage": "I64",
    "torch.IntStorage": "I32",
    "torch.ShortStorage": "I16",
    "torch.CharStorage": "I8",
    "torch.ByteStorage": "U8",
    "torch.BoolStorage": "BOOL",
}
"""What the names of weights stand for."""


class Reader(pickle.Unpickler):
    """Reads one pickle."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file, encoding="utf-8")
        self.storages: dict[str, Storage] = {}
        """All that were named, by their keys."""

    def find_class(self, module: str, name: str) -> Any:
        """What stands for a name.

        Raises:
            Refused: nothing does.
        """
        place = f"{module}.{name}"
        if place in PARTS:
            return PARTS[place]
        if place in INERT or module.partition(".")[0] in INERT_PACKAGES:
            return inert(place)
        raise Refused(f"it names {shown(place)}, which no model needs; nothing of it was run")

    def persistent_load(self, pid: Any) -> Storage:
        """The storage of ("storage", type, key, device, size), in old files with (key, shift, size) of a view.

        Raises:
            Refused: it is something else.
        """
        if not isinstance(pid, tuple) or len(pid) not in (5, 6) or pid[0] != "storage":
            raise Refused("it holds a whole module, not its weights alone: save its state_dict")
        kind, key, size = pid[1], pid[2], pid[4]
        if kind not in WIDTHS or not isinstance(key, str) or not natural(size):
            raise Refused("it holds numbers of a kind that no model has")
        whole = Storage(kind, key, size, 0)
        if self.storages.setdefault(key, whole) != whole:
            raise Refused(f"it says two things of the storage {shown(key)}")
        if len(pid) == 5 or pid[5] is None:
            return whole
        _, shift, length = pid[5]
        if not natural(shift) or not natural(length) or shift + length > size:
            raise Refused(f"a view reaches over the end of the storage {shown(key)}")
        return whole._replace(shift=shift)


def natural(number: Any) -> bool:
    """Whether it counts something."""
    return isinstance(number, int) and number >= 0


def shown(text: object) -> str:
    """What a file says, as it may be printed: short, on one line, without a terminal's commands."""
    return ascii(text)[:80]
