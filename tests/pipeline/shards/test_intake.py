import hashlib
import io
import os
import struct
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from dsprep.manifests import Sample
from dsprep.pipeline.reading import Reader
from dsprep.pipeline.screen import Reason
from dsprep.pipeline.shards.intake import LONGEST, Refused, Taken, take
from dsprep.pipeline.shards.placement import Item
from dsprep.pipeline.sound.audio import Pcm, decode, encode
from dsprep.pipeline.sound.plain import flac_frames, wav_frames


def item(path: Path, size: int | None = None, **facts: Any) -> Item:
    whole = facts.pop("whole", False)
    size = path.stat().st_size if size is None else size
    return Item(Sample(id="x", path=path, size=size, transcript="", **facts), "train", whole)


def taken(one: Item, form: str = "keep") -> Taken | Refused:
    with Reader() as reader:
        return take(one, form, reader)


def written(path: Path, data: bytes | bytearray | memoryview) -> Path:
    path.write_bytes(data)
    return path


def refused(one: Item) -> Reason:
    why = taken(one)
    assert isinstance(why, Refused), why
    assert str(one.sample.path) not in why.detail
    return why.reason


def soundfile_bytes(pcm: Pcm, rate: int, form: str, subtype: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, pcm, rate, format=form, subtype=subtype)
    return file.getvalue()


