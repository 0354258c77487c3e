import pickle

import pytest

from dsprep.manifests import errors

ALL = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, Exception)]


@pytest.mark.parametrize("kind", ALL)
def test_every_error_survives_the_way_back_from_a_worker(kind: type[Exception]) -> None:
    back = pickle.loads(pickle.dumps(kind("what, where, what next")))
    assert type(back) is kind
    assert str(back) == "what, where, what next"


def test_the_tree_is_drawn_in_the_docstring() -> None:
    assert errors.__doc__ is not None
    assert all(kind.__name__ in errors.__doc__ for kind in ALL)


def test_a_place_comes_before_the_message() -> None:
    assert str(errors.DataError.at("x.csv", 7, "bad")) == "x.csv:7: bad"
