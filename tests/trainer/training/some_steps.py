"""What each process of test_processes.py runs: a few steps, on batches of 5 clips, of 2, and of 1.

    torchrun ... some_steps.py MANIFEST OUT PRESET 'model.hidden=12' 'model.channels=2' ...

After each step rank 0 writes the weights and gradients: OUT/0.safetensors, OUT/1.safetensors ...
"""

import sys
from pathlib import Path

import safetensors.torch
import torch

from dsprep.manifests import english
from dsprep.pipeline.reading import Reader
from dsprep.trainer.config import read_config
from dsprep.trainer.loading.batches import load
from dsprep.trainer.loading.data import read_data
from dsprep.trainer.order.plan import share
from dsprep.trainer.training.learner import Learner
from dsprep.trainer.training.ranks import joined

BATCHES = ([3, 1, 4, 0, 9], [2, 6], [5])


def main(manifest: Path, out: Path, preset: str, settings: list[str]) -> None:
    torch.set_num_threads(1)
    data = read_data([manifest])
    with joined(torch.device("cpu")) as ranks, Reader() as reader:
        learner = Learner(read_config(preset, settings), english(), torch.device("cpu"), ranks)
        learner.share()
        for step, batch in enumerate(BATCHES):
            rows = share(torch.tensor(batch).numpy(), ranks.rank, ranks.count)
            learned = learner.step(load(data, rows, reader), len(batch), 0, step, 1e-3, [ranks.rank])
            assert learned.asked == (tuple(range(ranks.count)),)
            assert not learned.bad
            if ranks.first:
                found = {name: value.clone() for name, value in learner.model.state_dict().items()}
                parameters = learner.model.named_parameters()
                found |= {f"{name}.grad": one.grad.clone() for name, one in parameters if one.grad is not None}
                safetensors.torch.save_file(found, out / f"{step}.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4:])
