"""Fine-tuning: a run that begins with another run's weights, some of them left as they are.

a-z of one alphabet to a-z, e-acute of another: 27 rows of the output layer are carried over, one begins by chance
"""

from dataclasses import replace

import torch
from torch import nn

from ...manifests import Alphabet, TrainingError, UsageError
from ..config import Config
from ..models import OUTPUTS, Model
from .checkpoint import Checkpoint, weights_of
from .standing import Standing


def adopted(config: Config, source: Standing) -> Config:
    """The config with the model and the features of another run; what is dropped in training stays as it is here."""
    model = replace(source.config.model, dropout=config.model.dropout)
    return replace(config, features=source.config.features, model=model)


@torch.no_grad()
def carry_over(model: Model, standing: Standing, source: Checkpoint) -> list[str]:
    """Put another run's weights into `model`, rows of the output layer by their characters; characters that are new.

    Raises:
        TrainingError: the two alphabets have nothing in common.
    """
    old, new = weights_of(source.tensors), model.state_dict()
    output = OUTPUTS[standing.config.model.name]
    theirs, mine = source.standing.alphabet, standing.alphabet
    rows = _rows(theirs, mine)
    if len(rows) == 1:
        raise TrainingError(
            f"the alphabet has none of the characters that {source.path} writes ({''.join(theirs.characters)!r}): "
            "name one that shares some, with --alphabet FILE"
        )
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
        if name not in modules or not name or not list(modules[name].parameters()):
            layers = ", ".join(one for one, module in modules.items() if one and list(module.parameters(recurse=False)))
            raise UsageError(f"train.freeze: there is no layer {name!r}; there are {layers}, and what they are part of")
        modules[name].requires_grad_(False)
    if not any(one.requires_grad for one in model.parameters()):
        raise UsageError(f"train.freeze = {list(names)} leaves nothing to be trained")
    return [modules[name] for name in names]


def _rows(source: Alphabet, target: Alphabet) -> dict[int, int]:
    """Labels of `target` to those of `source`, of the characters that both have and of the blank."""
    shared = [one for one in target.characters if one in source.characters]
    return {target.encode(one)[0]: source.encode(one)[0] for one in shared} | {target.blank: source.blank}
