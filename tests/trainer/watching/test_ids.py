"""What each process trained on is told once, however many of them there were."""

import random
from pathlib import Path

import pytest

from dsprep.manifests import DataError
from dsprep.trainer.watching.ids import Ids, Share, read_ids

STEPS = 6


def batch(epoch: int, step: int) -> list[str]:
    return [f"{epoch}-{step}-{place}" for place in range(5)]


def run(folder: Path, ranks: int, after: tuple[int, int], stop: tuple[int, int]) -> None:
    """So many processes, one of which may be a step ahead of the others when they stop."""
    for rank in range(ranks):
        ids = Ids(folder, rank, ranks, after)
        for epoch in range(after[0] + 1, 4):
            for step in range(after[1] + 1 if epoch == after[0] + 1 else 1, STEPS + 1):
                if (epoch, step) <= (stop[0], stop[1] + (rank == 0)):
                    ids.add(epoch, step, batch(epoch, step)[rank::ranks])
        ids.close()


def test_any_number_of_processes_tells_each_step_once(tmp_path: Path) -> None:
    chance = random.Random(4)
    for number in range(20):
        folder = tmp_path / f"Lauf {number}"
        after = 0, 0
        for _ in range(6):
            stop = min(3, after[0] + 1 + chance.randrange(2)), chance.randrange(STEPS)
            run(folder, chance.randint(1, 4), after, stop)
            done = chance.choice([(stop[0] - 1, stop[1]), after])
            after = max(after, done)
        run(folder, chance.randint(1, 4), after, (9, 0))
        found: dict[tuple[int, int], list[str]] = {}
        ranks: dict[tuple[int, int], list[int]] = {}
        for share in read_ids(folder):
            found.setdefault((share.epoch, share.step), []).extend(share.ids)
            ranks.setdefault((share.epoch, share.step), []).append(share.rank)
            assert share.rank < share.ranks
        assert {place: sorted(ids) for place, ids in found.items()} == {
            (epoch, step): batch(epoch, step) for epoch in (1, 2, 3) for step in range(1, STEPS + 1)
        }
        assert all(one == list(range(len(one))) for one in ranks.values())


def test_what_is_written_is_read(tmp_path: Path) -> None:
    ids = Ids(tmp_path, 1, 2, (0, 0))
    ids.add(1, 1, ["a-1", "b-2"])
    ids.add(1, 2, [])
    ids.close()
    assert list(read_ids(tmp_path)) == [
        Share(epoch=1, step=1, rank=1, ranks=2, ids=("a-1", "b-2")),
        Share(epoch=1, step=2, rank=1, ranks=2, ids=()),
    ]


def test_another_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "ids").mkdir()
    (tmp_path / "ids" / "0.jsonl").write_text('{"epoch": 1, "step": 1, "rank": 0}\n')
    with pytest.raises(DataError, match=r"0\.jsonl:1: "):
        list(read_ids(tmp_path))
