import pytest

from dsprep.pipeline.screen import Reason, Rules


@pytest.mark.parametrize(
    ("rules", "text", "seconds", "reason"),
    [
        (Rules(), "", 1.0, Reason.EMPTY_TEXT),
        (Rules(), "a", 0.0, Reason.TOO_SHORT),
        (Rules(min_seconds=1), "a", 0.999, Reason.TOO_SHORT),
        (Rules(min_seconds=1), "a", 1.0, None),
        (Rules(max_seconds=1), "a", 1.0, None),
        (Rules(max_seconds=1), "a", 1.001, Reason.TOO_LONG),
        (Rules(), "abcde", 0.1, None),
        (Rules(), "abcdee", 0.1, Reason.TOO_FAST),
        (Rules(fit="ds2"), "abcdef", 0.1, None),
        (Rules(fit="ds1"), "abcdef", 0.1, Reason.TOO_FAST),
        (Rules(), "abcdef", 0.115, Reason.TOO_FAST),
        (Rules(), "abcdef", 0.115 + 1 / 16_000, None),
        (Rules(fit="deepspeech"), "a" * 100, 2.0, None),
        (Rules(fit="deepspeech"), "a" * 101, 2.0, Reason.TOO_FAST),
        (Rules(fit="none"), "a" * 1000, 0.1, None),
        (Rules(empty=True), "", 1.0, None),
        (Rules(alphabet="ab "), "ab a", 1.0, None),
        (Rules(alphabet="ab "), "abc", 1.0, Reason.OUTSIDE_ALPHABET),
    ],
)
def test_bounds_are_inclusive_and_exact(rules: Rules, text: str, seconds: float, reason: Reason | None) -> None:
    refused = rules.reject(text, round(seconds * 16_000))
    assert (refused and refused[0]) == reason
