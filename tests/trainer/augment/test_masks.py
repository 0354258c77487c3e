"""Masks: whole bins and frames of an utterance, within the widths and shares that are promised, by id alone."""

import random

import numpy as np
import pytest
import torch
from torch import Tensor

from dsprep.trainer.augment.masks import SHARE, mask
from dsprep.trainer.config import AugmentConfig

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA"))]
IDS = [f"c{number}" for number in range(300)]


def masked(frames: list[int], ids: list[str], augment: AugmentConfig, epoch: int = 0, seed: int = 1) -> Tensor:
    """Ones, but where masks are."""
    return mask(torch.ones(len(ids), max(frames), 40), frames, ids, augment, seed, epoch)


def hidden(row_TF: Tensor) -> tuple[list[int], list[int]]:
    """Frames and bins that are wholly hidden."""
    return torch.where((row_TF == 0).all(1))[0].tolist(), torch.where((row_TF == 0).all(0))[0].tolist()


def test_a_time_mask_is_one_run_of_frames_of_any_width_up_to_the_widest() -> None:
    found = masked([200] * 300, IDS, AugmentConfig(mask_frames=7, masks=1))
    widths, starts = set(), set()
    for row_TF in found:
        frames, bins = hidden(row_TF)
        assert bins == []
        assert frames == list(range(frames[0], frames[0] + len(frames))) if frames else True
        assert int((row_TF == 0).sum()) == 40 * len(frames)
        widths.add(len(frames))
        starts |= set(frames[:1])
    assert widths == set(range(8))
    assert min(starts) < 10
    assert max(starts) > 180


def test_a_frequency_mask_is_one_run_of_bins_of_any_width_up_to_the_widest() -> None:
    widths = set()
    for row_TF in masked([50] * 300, IDS, AugmentConfig(mask_bins=9, masks=1)):
        frames, bins = hidden(row_TF)
        assert frames == []
        assert bins == list(range(bins[0], bins[0] + len(bins))) if bins else True
        widths.add(len(bins))
    assert widths == set(range(10))


@pytest.mark.parametrize("count", [1, 4, 5, 9, 10, 200])
def test_no_mask_hides_over_a_fifth_of_an_utterance_or_any_of_its_padding(count: int) -> None:
    found = masked([count, 200] * 150, IDS, AugmentConfig(mask_frames=10**6, masks=1))
    widest = 0
    for row_TF in found[::2]:
        frames, _ = hidden(row_TF)
        assert all(frame < count for frame in frames)
        widest = max(widest, len(frames))
    assert widest <= count // SHARE
    assert widest >= 0.8 * (count // SHARE)


def test_bins_wider_than_there_are_hide_at_most_all_of_them() -> None:
    found = masked([10] * 300, IDS, AugmentConfig(mask_bins=10**6, masks=1))
    assert max(len(hidden(row_TF)[1]) for row_TF in found) <= 40


def test_masks_are_as_many_as_asked_for() -> None:
    most = 0
    for row_TF in masked([500] * 300, IDS, AugmentConfig(mask_frames=3, masks=4)):
        frames, _ = hidden(row_TF)
        runs = int((np.diff(frames, prepend=-9) > 1).sum())
        assert len(frames) <= 12
        most = max(most, runs)
    assert most == 4


def test_an_utterance_has_the_masks_of_its_id_wherever_it_stands() -> None:
    augment = AugmentConfig(mask_frames=30, mask_bins=10)
    first = dict(zip(IDS, masked([100] * 300, IDS, augment), strict=True))
    order = random.Random(1).sample(IDS, 40)
    for name, row_TF in zip(order, masked([100, 150] * 20, order, augment), strict=True):
        if order.index(name) % 2 == 0:
            assert torch.equal(row_TF[:100], first[name])


def test_seed_and_epoch_give_other_masks() -> None:
    augment = AugmentConfig(mask_frames=30, mask_bins=10)
    found = [masked([100] * 20, IDS[:20], augment, epoch, seed) for epoch in (0, 1) for seed in (1, 2)]
    assert not any(torch.equal(a, b) for number, a in enumerate(found) for b in found[:number])
    assert torch.equal(found[0], masked([100] * 20, IDS[:20], augment))


def test_masks_of_bins_do_not_change_those_of_frames() -> None:
    one = masked([100] * 20, IDS[:20], AugmentConfig(mask_frames=30))
    both = masked([100] * 20, IDS[:20], AugmentConfig(mask_frames=30, mask_bins=10))
    assert torch.equal(one[:, :, hidden_by_none(both)], both[:, :, hidden_by_none(both)])
    assert not torch.equal(one, both)


def hidden_by_none(features_BTF: Tensor) -> Tensor:
    """Bins that no utterance has hidden."""
    return ~(features_BTF == 0).all(1).any(0)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_masks_are_laid_in_place_on_any_device(device: str, dtype: torch.dtype) -> None:
    features_BTF = torch.ones(20, 100, 40, device=device, dtype=dtype)
    place = features_BTF.data_ptr()
    augment = AugmentConfig(mask_frames=30, mask_bins=10)
    found = mask(features_BTF, [100] * 20, IDS[:20], augment, 1, 0)
    assert found is features_BTF
    assert found.data_ptr() == place
    assert torch.equal(found.float().cpu(), masked([100] * 20, IDS[:20], augment))


def test_without_widths_nothing_is_touched() -> None:
    assert torch.equal(masked([100], ["a"], AugmentConfig(masks=1000)), torch.ones(1, 100, 40))
    assert torch.equal(masked([100], ["a"], AugmentConfig(mask_bins=9, mask_frames=9, masks=0)), torch.ones(1, 100, 40))
