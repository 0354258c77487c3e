"""Streaming: each usable sample of the tars once an epoch, the rest counted; a run on it learns, stops and goes on."""

import gzip
import json
import random
import tarfile
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from dsprep.cli import main
from dsprep.manifests import DataError, Interrupted, Sample, SourceError, TrainingError, UsageError, english
from dsprep.pipeline.screen import Reason
from dsprep.pipeline.shards.placement import Sharding
from dsprep.pipeline.shards.sharding import shard
from dsprep.pipeline.sound.audio import decode, encode
from dsprep.trainer.config import BatchConfig, Config, read_config
from dsprep.trainer.loading.batches import Loaded
from dsprep.trainer.loading.data import Data, read_data
from dsprep.trainer.loading.gathering import Clip, gathered
from dsprep.trainer.loading.streaming import Streamed, open_stream, spoken
from dsprep.trainer.training.beginning import check
from dsprep.trainer.training.checkpoint import checkpoints
from dsprep.trainer.training.means import Callbacks, Means
from dsprep.trainer.training.ranks import Ranks
from dsprep.trainer.training.training import Trainer, train

SETTINGS = (
    "model.hidden=16",
    "model.channels=2",
    "batch.samples=4",
    "train.epochs=3",
    "train.schedule=constant",
    "train.warmup=0.0",
)


def config(*settings: str) -> Config:
    return read_config("ds2-small", [*SETTINGS, *settings])


def anything(transcript: str, samples: int) -> None:
    """What every clip passes."""


def batches(stream: Streamed, number: int = 0, settings: Config | None = None) -> tuple[list[Loaded], list[str]]:
    notices: list[str] = []
    return list(spoken(stream, settings or config(), number, anything, notices.append)), notices


def content(found: list[Loaded]) -> list[tuple[str, str, bytes]]:
    return [
        (sample.id, sample.transcript, row[:length].tobytes())
        for batch in found
        for sample, row, length in zip(batch.samples, batch.pcm_BN, batch.lengths, strict=True)
    ]


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory, digits: Path) -> Path:
    out = tmp_path_factory.mktemp("streamed") / "shards"
    shard([digits / "dev-clean.csv"], out, Sharding(shard_bytes=100_000, seed=3), 1)
    return out


@pytest.fixture(scope="module")
def dev(digits: Path) -> Data:
    return read_data([digits / "test-clean.csv"])


def test_our_own_shards_stream_each_sample_once_and_the_same_sound(shards: Path) -> None:
    stream = open_stream([shards])
    assert len(stream.tars) > 2
    found, notices = batches(stream)
    planned = {(one.id, one.transcript): decode(one_bytes(one)).tobytes() for one in read_data([shards]).samples}
    assert {(name, text): pcm for name, text, pcm in content(found)} == planned
    assert len(content(found)) == len(planned) == 12
    assert notices == ["epoch 1: 12 samples of the stream used"]
    for batch in found:
        assert len(batch.samples) <= 4
        assert batch.pcm_BN.shape == (len(batch.samples), max(batch.lengths))
        assert not any(row[length:].any() for row, length in zip(batch.pcm_BN, batch.lengths, strict=True))
        assert torch.equal(batch.sound(torch.device("cpu")), torch.from_numpy(batch.pcm_BN.astype(np.float32) / 32_768))


def one_bytes(sample: Sample) -> bytes:
    return sample.path.read_bytes()[sample.offset :][: sample.size]


def test_the_order_is_a_function_of_seed_and_epoch(shards: Path) -> None:
    def order(number: int, seed: int = 1) -> list[str]:
        return [one[0] for one in content(batches(open_stream([shards]), number, config(f"train.seed={seed}"))[0])]

    assert order(0) == order(0)
    assert len({tuple(one) for one in (order(0), order(1), order(2), order(0, seed=2))}) == 4


