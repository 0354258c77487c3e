"""Ranks of one start meet each other in a store that remembers earlier ones."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from torch import distributed
from torch.distributed.distributed_c10d import Store

from dsprep.trainer.training.meeting import met

WAIT = timedelta(seconds=30)


def connected(port: int, master: bool = False) -> Any:
    return distributed.TCPStore("127.0.0.1", port, is_master=master, timeout=WAIT)  # type: ignore[attr-defined]


@pytest.fixture
def server() -> Any:
    return connected(0, master=True)


def start(server: Any, count: int, seed: int) -> list[Store]:
    """Ranks that come in any order, each with a connection of its own."""
    chance = random.Random(seed)
    pauses = [chance.random() * 0.2 for _ in range(count)]

    def one(rank: int) -> Store:
        time.sleep(pauses[rank])
        return met(connected(server.port), rank, count)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(one, range(count)))


def test_each_start_has_a_part_of_the_store_that_all_its_ranks_share(server: Any) -> None:
    for seed in range(6):
        ranks = start(server, 3, seed)
        assert not any(one.check(["address of rank 1"]) for one in ranks), "nothing is left of an earlier start"
        ranks[1].set("address of rank 1", str(seed))
        assert [one.get("address of rank 1") for one in ranks] == [str(seed).encode()] * 3


def test_a_rank_that_died_before_it_was_met_does_not_keep_the_next_start_from_meeting(server: Any) -> None:
    server.set("leader", "one that is dead")
    server.set("one that is dead/1", "so is this")
    ranks = start(server, 2, 1)
    ranks[0].set("hello", "you")
    assert ranks[1].get("hello") == b"you"


def test_one_rank_meets_nobody(server: Any) -> None:
    (alone,) = start(server, 1, 0)
    alone.set("x", "y")
