"""Every wrong word is counted once."""

from collections.abc import Callable

from dsprep.trainer.reporting.confusions import MOST, confusions
from dsprep.trainer.reporting.lines import lines_of
from dsprep.trainer.scoring.alignment import Kind
from dsprep.trainer.scoring.heard import Heard

Make = Callable[..., Heard]


def test_the_most_frequent_comes_first_and_equals_by_the_alphabet(heard: Make) -> None:
    said = [("b a a c", "x y y z"), ("c a", "z y"), ("d", "d w"), ("a d", "a")]
    lines = lines_of([heard(f"u-{n}", there, here) for n, (there, here) in enumerate(said)])
    found = confusions(lines, Kind.SUBSTITUTION)
    told = [(one.reference, one.hypothesis, one.count, one.said) for one in found.listed]
    assert told == [("a", "y", 3, 4), ("c", "z", 2, 2), ("b", "x", 1, 1)]
    assert (found.count, found.kinds) == (6, 3)
    (left,) = confusions(lines, Kind.DELETION).listed
    assert (left.reference, left.hypothesis, left.count, left.said) == ("d", "", 1, 2)
    (put,) = confusions(lines, Kind.INSERTION).listed
    assert (put.reference, put.hypothesis, put.count, put.said) == ("", "w", 1, 0)


def test_what_is_not_listed_is_counted(heard: Make) -> None:
    found = confusions(lines_of([heard(f"u-{n}", f"a{n}", "b") for n in range(50)]), Kind.SUBSTITUTION)
    assert (len(found.listed), found.kinds, found.count) == (MOST, 50, 50)


def test_without_errors_there_is_nothing(heard: Make) -> None:
    assert confusions(lines_of([heard("u-1", "a b", "a b")]), Kind.DELETION).listed == ()
