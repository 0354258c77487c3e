"""Masks: SpecAugment (Park et al. 2019), without time warping: some bins and some frames of each utterance become 0,
which is the mean of standardised features. On windowed MFCCs a masked frame stays visible in the windows of its
neighbours, and a band of bins is a run of coefficients: there, it hides less.

Masks are slices that are filled where the features lie, on any device: of 64 x 1000 x 161 features 2 ms with all that
is drawn, where filling through a mask of all of them takes 11 ms.
"""

from torch import Tensor

from ..config import AugmentConfig
from .chance import Chance

SHARE = 5
"""A mask hides at most one in so many of an utterance's frames."""


def mask(
    features_BTF: Tensor, frames: list[int], ids: list[str], augment: AugmentConfig, seed: int, epoch: int
) -> Tensor:
    """The features with masks of the config's widths laid over them, in place; none hides over a fifth of the time."""
    for row_TF, count, name in zip(features_BTF, frames, ids, strict=True):
        chance = Chance(seed=seed, epoch=epoch, id=name)
        for number in range(augment.masks):
            start, end = _span(chance, f"bins {number}", augment.mask_bins, row_TF.shape[1])
            if start < end:
                row_TF[:, start:end] = 0
            start, end = _span(chance, f"frames {number}", min(augment.mask_frames, count // SHARE), count)
            if start < end:
                row_TF[start:end] = 0
    return features_BTF


def _span(chance: Chance, name: str, widest: int, size: int) -> tuple[int, int]:
    """Begin and end of a mask, within `size`: of each width up to the widest, at each place, alike likely."""
    width = chance.below(f"{name} width", min(widest, size) + 1)
    start = chance.below(f"{name} start", size - width + 1)
    return start, start + width
