"""What tests share: small corpora in the publishers' layouts, made on the spot; the real ones where they are."""

import gzip
import io
import os
import resource
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import settings

from dsprep.pipeline.sound.audio import Pcm

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


# No test is judged by the clock: on a busy machine any of them may take its time.
settings.register_profile("dsprep", deadline=None)
settings.load_profile("dsprep")


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Tests run side by side, so that each may use one core."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def real() -> Path:
    """The folder of real speech that DSPREP_CORPORA names."""
    named = os.environ.get("DSPREP_CORPORA", "")
    if not named or not Path(named).is_dir():
        pytest.skip("DSPREP_CORPORA does not name a folder of real speech")
    return Path(named).resolve()


def tone(seconds: float, pitch: float = 300.0, rate: int = 16_000) -> Pcm:
    """A tone with a little fixed noise, int16."""
    time = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(round(pitch)).normal(0, 100, len(time))
    return (8000 * np.sin(2 * np.pi * pitch * time) + noise).astype(np.int16)


def flac(pcm: Pcm, rate: int = 16_000) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, pcm, rate, format="FLAC", subtype="PCM_16")
    return file.getvalue()


def mp3(pcm: Pcm, rate: int = 48_000) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, pcm, rate, format="MP3")
    return file.getvalue()


Members = dict[str, bytes]


def spoken(part: str, count: int, chapters: int = 2) -> Members:
    """A part in LibriSpeech's layout: each word is half a second of a tone of its own."""
    members: Members = {}
    for chapter in range(chapters):
        name, lines = f"{10 * len(part) + chapter}-{chapter}", []
        folder = f"LibriSpeech/{part}/{name.replace('-', '/')}"
        for index in range(chapter, count, chapters):
            said = [WORDS[(index * 7 + place * 3 + chapter) % 10] for place in range(1 + index % 3)]
            pcm = np.concatenate([tone(0.5, 200 + 100 * WORDS.index(word)) for word in said])
            members[f"{folder}/{name}-{index:04d}.flac"] = flac(pcm)
            lines.append(f"{name}-{index:04d} {' '.join(said).upper()}\n")
        members[f"{folder}/{name}.trans.txt"] = "".join(lines).encode()
    return members


def write_tar(path: Path, members: Mapping[str, bytes]) -> Path:
    """A tar of these members, gzipped if its name says so."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(raw.getvalue(), mtime=0) if path.suffix in (".gz", ".tgz") else raw.getvalue())
    return path


def write_zip(path: Path, members: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def write_folder(root: Path, members: Mapping[str, bytes]) -> Path:
    for name, data in members.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def tree(root: Path) -> dict[str, bytes]:
    """Every file below `root` by its name."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


class Make:
    """The functions above, for tests: pytest imports no module of helpers."""

    tone = staticmethod(tone)
    flac = staticmethod(flac)
    mp3 = staticmethod(mp3)
    spoken = staticmethod(spoken)
    tar = staticmethod(write_tar)
    zip = staticmethod(write_zip)
    stored = staticmethod(partial(write_zip, compression=zipfile.ZIP_STORED))
    folder = staticmethod(write_folder)
    tree = staticmethod(tree)


@pytest.fixture(scope="session")
def make() -> type[Make]:
    return Make


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An import of two made parts, dev-clean and test-clean, that no test may change."""
    from dsprep.importers import CORPORA
    from dsprep.pipeline.importing import import_corpus
    from dsprep.pipeline.job import Job

    root = tmp_path_factory.mktemp("digits")
    for part, count in (("dev-clean", 12), ("test-clean", 6)):
        write_tar(root / "source" / f"{part}.tar.gz", spoken(part, count))
    parts = ("dev-clean", "test-clean")
    job = Job(corpus=CORPORA["librispeech"], parts=parts, sources=(str(root / "source"),))
    import_corpus(job, root / "out", 1)
    return root / "out"


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file may become longer than 100 bytes: writing fails as it does where there is no room."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
