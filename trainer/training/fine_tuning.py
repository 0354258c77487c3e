"""Fine-tuning: a run that begins with another run's weights, some of them left as they are.

a-z of one alphabet to a-z, e-acute of another: 27 rows of the output layer are carried over, one begins by chance
"""

import torch
from torch import nn

from ...manifests import Alphabet, TrainingError, UsageError
from ..models import OUTPUTS, Model
from .checkpoint import Checkpoint, weights_of
from .standing import Standing


@torch.no_grad()
def carry_over(model: Model, standing: Standing, source: Checkpoint) -> list[str]:
    """Put another run's weights into `model`, rows of the output layer by their characters; characters that are new.

    Raises:
        TrainingError: the other run's model or features are of another kind or size.
    """
    _same_kind(standing, source.standing)
    old, new = weights_of(source.tensors), model.state_dict()
    output = OUTPUTS[standing.config.model.name]
    theirs, mine = source.standing.alphabet, standing.alphabet
    rows = _rows(theirs, mine)
    for name, tensor in new.items():
        if name.rpartition(".")[0] == output:
            for row, origin in rows.items():
                tensor[row] = old[name][origin]
        else:
            tensor.copy_(old[name])
    return [character for character in mine.characters if character not in theirs.characters]


def freeze(model: Model, names: tuple[str, ...]) -> list[nn.Module]:
    """Leave layers as they are; the modules that are not to be put into training mode.

    Raises:
        UsageError: a name is no layer's, or nothing is left to be trained.
    """
    modules = dict(model.named_modules())
    for name in names:
        if name not in modules or not name:
            layers = ", ".join(one for one, module in modules.items() if one and list(module.parameters(recurse=False)))
            raise UsageError(f"train.freeze: there is no layer {name!r}; there are {layers}, and what they are part of")
        modules[name].requires_grad_(False)
    if not any(one.requires_grad for one in model.parameters()):
        raise UsageError(f"train.freeze = {list(names)} leaves nothing to be trained")
    return [modules[name] for name in names]


def _same_kind(mine: Standing, theirs: Standing) -> None:
    ours, others = mine.identity(), theirs.identity()
    shape = ("features", "model.")
    # What a network drops while it learns, or begins with, is no part of its shape.
    free = ("model.dropout", "model.forget_bias")
    differ = [
        f"{name}={others.get(name)}"
        for name in ours | others
        if name.startswith(shape) and name not in free and ours.get(name) != others.get(name)
    ]
    if differ:
        raise TrainingError(f"the model of --init is another: add {' '.join(f'--set {one}' for one in differ)}")


def _rows(source: Alphabet, target: Alphabet) -> dict[int, int]:
    """Labels of `target` to those of `source`, of the characters that both have and of the blank."""
    shared = [one for one in target.characters if one in source.characters]
    return {target.encode(one)[0]: source.encode(one)[0] for one in shared} | {target.blank: source.blank}
