"""`dsprep text`, as a user meets it."""

import os
import subprocess
import sys

import pytest

from dsprep.pipeline.text import PROFILES

QUOTED = "\u201cMister  O\u2019Hara\u201d"


def text(*arguments: str, lines: bytes = b"", **environment: str) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "dsprep", "text", *arguments]
    env = {**os.environ, **environment}
    done = subprocess.run(command, input=lines, env=env, capture_output=True, check=False, timeout=60)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.mark.parametrize("environment", [{}, {"LC_ALL": "C", "PYTHONUTF8": "0"}], ids=["own locale", "C locale"])
@pytest.mark.parametrize("given_as", ["argument", "line"])
def test_explain_shows_each_rule_that_changed_something(given_as: str, environment: dict[str, str]) -> None:
    arguments = [QUOTED] if given_as == "argument" else []
    code, shown, told = text("explain", *arguments, lines=f"{QUOTED}\r\n".encode(), **environment)
    assert (code, told) == (0, "")
    assert shown.splitlines() == [
        'before       "\u201cMister  O\u2019Hara\u201d"',
        'apostrophes  "\u201cMister  O\'Hara\u201d"',
        'lower        "\u201cmister  o\'hara\u201d"',
        'punctuation  " mister  o\'hara "',
        'words        "mister o\'hara"',
        'after        "mister o\'hara"',
    ]


def test_explain_ends_with_the_rule_that_refused_and_why() -> None:
    code, shown, _ = text("explain", "Room 101", "yes")
    assert code == 0
    assert shown == (
        'before   "Room 101"\n'
        "numbers  refused: '1' (U+0031): numbers must be written as spoken\n"
        "\n"
        'before  "yes"\n'
        'after   "yes"\n'
    )


def test_explain_all_has_a_line_a_profile() -> None:
    _, shown, _ = text("explain", "--all", "it 's TWENTY-ONE")
    lines = dict(line.split(maxsplit=1) for line in shown.splitlines())
    assert list(lines) == ["before", *PROFILES]
    assert lines["tedlium"] == '"it\'s twenty one"'
    assert lines["librispeech"].startswith("refused: '-' (U+002D)")
    assert lines["raw"] == lines["before"] == '"it \'s TWENTY-ONE"'


def test_profiles_are_listed_with_their_rules() -> None:
    code, shown, _ = text("profiles")
    assert code == 0
    for profile in PROFILES.values():
        assert f"\n{profile.name} " in shown
        for rule in profile.rules:
            assert f" {rule.name} " in shown
            assert f" {rule.what}\n" in shown
    assert len(shown.splitlines()) == 1 + sum(1 + len(profile.rules) for profile in PROFILES.values())


@pytest.mark.parametrize("profile", ["raw", "keep", "librispeech"])
def test_control_characters_of_a_text_do_not_reach_the_terminal(profile: str) -> None:
    _, shown, _ = text("explain", "--text", profile, lines=b"\x1b[31mred \xc2\x9b\xe2\x80\xae\n")
    assert "\\x1b[31mred \\x9b\\u202e" in shown
    assert not set(shown) & set("\x1b\x9b\u202e")


@pytest.mark.parametrize(
    ("lines", "told"),
    [(b"yes\n\xff\n", "line 2 of standard input is not UTF-8"), (b"a\0b\n", "holds NUL or half a character")],
)
def test_input_that_is_no_text_is_told_in_one_line(lines: bytes, told: str) -> None:
    code, _, error = text("explain", lines=lines)
    assert code == 1
    assert told in error
    assert len(error.splitlines()) == 1


def test_a_profile_that_is_none_is_told() -> None:
    code, _, error = text("explain", "--text", "tedlum", "x")
    assert (code, error) == (1, "Error: there is no text profile 'tedlum': did you mean tedlium?\n")
