"""Sources: what a user names becomes sounds in a known order; what names nothing is told at once."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dsprep.manifests import DataError, UsageError
from dsprep.pipeline.places import Cache
from dsprep.pipeline.sound.audio import decode
from dsprep.trainer.transcribing.sources import Source, of_numbers, sources_of


@pytest.fixture
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return Cache(folder=tmp_path_factory.mktemp("cache"))


def names(places: list[Path], cache: Cache) -> list[str]:
    return [source.name for source in sources_of(places, cache)]


def pcm_of(source: Source) -> Any:
    with source.sound() as blocks:
        return np.concatenate(list(blocks))


def test_a_folder_is_its_audio_files_and_those_below_by_name(saying: Any, tmp_path: Path, cache: Cache) -> None:
    folder, pcm = tmp_path / "mit Ümlaut und Leerzeichen", saying.spoken("a")
    for name in ("b.wav", "a.WAV", "1/z.wav", "no ending", ".hidden.wav"):
        saying.wav(folder / name, pcm)
    (folder / "notes.txt").write_text("no audio")
    (folder / "1" / "empty.flac").touch()
    found = sources_of([folder], cache)
    assert [one.name for one in found] == [
        str(folder / name) for name in ("1/empty.flac", "1/z.wav", "a.WAV", "b.wav", "no ending")
    ]
    assert [one.below for one in found] == ["1/empty", "1/z", "a", "b", "no ending"]
    assert np.array_equal(pcm_of(found[1]), pcm)


def test_a_manifest_and_a_shard_folder_are_their_clips_by_id(tmp_path: Path, digits: Path, cache: Cache) -> None:
    from dsprep.pipeline.shards.placement import Sharding
    from dsprep.pipeline.shards.sharding import shard

    rows = (digits / "dev-clean.csv").read_text().splitlines()[1:]
    ids = [row.split(",")[3] for row in rows]
    assert names([digits / "dev-clean.csv"], cache) == ids
    shard([digits / "dev-clean.csv"], tmp_path / "shards", Sharding(shard_bytes=100_000, seed=3), 0)
    found = {source.name: source for source in sources_of([tmp_path / "shards"], cache)}
    assert sorted(found) == sorted(ids)
    assert all(source.beside is None for source in found.values())
    first = decode((digits / rows[0].split(",")[0]).read_bytes())
    assert np.array_equal(pcm_of(found[ids[0]]), first)


def test_the_order_is_that_of_the_places_and_one_may_be_named_twice(
    saying: Any, tmp_path: Path, digits: Path, cache: Cache
) -> None:
    one = saying.wav(tmp_path / "z.wav", saying.spoken("a"))
    clips = len((digits / "dev-clean.csv").read_text().splitlines()) - 1
    found = names([one, digits / "dev-clean.csv", one], cache)
    assert (found[0], found[-1], len(found)) == (str(one), str(one), clips + 2)


def test_what_names_nothing_is_told_at_once(saying: Any, tmp_path: Path, cache: Cache) -> None:
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "a.txt").write_text("words")
    with pytest.raises(UsageError, match=r"there is no .*gone"):
        sources_of([tmp_path / "gone"], cache)
    with pytest.raises(DataError, match=r"there is no audio in .*none"):
        sources_of([tmp_path / "none"], cache)
    (tmp_path / "bad.csv").write_text("no,header\n")
    with pytest.raises(DataError, match=r"bad\.csv"):
        sources_of([tmp_path / "bad.csv"], cache)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_that_may_not_be_read_is_told(saying: Any, tmp_path: Path, cache: Cache) -> None:
    saying.wav(tmp_path / "in" / "a.wav", saying.spoken("a"))
    closed = tmp_path / "in" / "closed"
    closed.mkdir(mode=0)
    for folder in (closed, tmp_path / "in"):
        with pytest.raises(DataError, match=r"cannot read .*closed: Permission denied"):
            sources_of([folder], cache)


@pytest.mark.parametrize("kind", [np.int16, np.float32, np.float64])
def test_numbers_of_any_rate_and_channels_are_the_sound_of_the_file(saying: Any, make: Any, kind: type) -> None:
    import io

    import soundfile

    samples = np.random.default_rng(1).normal(0, 2000, (48_000, 2)).astype(np.int16)
    file = io.BytesIO()
    soundfile.write(file, samples, 48_000, format="WAV", subtype="PCM_16")
    given = samples if kind is np.int16 else (samples / 32768).astype(kind)
    assert np.array_equal(pcm_of(of_numbers(given, 48_000)), decode(file.getvalue()))
    mono = samples[:, 0]
    assert np.array_equal(pcm_of(of_numbers(mono, 16_000)), mono)


@pytest.mark.parametrize("samples", [np.zeros(10, np.uint8), np.zeros((2, 2, 2)), np.zeros(10, np.int32)])
def test_numbers_that_are_no_samples_are_told(samples: Any) -> None:
    with pytest.raises(UsageError, match="int16 or floating point from -1 to 1"):
        of_numbers(samples, 16_000)


@pytest.mark.parametrize(
    "samples", [[0.0, 0.1], 3, np.zeros((100, 0)), np.zeros((2, 16_000), np.float32), np.zeros(9, "U1"), None]
)
def test_what_is_no_samples_is_told_and_channels_come_last(samples: Any) -> None:
    with pytest.raises(UsageError, match=r"are not heard: an array \[N\] or \[N, channels\] is"):
        of_numbers(samples, 16_000)


@pytest.mark.parametrize("rate", [0, -1, 1, 10**9, float("nan"), float("inf"), "16000", None])
def test_a_rate_of_no_sound_is_told(rate: Any) -> None:
    with pytest.raises(UsageError, match="is not heard: it is samples a second, from 1000 to 768000"):
        of_numbers(np.zeros(100, np.int16), rate)


@pytest.mark.parametrize("rate", [16_000, 16_000.0, np.int64(8000), np.float32(44_100)])
def test_a_rate_may_be_any_number(rate: Any) -> None:
    assert len(pcm_of(of_numbers(np.zeros(1000, np.float32), rate))) > 0
