import itertools

import pytest

from dsprep.pipeline.screen import Reason, Rules, ctc_steps


def shortest_path(text: str) -> int:
    """Fewest steps of any CTC path that collapses to `text`, by trying them all."""
    for length in itertools.count():
        for path in itertools.product("_" + "".join(sorted(set(text))), repeat=length):
            collapsed = "".join(key for key, _ in itertools.groupby(path) if key != "_")
            if collapsed == text:
                return length
    raise AssertionError


@pytest.mark.parametrize("text", ["", "a", "ab", "aa", "aab", "aba", "aaa", "abba"])
def test_the_rule_is_ctc_s_own(text: str) -> None:
    assert ctc_steps(text) == shortest_path(text)


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
        (Rules(), "abdee", 0.119, Reason.TOO_FAST),
        (Rules(), "abdee", 0.12, None),
    ],
)
def test_bounds_are_inclusive_and_exact(rules: Rules, text: str, seconds: float, reason: Reason | None) -> None:
    refused = rules.reject(text, seconds)
    assert (refused and refused[0]) == reason