def test_what_dsprep_writes_goes_in_as_it_is(tmp_path: Path, make: Any) -> None:
    pcm = make.tone(0.25)
    for form in ("wav", "flac"):
        data = bytes(encode(pcm, form))
        path = written(tmp_path / f"x.{form}", data)
        assert taken(item(path)) == taken(item(path), form) == Taken(form, data, 4000, hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize(
    ("name", "form"),
    [("wav 24", "wav"), ("wav 8000", "wav"), ("stereo", "wav"), ("chunks", "wav"), ("flac 24", "flac"),
     ("flac 8000", "flac"), ("mp3", "wav"), ("ogg", "wav"), ("aiff", "wav")],
)  # fmt: skip
def test_anything_else_becomes_16_khz_mono_pcm16_of_its_kind(name: str, form: str, tmp_path: Path, make: Any) -> None:
    pcm, plain = make.tone(0.5), bytes(encode(make.tone(0.5), "wav"))
    data = {
        "wav 24": soundfile_bytes(pcm, 16_000, "WAV", "PCM_24"),
        "wav 8000": soundfile_bytes(pcm, 8000, "WAV", "PCM_16"),
        "stereo": soundfile_bytes(np.stack([pcm, pcm], axis=1), 16_000, "WAV", "PCM_16"),
        "chunks": plain[:4] + struct.pack("<I", len(plain)) + plain[8:36] + b"LIST\4\0\0\0INFO" + plain[36:],
        "flac 24": soundfile_bytes(pcm, 16_000, "FLAC", "PCM_24"),
        "flac 8000": make.flac(pcm, 8000),
        "mp3": make.mp3(pcm),
        "ogg": soundfile_bytes(pcm, 16_000, "OGG", "VORBIS"),
        "aiff": soundfile_bytes(pcm, 16_000, "AIFF", "PCM_16"),
    }[name]
    found = taken(item(written(tmp_path / "x", data)))
    assert isinstance(found, Taken)
    assert (found.form, found.converted, found.frames) == (form, True, len(decode(data)))
    assert bytes(found.data) == bytes(encode(decode(data), form))
    assert found.sha256 == hashlib.sha256(found.data).hexdigest()


def test_a_format_that_is_asked_for_is_what_goes_in(tmp_path: Path, make: Any) -> None:
    pcm = make.tone(0.25)
    wav, flac = written(tmp_path / "x.wav", encode(pcm, "wav")), written(tmp_path / "x.flac", make.flac(pcm))
    to_flac, to_wav = taken(item(wav), "flac"), taken(item(flac), "wav")
    assert isinstance(to_flac, Taken)
    assert isinstance(to_wav, Taken)
    assert (decode(bytes(to_flac.data)) == pcm).all()
    assert bytes(to_wav.data) == wav.read_bytes()
    assert flac_frames(bytes(to_flac.data)) == wav_frames(bytes(to_wav.data)) == 4000


@pytest.mark.parametrize(
    ("name", "reason"),
    [("gone", "no-audio"), ("file/within", "no-audio"), ("empty", "unreadable"), ("noise", "unreadable"),
     ("text", "unreadable"), ("wav cut", "truncated"), ("flac cut", "truncated"), ("silent", "too-short"),
     ("pipe", "unreadable"), ("folder", "unreadable"), ("loop", "unreadable"),
     ("/dev/zero", "unreadable"), ("/dev/tty", "unreadable"), ("n" * 300, "unreadable"), ("bits", "unreadable")],
)  # fmt: skip
def test_one_bad_file_is_refused_with_a_reason(name: str, reason: str, tmp_path: Path, make: Any) -> None:
    flac = make.flac(make.tone(1.0))
    files = {
        "file": b"x",
        "empty": b"",
        "noise": np.random.default_rng(0).bytes(50_000),
        "text": b"<html>404</html>" * 100,
        "wav cut": bytes(encode(make.tone(1.0), "wav"))[:-1000],
        "flac cut": flac[: len(flac) // 2],
        "silent": bytes(encode(make.tone(0.0), "wav")),
        "bits": flac[:9000] + bytes(300) + flac[9300:],
    }
    for file, data in files.items():
        written(tmp_path / file, data)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    path = tmp_path / name
    assert refused(item(path, len(files.get(name, b"12345")))) == reason


@pytest.fixture
def _not_root() -> Iterator[None]:
    """Root may read everything, so it is nobody for as long as this test takes."""
    me = os.geteuid()
    if me == 0:
        os.seteuid(65534)
    yield
    os.seteuid(me)


def test_a_file_closed_to_us_is_refused(tmp_path: Path, make: Any, request: pytest.FixtureRequest) -> None:
    path = written(tmp_path / "x.wav", encode(make.tone(0.1), "wav"))
    path.chmod(0)
    one = item(path)
    request.getfixturevalue("_not_root")
    assert taken(one) == Refused(Reason.UNREADABLE, "Permission denied")


@pytest.mark.parametrize("size", [0, 1, 3243, 3245, 2_000_000_000, 2**32 - 1, 10**30])
def test_a_file_of_another_size_is_refused_whatever_is_claimed(size: int, tmp_path: Path, make: Any) -> None:
    path = written(tmp_path / "x.wav", encode(make.tone(0.1), "wav"))
    assert refused(item(path, size)) == (Reason.CHANGED if size < 2**32 - 37 else Reason.TOO_LONG)


@pytest.mark.parametrize(("offset", "size"), [(10, 3244), (10**30, 3244), (2**40, 10)])
def test_a_place_beyond_the_end_of_a_tar_is_refused(offset: int, size: int, tmp_path: Path, make: Any) -> None:
    path = written(tmp_path / "x.tar", encode(make.tone(0.1), "wav"))
    assert refused(item(path, size, offset=offset)) == Reason.CHANGED


def test_other_bytes_than_were_promised_are_refused(tmp_path: Path, make: Any) -> None:
    path = written(tmp_path / "x.wav", encode(make.tone(0.1), "wav"))
    told = hashlib.sha256(path.read_bytes()).hexdigest()
    assert isinstance(taken(item(path, sha256=told)), Taken)
    path.write_bytes(encode(make.tone(0.1, 500), "wav"))
    assert refused(item(path, sha256=told)) == Reason.CHANGED


def test_flac_is_decoded_unless_dsprep_has_done_so_already(tmp_path: Path, make: Any) -> None:
    data = make.flac(make.tone(1.0))
    path = written(tmp_path / "x.flac", data[:9000] + bytes(300) + data[9300:])
    told = hashlib.sha256(path.read_bytes()).hexdigest()
    assert refused(item(path, sha256=told)) == Reason.UNREADABLE
    known = taken(item(path, sha256=told, whole=True))
    assert isinstance(known, Taken)
    assert known.frames == 16_000


def test_a_small_file_that_claims_days_of_sound_is_refused(tmp_path: Path, make: Any) -> None:
    data = bytearray(make.flac(make.tone(0.5), 8000))
    data[21:26] = (int.from_bytes(data[21:26]) & 0xF << 36 | 8000 * (LONGEST + 1)).to_bytes(5)
    assert refused(item(written(tmp_path / "x.flac", data))) == Reason.TOO_LONG


def test_neither_a_name_nor_a_promised_length_is_believed(tmp_path: Path, make: Any) -> None:
    found = taken(item(written(tmp_path / "x.wav", make.mp3(make.tone(1.5))), duration=9.0))
    assert isinstance(found, Taken)
    assert found.seconds == 0.5


def test_the_header_alone_tells_what_is_plain(make: Any) -> None:
    pcm = make.tone(0.1)
    data = bytes(encode(pcm, "wav"))
    assert wav_frames(data) == flac_frames(make.flac(pcm)) == 1600
    with wave.open(io.BytesIO(data)) as file:
        assert file.getnframes() == 1600
    for at in range(44):
        assert wav_frames(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]) is None
    assert wav_frames(data + b"x") is wav_frames(data[:-1]) is wav_frames(b"") is wav_frames(data[:43]) is None
    for other in (make.flac(pcm, 8000), soundfile_bytes(pcm, 16_000, "FLAC", "PCM_24"), data, b"", b"fLaC"):
        assert flac_frames(other) is None


def test_a_flac_with_another_md5_than_its_sound_s_is_refused(tmp_path: Path, make: Any) -> None:
    data = bytearray(make.flac(make.tone(0.3)))
    path = tmp_path / "x.flac"
    for place, fits in ((26, False), (None, True)):
        changed = data.copy()
        if place is None:
            changed[26:42] = bytes(16)  # an encoder that streams does not know it
        else:
            changed[place] ^= 1
        path.write_bytes(changed)
        item = Item(Sample(id="x", path=path, size=len(changed), transcript=""), "train")
        with Reader() as reader:
            taken = take(item, "keep", reader)
        assert isinstance(taken, Taken) is fits
        assert fits or (isinstance(taken, Refused) and "MD5" in taken.detail)
