"""Workers: functions run in processes, a bounded number ahead, results in the order in which they end.

Processes are spawned, never forked, so they hold nothing of their parent. They leave Ctrl-C to it, and end
when it dies: what they were making stays under a temporary name, and the next run sweeps it.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TypeVar

from ..manifests import OutputError

Task = TypeVar("Task")
Result = TypeVar("Result")

AHEAD = 2
"""Tasks a worker that wait in line."""


def available() -> int:
    """How many processes this one may run at a time."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(work: Callable[[Task], Result], tasks: Iterable[Task], workers: int) -> Iterator[tuple[Task, Result]]:
    """Each task with what `work` made of it, in the order in which they end.

    `tasks` is drawn from only as the workers get on, so it may be endless and hold its own resources.
    When the caller stops early, tasks under way are finished and no more are begun.

    Raises:
        OutputError: a worker process was killed, most often for want of memory.
        Whatever `work` raises.
    """
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin)
    pending: dict[Future[Result], Task] = {}
    try:
        for task in tasks:
            with _uninterrupted():
                pending[pool.submit(work, task)] = task
            if len(pending) >= workers * (1 + AHEAD):
                yield from _ended(pending)
        while pending:
            yield from _ended(pending)
    except BrokenProcessPool as error:
        raise OutputError(
            "a worker process was killed, perhaps for want of memory: "
            f"type the same command again, with fewer workers than --workers {workers}"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ctrl-C waits: a process that starts now inherits that, and meets none before it can ignore it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _ended(pending: dict[Future[Result], Task]) -> Iterator[tuple[Task, Result]]:
    done, _ = wait(pending, return_when=FIRST_COMPLETED)
    for future in done:
        yield pending.pop(future), future.result()


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
