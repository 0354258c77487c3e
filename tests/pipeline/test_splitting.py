import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsprep.manifests import UsageError
from dsprep.pipeline.splitting import Split, parse

THIRDS = Split((("train", 0.8), ("dev", 0.1), ("test", 0.1)))


@given(st.dictionaries(st.text(max_size=5), st.floats(0.1, 100), min_size=1))
def test_every_speaker_is_in_one_split_whatever_their_order(seconds: dict[str, float]) -> None:
    assigned = THIRDS.assign(seconds)
    assert assigned.keys() == seconds.keys()
    assert set(assigned.values()) <= {"train", "dev", "test"}
    assert THIRDS.assign(dict(reversed(seconds.items()))) == assigned


def test_ratios_are_kept_where_speakers_are_many() -> None:
    seconds = {f"s{number}": 1.0 + number % 7 for number in range(500)}
    assigned = THIRDS.assign(seconds)
    total = sum(seconds.values())
    for name, ratio in THIRDS.ratios:
        share = sum(length for speaker, length in seconds.items() if assigned[speaker] == name) / total
        assert abs(share - ratio) < 0.01


def test_the_seed_decides() -> None:
    seconds = {f"s{number}": 1.0 for number in range(50)}
    assert THIRDS.assign(seconds) != Split(THIRDS.ratios, 1).assign(seconds)


@pytest.mark.parametrize(
    "text", ["", "train", "train=0.5", "train=1", "train=0.9,dev=0.2", "a=0.5,a=0.5", "a.b=0.5,c=0.5", "a=nan,b=0.5"]
)
def test_what_is_no_split_is_told(text: str) -> None:
    with pytest.raises(UsageError, match=f"--split {text}"):
        parse(text, 0)
