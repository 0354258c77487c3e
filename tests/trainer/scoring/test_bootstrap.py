import numpy as np
import pytest

from dsprep.trainer.scoring.bootstrap import Interval, Resampling, interval, resampled, resampling_of

CHANCE = np.random.default_rng(3)
COUNTS = CHANCE.integers(1, 9, (60, 6)).astype(float)
SPEAKERS = [f"s{number % 7}" for number in range(60)]


def test_speakers_are_drawn_where_all_are_known_and_else_utterances() -> None:
    assert resampling_of(["a", "b", "a"]) == Resampling(unit="speakers", units=2)
    assert resampling_of(["a", "", "b"]) == Resampling(unit="utterances", units=3)
    assert resampling_of(["a", "a"]) == Resampling(unit="utterances", units=2)
    assert resampling_of([]) == Resampling(unit="utterances", units=0)


def test_the_same_seed_gives_the_same_rates_and_another_others() -> None:
    how, other = (resampling_of(SPEAKERS, seed=seed) for seed in (0, 1))
    rates_RK = resampled(COUNTS, SPEAKERS, how)
    assert rates_RK.shape == (1000, 3)
    assert np.array_equal(rates_RK, resampled(COUNTS, SPEAKERS, how))
    assert not np.array_equal(rates_RK, resampled(COUNTS, SPEAKERS, other))


@pytest.mark.parametrize("unit", ["speakers", "utterances"])
def test_a_resample_has_as_many_units_each_whole(unit: str) -> None:
    """With one column that counts units and one that is 1 for all, a rate is a mean of what was drawn."""
    names = SPEAKERS if unit == "speakers" else [""] * len(SPEAKERS)
    how = resampling_of(names, resamples=50)
    assert how.unit == unit
    ones = np.ones((len(names), 2))
    assert (resampled(ones, names, how) == 1).all()
    marked = ones.copy()
    marked[:, 0] = [name == "s0" for name in SPEAKERS]
    rates = resampled(marked, names, how)[:, 0]
    assert rates.min() >= 0
    assert rates.max() <= 1
    assert abs(rates.mean() - marked[:, 0].mean()) < 0.06


def test_the_number_drawn_at_a_time_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    how = resampling_of([""] * 60)
    whole = resampled(COUNTS, [""] * 60, how)
    monkeypatch.setattr("dsprep.trainer.scoring.bootstrap.DRAWS", 100)
    assert np.array_equal(whole, resampled(COUNTS, [""] * 60, how))


def test_an_interval_of_a_binomial_rate_is_the_textbook_s() -> None:
    errors = np.stack([np.arange(1000) < 200, np.ones(1000)], 1).astype(float)
    found = interval(resampled(errors, [""] * 1000, resampling_of([""] * 1000))[:, 0])
    half = 1.96 * (0.2 * 0.8 / 1000) ** 0.5
    assert found.low == pytest.approx(0.2 - half, abs=0.004)
    assert found.high == pytest.approx(0.2 + half, abs=0.004)


def test_an_interval_holds_the_middle_95_percent_and_its_ends_were_drawn() -> None:
    found = interval(np.arange(1001) / 1000)
    assert (found.low, found.high) == pytest.approx((0.025, 0.975), abs=0.0015)
    assert interval(np.array([0.0] * 900 + [np.inf] * 101)) == Interval(low=0.0, high=np.inf)


def test_speakers_that_differ_make_a_wider_interval_than_their_utterances() -> None:
    good = np.array([number % 7 < 3 for number in range(700)])
    errors = np.stack([~good, np.ones(700)], 1).astype(float)
    names = [f"s{number % 7}" for number in range(700)]
    wide, narrow = (interval(resampled(errors, told, resampling_of(told))[:, 0]) for told in (names, [""] * 700))
    assert wide.high - wide.low > 4 * (narrow.high - narrow.low)


def test_nothing_said_is_a_rate_of_zero_or_infinity() -> None:
    nothing = np.array([[0, 0], [2, 0]], float)
    found = interval(resampled(nothing, ["", ""], resampling_of(["", ""]))[:, 0])
    assert found == Interval(low=0, high=float("inf"))
    assert interval(resampled(np.zeros((0, 2)), [], resampling_of([]))[:, 0]) == Interval(low=0, high=0)
