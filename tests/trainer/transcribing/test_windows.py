"""Windows cover a sound of any length, each step once, and are cut where it is quiet."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsprep.manifests.ctc import RATE
from dsprep.trainer.transcribing.windows import CONTEXT, LATEST, SAMPLES, WHOLE, quietest, windows_of


@given(steps=st.integers(1, 6000), odd=st.integers(0, SAMPLES - 1), block=st.integers(1000, 200_000))
def test_each_step_is_kept_once_whatever_the_blocks(saying: Any, steps: int, odd: int, block: int) -> None:
    chance = np.random.default_rng(steps)
    pcm_N = np.repeat(chance.integers(0, 28, steps + 1) * 500, SAMPLES).astype(np.int16)[: steps * SAMPLES + odd]
    windows = list(windows_of(pcm_N[at : at + block] for at in range(0, len(pcm_N), block)))
    found = np.concatenate([window.kept(saying.heard(window.pcm_N)) for window in windows])
    assert np.array_equal(found, saying.heard(pcm_N))
    assert max(window.seconds for window in windows) <= (WHOLE + CONTEXT * SAMPLES) / RATE


def test_a_sound_that_is_no_longer_than_a_window_is_one() -> None:
    (window,) = windows_of([np.ones(WHOLE - 1000, np.int16), np.ones(1000, np.int16)])
    assert (len(window.pcm_N), window.before, window.steps) == (WHOLE, 0, None)
    assert len(list(windows_of([np.ones(WHOLE + 1, np.int16)]))) == 2


def test_no_sound_has_no_windows() -> None:
    assert list(windows_of([])) == []
    assert list(windows_of([np.zeros(0, np.int16)])) == []


@pytest.mark.parametrize("quiet", [930, 1000, 1150])
def test_it_is_cut_in_the_pause(quiet: int) -> None:
    pcm_N = np.full(40 * RATE, 1000, np.int16)
    pcm_N[(quiet - 10) * SAMPLES : (quiet + 11) * SAMPLES] = 10
    assert abs(quietest(pcm_N, 900, LATEST) - quiet) <= 3
    first, second = windows_of([pcm_N])
    assert first.steps is not None
    assert abs(first.steps - quiet) <= 3
    assert len(first.pcm_N) == (first.steps + CONTEXT) * SAMPLES
    assert second.before == CONTEXT


def test_windows_of_the_loudest_sample_are_cut_too() -> None:
    assert len(list(windows_of([np.full(70 * RATE, -32768, np.int16)]))) == 4
