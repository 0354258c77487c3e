import pytest

from dsprep.manifests import UsageError, Utterance
from dsprep.pipeline.filters import check, parse, refused

ROW = Utterance(
    id="a", audio="a.mp3", text="x", speaker="ann", extras=(("age", "teens"), ("up_votes", "3"), ("accent", ""))
)


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("age=teens", True),
        ("age=twenties,teens", True),
        ("age=twenties", False),
        ("age!=teens", False),
        ("age!=twenties,thirties", True),
        ("accent=", True),
        ("accent!=", False),
        ("up_votes>=3", True),
        ("up_votes>3", False),
        ("up_votes<=3", True),
        ("up_votes<3", False),
        ("up_votes>=2.5", True),
        ("age>=1", False),
        ("speaker=ann", True),
        ("colour=", True),
        ("colour=red", False),
    ],
)
def test_a_filter_takes_what_it_says(text: str, taken: bool) -> None:
    assert (refused([parse(text)], ROW) is None) == taken


def test_all_filters_must_hold_and_the_first_that_does_not_is_named() -> None:
    filters = [parse("age=teens"), parse("up_votes>3"), parse("accent!=")]
    assert refused(filters, ROW) == "--only up_votes>3"


@pytest.mark.parametrize("text", ["", "age", "=x", "up_votes>=", "up_votes>=many", "up_votes>=nan"])
def test_what_is_no_filter_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="a filter is a column, a sign and a value"):
        parse(text)


def test_a_filter_that_met_nothing_is_told() -> None:
    filters = [parse("age=old"), parse("colour=red")]
    refused(filters, ROW)
    with pytest.raises(UsageError, match=r"--only age=old: no row is like that; age is 'teens'"):
        check(filters[:1], ["speaker", "age"])
    with pytest.raises(UsageError, match="there is no column colour; there are speaker, age"):
        check(filters[1:], ["speaker", "age"])
