import os
import signal
import time
from collections.abc import Iterator

import pytest

from dsprep.manifests import DataError, OutputError
from dsprep.pipeline.workers import AHEAD, run


def double(number: int) -> int:
    return 2 * number


def fail(number: int) -> int:
    raise DataError(f"{number} is bad; mend it")


def die(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def wait(number: int) -> int:
    time.sleep(0.05)
    return number


def test_every_task_comes_back_with_its_result() -> None:
    assert dict(run(double, range(20), 2)) == {number: 2 * number for number in range(20)}


def test_an_error_comes_back_as_it_was_raised() -> None:
    with pytest.raises(DataError, match="0 is bad; mend it"):
        list(run(fail, range(3), 1))


def test_of_two_errors_the_first_is_told() -> None:
    def slowly() -> Iterator[int]:
        for number in range(8):
            yield number
            time.sleep(0.2)

    for _ in range(3):
        with pytest.raises(DataError, match="0 is bad"):
            list(run(fail, slowly(), 3))


def test_a_killed_worker_is_told_and_nothing_hangs() -> None:
    with pytest.raises(OutputError, match="a worker process was killed"):
        list(run(die, range(3), 1))


def die_beside_others(task: tuple[int, bytes]) -> bytes:
    time.sleep(0.5 if task[0] else 0.2)
    if not task[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    return task[1]


def test_a_worker_killed_beside_others_is_told_though_tasks_and_results_outgrow_their_pipes() -> None:
    with pytest.raises(OutputError, match="a worker process was killed"):
        list(run(die_beside_others, ((number, bytes(300_000)) for number in range(6)), 2))


def test_tasks_are_drawn_only_as_the_workers_get_on() -> None:
    drawn = 0

    def tasks() -> Iterator[int]:
        nonlocal drawn
        for number in range(100):
            drawn += 1
            yield number

    results = run(wait, tasks(), 1)
    next(results)
    assert drawn <= 1 + AHEAD
    results.close()  # type: ignore[attr-defined]
    assert drawn <= 2 + AHEAD
