"""Ctrl-C, once and again. The signals are real; they reach this process."""

import signal
import time

import pytest

from dsprep.commands.stopping import if_interrupted, stop_after_step
from dsprep.manifests import Interrupted


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_and_its_echo_does_no_more(
    number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(number)
    with stop_after_step() as asked:
        assert not asked()
        signal.raise_signal(number)
        assert asked()
        signal.raise_signal(number)
    assert capsys.readouterr().err == "stopping after this step; once more stops at once\n"
    assert signal.getsignal(number) is before


def test_a_second_signal_that_is_meant_stops_at_once() -> None:
    with stop_after_step():
        signal.raise_signal(signal.SIGINT)
        time.sleep(1.1)  # an echo comes sooner
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_an_interruption_is_told_as_its_work_asks() -> None:
    with pytest.raises(Interrupted, match=r"^begin again$"), if_interrupted("begin again"):
        signal.raise_signal(signal.SIGINT)
