"""Decoding: log-probabilities or logits to text. Axes: B utterances, T steps, V labels."""

import torch
from torch import Tensor

from ..manifests import Alphabet


def greedy(logits_BTV: Tensor, steps: list[int], alphabet: Alphabet) -> list[str]:
    """The text of each utterance's likeliest label a step: repeats collapsed, then blanks taken out."""
    best_BT = logits_BTV.argmax(2).cpu()
    texts = []
    for labels_T, count in zip(best_BT, steps, strict=True):
        collapsed = torch.unique_consecutive(labels_T[:count]).tolist()
        texts.append(alphabet.decode(label for label in collapsed if label != alphabet.blank))
    return texts
