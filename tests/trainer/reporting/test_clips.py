"""What can be heard is in the page, within its bounds; what cannot costs its player alone."""

import io
import threading
from base64 import b64decode
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from dsprep.manifests import Sample
from dsprep.pipeline.fetching.access import Patience
from dsprep.pipeline.places import Cache, url_of
from dsprep.pipeline.reading import audio_bytes
from dsprep.trainer.loading.data import read_data
from dsprep.trainer.reporting.clips import CLIPS, LONGEST, clips_of


@pytest.fixture(scope="module")
def samples(digits: Path) -> list[Sample]:
    return list(read_data([digits / "dev-clean.csv"]).samples)


def test_a_clip_is_the_sound_of_its_sample(samples: list[Sample]) -> None:
    found = clips_of(samples)
    assert list(found.sound) == [sample.id for sample in samples]
    for sample in samples:
        played, rate = soundfile.read(io.BytesIO(b64decode(found.sound[sample.id])))
        assert rate == 16_000
        assert sample.duration is not None
        assert len(played) / rate == pytest.approx(sample.duration, abs=0.2)
        assert np.abs(played).max() > 0.1


def test_the_same_samples_make_the_same_bytes(samples: list[Sample]) -> None:
    assert clips_of(samples) == clips_of(samples)


def test_a_sample_in_a_tar_is_read_at_its_offset(tmp_path: Path, samples: list[Sample]) -> None:
    whole = tmp_path / "Töne 1.tar"
    placed: list[Sample] = []
    with whole.open("wb") as file:
        for sample in samples[:3]:
            file.write(bytes(512))
            facts: dict[str, Any] = {"id": sample.id, "transcript": "", "size": sample.size}
            placed.append(Sample(path=whole, offset=file.tell(), **facts))
            file.write(audio_bytes(sample))
    assert clips_of(placed).sound == clips_of(samples[:3]).sound


def test_audio_that_is_gone_cut_off_or_none_costs_its_player_alone(tmp_path: Path, samples: list[Sample]) -> None:
    (tmp_path / "cut.flac").write_bytes(audio_bytes(samples[0])[:-100])
    (tmp_path / "text.flac").write_bytes(b"no sound")
    bad = [
        Sample(id="gone", path=tmp_path / "gone.flac", size=100, transcript=""),
        Sample(id="cut", path=tmp_path / "cut.flac", size=samples[0].size, transcript=""),
        Sample(id="text", path=tmp_path / "text.flac", size=8, transcript=""),
        Sample(id="folder", path=tmp_path, size=8, transcript=""),
    ]
    found = clips_of([*bad, samples[1]])
    assert found.gone == ("gone", "cut", "text", "folder")
    assert list(found.sound) == [samples[1].id]


def test_a_page_has_bounds(tmp_path: Path, samples: list[Sample]) -> None:
    many = [
        Sample(id=f"c-{n}", path=samples[0].path, size=samples[0].size, offset=samples[0].offset, transcript="")
        for n in range(CLIPS + 20)
    ]
    assert len(clips_of(many).sound) == CLIPS
    lost = [Sample(id=f"l-{n}", path=tmp_path / "gone.wav", size=9, transcript="") for n in range(CLIPS + 20)]
    assert len(clips_of(lost).gone) == CLIPS


def test_a_clip_that_is_too_long_has_no_player(tmp_path: Path, samples: list[Sample]) -> None:
    path = tmp_path / "long.flac"
    soundfile.write(path, np.zeros(int(LONGEST * 16_000) + 1, np.int16), 16_000, subtype="PCM_16")
    found = clips_of([Sample(id="long", path=path, size=path.stat().st_size, transcript=""), samples[0]])
    assert (found.long, list(found.sound)) == (("long",), [samples[0].id])


def test_clips_take_no_more_bytes_than_they_may(samples: list[Sample]) -> None:
    sizes = [len(clip) for clip in clips_of(samples).sound.values()]
    assert len(clips_of(samples, sum(sizes[:4])).sound) == 4
    assert len(clips_of(samples, sum(sizes[:4]) - 1).sound) == 3


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


def test_clips_behind_a_url_are_fetched_and_a_dead_server_is_asked_once(
    digits: Path, tmp_path: Path, samples: list[Sample]
) -> None:
    patience = Patience(attempts=2, pause_seconds=0.01, longest_pause_seconds=0.1, timeout_seconds=5)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(digits))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        url = url_of(f"http://127.0.0.1:{server.server_port}/dev-clean.csv")
        far = list(read_data([url], Cache(folder=tmp_path, patience=patience)).samples)
        found = clips_of(far)
        server.shutdown()
        thread.join()
    assert found == clips_of(samples)
    assert clips_of(far).gone == (far[0].id,)