def test_shards_come_in_a_drawn_order(tmp_path: Path, make: Any) -> None:
    """More samples than are held before the first is let go, so that their order shows."""
    wav = bytes(encode(make.tone(0.01), "wav"))
    for number in range(3):
        members = {f"{number}-{n}.{end}": data for n in range(150) for end, data in (("wav", wav), ("txt", b"t"))}
        make.tar(tmp_path / f"{number}.tar", members)
    orders = [[one[0] for one in content(batches(open_stream([tmp_path]), number)[0])] for number in range(8)]
    assert {len(set(order)) for order in orders} == {450}
    assert len({order[0][0] for order in orders}) > 1


def test_a_sample_ends_with_its_shard_and_links_are_not_followed(tmp_path: Path, make: Any) -> None:
    members = sayings(make, a="one")
    make.tar(tmp_path / "0.tar", {**members, "x.flac": members["a.flac"]})
    make.tar(tmp_path / "1.tar", {"x.txt": b"other", "y.txt": b"t"})
    with tarfile.open(tmp_path / "1.tar", "a") as file:
        link = tarfile.TarInfo("y.wav")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        file.addfile(link)
    for number in range(6):  # of which some have the shards in their order
        found, notices = batches(open_stream([tmp_path]), number)
        assert [one[0] for one in content(found)] == ["a"]
        assert "3 left out (2 no-audio, 1 no-text)" in notices[0]


