"""Workers: functions run in processes, a bounded number ahead, results in the order in which they end.

Processes are spawned, never forked, so they hold nothing of their parent. They leave Ctrl-C to it, and end
when it dies: what they were making stays under a temporary name, and the next run sweeps it.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import parent_process
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import TypeVar

from ..manifests import OutputError
from .sound.quiet import quiet_libraries

Task = TypeVar("Task")
Result = TypeVar("Result")

AHEAD = 2
"""Tasks a worker that wait in line."""
STOPPING = (signal.SIGINT, signal.SIGTERM)
"""What a terminal or a scheduler sends to the whole group: the workers leave it to their parent, and end with it."""
SECONDS_TO_REPEAT = 1.0
"""After which a second signal is meant: `timeout`, for one, sends each twice."""
SECONDS_TO_HEED = 0.1
"""Between two looks at whether somebody wants to stop."""


class _Process(SpawnProcess):
    """A worker, which is deaf to SIGTERM: an executor that lost another one would wait for it for ever."""

    def terminate(self) -> None:
        self.kill()


class _Context(SpawnContext):
    Process = _Process


def available() -> int:
    """How many processes this one may run at a time."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(work: Callable[[Task], Result], tasks: Iterable[Task], workers: int) -> Iterator[tuple[Task, Result]]:
    """Each task with what `work` made of it, in the order in which they end.

    `tasks` is drawn from only as the workers get on, so it may be endless and hold its own resources.
    When the caller stops early, or somebody interrupts, tasks under way are finished and no more are begun.
    With 0 workers the tasks are done here and now, in this process: for who has but one, which a start would delay.

    Raises:
        OutputError: a worker process was killed, most often for want of memory.
        Whatever `work` raises.
    """
    if not workers:
        yield from ((task, work(task)) for task in tasks)
        return
    pending: dict[Future[Result], Task] = {}
    with _interrupts_between_tasks() as heed:
        pool = ProcessPoolExecutor(workers, mp_context=_Context(), initializer=_begin)
        try:
            for task in tasks:
                heed()
                with _deaf_children():
                    pending[pool.submit(work, task)] = task
                if len(pending) >= workers * (1 + AHEAD):
                    yield from _ended(pending, heed)
            while pending:
                yield from _ended(pending, heed)
            heed()
        except BrokenProcessPool as error:
            raise OutputError(
                "a worker process was killed, perhaps for want of memory: "
                f"type the same command again, with fewer workers than --workers {workers}"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _ended(pending: dict[Future[Result], Task], heed: Callable[[], None]) -> Iterator[tuple[Task, Result]]:
    done: set[Future[Result]] = set()
    while not done:
        done, _ = wait(pending, timeout=SECONDS_TO_HEED, return_when=FIRST_COMPLETED)
        heed()
    for future in [one for one in pending if one in done]:  # of two that failed, the first is told
        yield pending.pop(future), future.result()


@contextmanager
def _interrupts_between_tasks() -> Iterator[Callable[[], None]]:
    """Ctrl-C and SIGTERM are only noted, and `heed` raises KeyboardInterrupt for them; a second one ends at once.

    An executor that is interrupted in its own code can hang for ever.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    noted: list[float] = []

    def note(number: int, frame: object) -> None:
        noted.append(time.monotonic())
        if noted[-1] - noted[0] > SECONDS_TO_REPEAT:
            os._exit(130)

    def heed() -> None:
        if noted:
            raise KeyboardInterrupt

    before = {number: signal.signal(number, note) for number in STOPPING}
    try:
        yield heed
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _deaf_children() -> Iterator[None]:
    """Processes that start now inherit that Ctrl-C waits, and meet none before they can ignore it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin() -> None:
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
    quiet_libraries()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
