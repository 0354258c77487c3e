"""Masks: SpecAugment (Park et al. 2019), without time warping: some bins and some frames of each utterance become 0,
which is the mean of standardised features. On windowed MFCCs a masked frame stays visible in the windows of its
neighbours, and a band of bins is a run of coefficients: there, it hides less.
"""

import random

from torch import Tensor

from ...pipeline.hashing import draw
from ..config import AugmentConfig


def mask(
    features_BTF: Tensor, frames: list[int], ids: list[str], augment: AugmentConfig, seed: int, epoch: int
) -> Tensor:
    """The features with masks of the config's widths laid over them, in place; none hides over a fifth of the time."""
    for row_TF, count, name in zip(features_BTF, frames, ids, strict=True):
        chance = random.Random(draw(seed, epoch, "mask", name))
        for _ in range(augment.masks):
            width = chance.randint(0, min(augment.mask_bins, row_TF.shape[1]))
            start = chance.randint(0, row_TF.shape[1] - width)
            row_TF[:, start : start + width] = 0
            width = chance.randint(0, min(augment.mask_frames, count // 5))
            start = chance.randint(0, count - width)
            row_TF[start : start + width] = 0
    return features_BTF