def test_the_digest_is_of_names_and_sizes(shards: Path, tmp_path: Path, make: Any) -> None:
    for path in shards.glob("*.tar"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    assert open_stream([tmp_path]).digest == open_stream([shards]).digest
    make.tar(tmp_path / "more.tar", {"x.txt": b""})
    assert open_stream([tmp_path]).digest != open_stream([shards]).digest


def sayings(make: Any, **texts: str) -> dict[str, bytes]:
    return {
        name: data
        for key, text in texts.items()
        for name, data in ((f"{key}.flac", make.flac(make.tone(0.5))), (f"{key}.json", json.dumps({"text": text})))
        for data in [data if isinstance(data, bytes) else data.encode()]
    }


def test_what_cannot_be_used_is_counted_and_the_first_are_named(tmp_path: Path, make: Any) -> None:
    members = sayings(make, a="one", b="two", c="three")
    members |= {"d.wav": b"noise" * 99, "d.txt": b"x", "e.txt": b"x", "f.flac": members["a.flac"]}
    path = make.tar(tmp_path / "x.tar.gz", members)

    def refuse(transcript: str, samples: int) -> tuple[Reason, str] | None:
        return (Reason.OUTSIDE_ALPHABET, "w") if "w" in transcript else None

    notices: list[str] = []
    found = list(spoken(open_stream([path]), config(), 0, refuse, notices.append))
    assert sorted(one[0] for one in content(found)) == ["a", "c"]
    assert notices[0].startswith(
        "epoch 1: 2 samples of the stream used, 4 left out (1 no-audio, 1 no-text, 1 outside-alphabet, 1 unreadable)"
    )
    assert {f"{key}: " in notices[0] for key in "bdef"} == {True}
    with pytest.raises(TrainingError, match="nothing in the stream can be trained on: 0 samples"):
        list(spoken(open_stream([path]), config(), 0, lambda *_: (Reason.TOO_FAST, "no"), notices.append))


def test_a_tar_that_was_cut_off_is_an_error_or_has_all_its_samples(tmp_path: Path, make: Any) -> None:
    """webdataset by itself would bring fewer, and say nothing."""
    wav = bytes(encode(make.tone(0.02), "wav"))
    members = {f"{key}.{end}": data for key in "abc" for end, data in (("wav", wav), ("txt", b"t"))}
    whole = make.tar(tmp_path / "x.tar", members)
    data = whole.read_bytes()
    outcomes = set()
    for size in range(0, len(data), 512):
        whole.write_bytes(data[:size])
        try:
            found, _ = batches(open_stream([whole]))
            outcomes.add(len(content(found)))
        except SourceError as error:
            outcomes.add("x.tar" in str(error))
    assert outcomes == {3, True}


def test_members_of_one_name_are_told(tmp_path: Path, make: Any) -> None:
    make.tar(tmp_path / "x.tar", {"a.wav": b"1", "a.WAV": b"2"})
    with pytest.raises(DataError, match=r"a\.WAV: duplicate file name.*without --stream"):
        batches(open_stream([tmp_path]))


def test_no_shell_is_asked(tmp_path: Path, shards: Path) -> None:
    for place in (f"pipe:touch {tmp_path}/ran; cat {shards}/000000.tar", "http://localhost/x.tar"):
        with pytest.raises(DataError, match="there is no shard"):
            open_stream([Path(place)])
    odd = tmp_path / "pipe:touch ran.tar"
    odd.write_bytes((shards / "000000.tar").read_bytes())
    assert content(batches(open_stream([odd]))[0])
    assert [path.name for path in tmp_path.iterdir()] == [odd.name]
    with pytest.raises(DataError, match="holds no tars to stream"):
        open_stream([tmp_path / "x.csv"])


def test_leaving_early_leaves_no_thread(shards: Path) -> None:
    stream = spoken(open_stream([shards]), config(), 0, anything, print)
    next(stream)
    stream.close()
    assert not [one for one in threading.enumerate() if one.name.startswith("streaming")]


@pytest.mark.parametrize("bounds", [BatchConfig(seconds=3, samples=4), BatchConfig(seconds=0.1, samples=9)])
def test_every_clip_is_gathered_once_within_bounds(bounds: BatchConfig) -> None:
    chance = random.Random(5)
    lengths = [chance.randrange(1, 20_000) for _ in range(300)]
    clips = [
        Clip(Sample(id=str(number), path=Path("x"), size=0, transcript=""), np.full(length, number, np.int16))
        for number, length in enumerate(lengths)
    ]
    found = list(gathered(clips, bounds, chance))
    assert sorted(int(sample.id) for batch in found for sample in batch.samples) == list(range(300))
    for batch in found:
        assert [lengths[int(sample.id)] for sample in batch.samples] == batch.lengths
        fits = len(batch.samples) <= bounds.samples and batch.pcm_BN.size / 16_000 <= bounds.seconds
        assert fits or len(batch.samples) == 1
    if bounds.samples == 4:
        waste = 1 - sum(lengths) / sum(batch.pcm_BN.size for batch in found)
        assert waste < 0.1


def test_what_is_left_over_is_sorted_by_length_and_comes_in_a_drawn_order() -> None:
    lengths = [length for number in range(8) for length in (1000 + 90 * number, 16_000 + 1500 * number)]
    clips = [Clip(Sample(id="x", path=Path("x"), size=0, transcript=""), np.zeros(one, np.int16)) for one in lengths]
    found = [list(gathered(clips, BatchConfig(samples=4), random.Random(seed))) for seed in range(5)]
    assert all(max(batch.lengths) < 2 * min(batch.lengths) for one in found for batch in one)
    assert len({tuple(batch.lengths[0] for batch in one) for one in found}) > 1


def after(steps: int) -> Callable[[], bool]:
    left = [steps]

    def asked() -> bool:
        left[0] -= 1
        return left[0] == 0

    return asked


def test_a_stopped_run_begins_its_epoch_again_and_says_so(tmp_path: Path, shards: Path, dev: Data) -> None:
    stream, run, notices = open_stream([shards]), tmp_path / "run", list[str]()
    with pytest.raises(Interrupted):
        train(config(), english(), stream, dev, run, callbacks=Callbacks(should_stop=after(2)))
    assert checkpoints(run)[0][1].step == 2
    standing = train(config(), english(), stream, dev, run, callbacks=Callbacks(on_notice=notices.append))
    assert notices[0].startswith("going on after epoch 0, batch 2")
    assert notices[1] == "a stream cannot be gone into: that epoch's samples come once more from the first on"
    assert [one.split(": ")[1] for one in notices[2:]] == ["12 samples of the stream used"] * 3
    assert (standing.epoch, len(standing.history)) == (3, 3)


def test_a_whole_run_ends_with_the_same_weights_each_time(tmp_path: Path, shards: Path, dev: Data) -> None:
    one, other = (train(config(), english(), open_stream([shards]), dev, tmp_path / name) for name in "ab")
    assert one == other
    assert one.history[-1].loss < one.history[0].loss


def test_a_planned_run_does_not_go_on_from_a_stream(tmp_path: Path, shards: Path, dev: Data) -> None:
    train(config("train.epochs=1"), english(), open_stream([shards]), dev, tmp_path / "run")
    with pytest.raises(TrainingError, match=r"is another run .*training data"):
        train(config(), english(), read_data([shards]), dev, tmp_path / "run")


def test_a_stream_is_not_divided_among_processes(shards: Path) -> None:
    with pytest.raises(UsageError, match="--stream cannot give several processes equal shares"):
        check(config(), english(), open_stream([shards]), Ranks(0, 2))


def test_what_needs_the_number_of_steps_is_refused(tmp_path: Path, shards: Path, dev: Data) -> None:
    cycle = replace(config(), train=replace(config().train, schedule="cosine"))
    with pytest.raises(UsageError, match=r"number of steps .* --set train\.schedule=constant"):
        train(cycle, english(), open_stream([shards]), dev, tmp_path / "run")


def test_the_rate_decays_by_epochs(tmp_path: Path, shards: Path, dev: Data) -> None:
    settings = config("train.schedule=decay", "train.decay=0.5", "train.rate=8e-4")
    stream, said = open_stream([shards]), list[str]()
    callbacks = Callbacks(on_notice=said.append)
    run = Trainer(settings, english(), stream, dev, tmp_path / "run", Means(), callbacks)
    rates = []
    with closing(run.audience):
        for _ in range(3):
            run.epoch()
            rates.append(run.learner.optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([8e-4, 4e-4, 2e-4])


def test_texts_outside_the_alphabet_or_too_long_cost_no_more_than_themselves(
    tmp_path: Path, make: Any, dev: Data
) -> None:
    path = make.tar(tmp_path / "x.tar", sayings(make, good="one", digit="1", long="abc" * 40))
    notices: list[str] = []
    train(
        config("train.epochs=1"),
        english(),
        open_stream([path]),
        dev,
        tmp_path / "run",
        callbacks=Callbacks(on_notice=notices.append),
    )
    assert notices[0].startswith("epoch 1: 1 samples of the stream used, 2 left out (1 outside-alphabet, 1 too-fast)")


@pytest.mark.slow
def test_streaming_foreign_shards_from_the_shell_lowers_the_loss(tmp_path: Path, digits: Path, make: Any) -> None:
    samples = read_data([digits / "dev-clean.csv"]).samples
    for number in range(3):
        members: dict[str, bytes] = {}
        for one in samples[number::3]:
            members[f"audio/{one.id}.mp3"] = make.mp3(decode(one.path.read_bytes()), 16_000)
            members[f"audio/{one.id}.json"] = json.dumps({"sentence": one.transcript}).encode()
        make.tar(tmp_path / "theirs" / f"{number:06d}.tar", members)
    run = ["train", "--run", str(tmp_path / "run"), "--cache", str(tmp_path / "cache"), "--device", "cpu"]
    run += ["--train", f"{tmp_path}/theirs/{{000000..000002}}.tar", "--dev", str(tmp_path / "theirs")]
    run += [part for one in (*SETTINGS, "train.rate=4e-3", "train.epochs=10") for part in ("--set", one)]
    done = CliRunner().invoke(main, [*run, "--stream"])
    assert done.exit_code == 0, done.output
    assert "training on a stream of 3 shards" in done.output
    assert "epoch 10: 12 samples of the stream used" in done.output
    history = json.loads((tmp_path / "run" / "history.json").read_bytes())["epochs"]
    assert history[-1]["loss"] < 0.5 * history[0]["loss"]
    assert len(list((tmp_path / "cache" / "index").glob("*.csv"))) == 2


def test_a_compressed_shard_streams(tmp_path: Path, shards: Path) -> None:
    first = sorted(shards.glob("*.tar"))[0]
    (tmp_path / "x.tar.gz").write_bytes(gzip.compress(first.read_bytes()))
    assert content(batches(open_stream([tmp_path]))[0]) == content(batches(open_stream([first]))[0])
