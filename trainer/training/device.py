"""Device: where a model is computed, as a user names it: `cpu`, `cuda`, `cuda:1`, `mps`."""

import torch
from torch import distributed

from ...manifests import UsageError

KINDS = ("cpu", "cuda", "mps")


def device_of(name: str | None) -> torch.device:
    """The device called `name`, which is there and can be used; None is CUDA if there is one, else the CPU.

    Of several processes that torchrun has started, each has a GPU of its own.

    Raises:
        UsageError: it is of a kind that is not known, or not there.
    """
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and distributed.is_torchelastic_launched():
        name = f"cuda:{distributed.get_node_local_rank(0)}"
    try:
        if torch.device(name).type not in KINDS:
            raise UsageError(f"--device {name}: name cpu, cuda, cuda:1 ... or mps")
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(f"--device {name}: {str(error).splitlines()[0]}") from error
    return torch.device(name)
