"""Real processes under torchrun that stop, are killed, and go on with more or fewer of them."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from dsprep.manifests import Sample, manifest_bytes
from dsprep.pipeline.shards.placement import Sharding
from dsprep.pipeline.shards.sharding import shard
from dsprep.pipeline.sound.plain import wav_header
from dsprep.trainer.config import BatchConfig
from dsprep.trainer.loading.data import read_data
from dsprep.trainer.order.plan import Plan

TRANSITIONS = 20
SCRIPT = Path(__file__).with_name("one_rank.py")


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory, make: Any) -> Path:
    """53 clips of 0.1 to 0.5 s in a few shards."""
    home = tmp_path_factory.mktemp("clips")
    samples = []
    for number in range(53):
        sound = make.tone(0.1 + number % 9 / 20).tobytes()
        audio = wav_header(len(sound)) + sound
        path = home / f"clip{number}.wav"
        path.write_bytes(audio)
        samples.append(Sample(id=path.stem, path=path, size=len(audio), transcript="a", duration=len(sound) / 32_000))
    (home / "clips.csv").write_bytes(manifest_bytes(samples, home))
    assert shard([home / "clips.csv"], home / "shards", Sharding(shard_bytes=100_000, seed=0), 1).shards > 4
    return home / "shards"


def counted(home: Path, number: int, ranks: int, begin: list[int], end: list[int]) -> list[tuple[int, int, list[str]]]:
    """(epoch, step, ids) of the steps that a launch has finished; what came after its last save is done again."""
    logs = [
        [json.loads(line) for line in (home / f"{number}-{rank}.jsonl").read_text().splitlines()]
        for rank in range(ranks)
    ]
    done = [[line for line in log if begin <= [line["epoch"], line["step"]] < end] for log in logs]
    assert len({len(log) for log in done}) == 1, "all ranks take the same steps"
    steps = []
    for lines in zip(*done, strict=True):
        assert len({(line["epoch"], line["step"]) for line in lines}) == 1
        steps.append((lines[0]["epoch"], lines[0]["step"], [name for line in lines for name in line["ids"]]))
    return steps


@pytest.mark.long
@pytest.mark.parametrize("window", [0, 2])
def test_stopped_or_killed_and_gone_on_with_other_ranks_every_clip_comes_once_and_in_order(
    tmp_path: Path, shards: Path, window: int, torchrun: Any
) -> None:
    chance = random.Random(window)
    (tmp_path / "state.json").write_text("[0, 0]")
    data = read_data([shards])
    plan = Plan(data.clips, BatchConfig(seconds=2.0, samples=5, window=window), seed=5)
    begin, steps, kills = [0, 0], [], 0
    for number in range(TRANSITIONS // 2 + 1):
        ranks = chance.randint(1, 4)
        victim = chance.randrange(ranks) if chance.random() < 0.5 and number < TRANSITIONS // 2 else None
        given = {"launch": number, "window": window, "steps": chance.randint(1, 25), "victim": victim}
        moment = {"moment": chance.choice(["read", "logged", "met"])}
        status, told = torchrun.run(ranks, str(SCRIPT), str(shards), str(tmp_path), json.dumps({**given, **moment}))
        assert (status != 0) is (victim is not None), told[-3000:]
        kills += status != 0
        end = json.loads((tmp_path / "state.json").read_text())
        steps += counted(tmp_path, number, ranks, begin, end)
        begin = end
    assert kills > 2
    undisturbed = [
        (epoch, step, [data.samples[clip].id for clip in batch])
        for epoch in range(begin[0] + 1)
        for step, batch in enumerate(plan.epoch(epoch))
    ]
    assert steps == undisturbed[: len(steps)]
    assert len(steps) == sum(len(plan.epoch(epoch)) for epoch in range(begin[0])) + begin[1]
    assert begin[0] > 2, "it went through whole epochs"
    for epoch in range(begin[0]):
        met = sorted(name for one, _, names in steps if one == epoch for name in names)
        assert met == sorted(sample.id for sample in data.samples)
