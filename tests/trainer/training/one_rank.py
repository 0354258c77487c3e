"""What each process of tests/trainer/test_ranks.py runs: a training run without a model.

    torchrun ... one_rank.py SHARDS HOME '{"launch": 3, "window": 2, "steps": 17, "victim": 1, "moment": "logged"}'

Each step reads its part of the batch, writes down what it was (HOME/3-1.jsonl), waits for all ranks, and then rank 0
saves (epoch, step) as HOME/state.json. After so many steps all stop, or in the last the victim kills itself.
"""

import json
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import distributed

from dsprep.pipeline.commit import write_whole
from dsprep.trainer.config import BatchConfig
from dsprep.trainer.loading.batches import loaded
from dsprep.trainer.loading.data import read_data
from dsprep.trainer.order.plan import Plan


def main(shards: Path, home: Path, given: dict[str, Any]) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", timeout=timedelta(seconds=60))
    rank, ranks = distributed.get_rank(), distributed.get_world_size()
    data = read_data([shards])
    plan = Plan(data.clips, BatchConfig(seconds=2.0, samples=5, window=given["window"]), seed=5)
    epoch, step = json.loads((home / "state.json").read_text())
    left = given["steps"]

    def reached(moment: str) -> None:
        if left == 1 and given["victim"] == rank and given["moment"] == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    with (home / f"{given['launch']}-{rank}.jsonl").open("a") as log:
        while left:
            parts = plan.epoch(epoch).of(rank, ranks)[step : step + left]
            for part, found in zip(parts, loaded(data, parts), strict=True):
                assert list(found.samples) == [data.samples[clip] for clip in part]
                assert np.abs(found.pcm_BN).max(axis=1, initial=0).all(), "all that was read is sound"
                reached("read")
                ids = [data.samples[clip].id for clip in part]
                log.write(json.dumps({"epoch": epoch, "step": step, "ids": ids}) + "\n")
                log.flush()
                reached("logged")
                count = torch.tensor([len(part), 1])
                distributed.all_reduce(count)
                assert count[1] == ranks
                reached("met")
                step += 1
                if step == len(plan.epoch(epoch)):
                    epoch, step = epoch + 1, 0
                if rank == 0:
                    write_whole(home / "state.json", json.dumps([epoch, step]).encode())
                left -= 1
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3]))
