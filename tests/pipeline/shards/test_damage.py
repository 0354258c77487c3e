"""Damage in a shard is told by sample and byte."""

import hashlib
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dsprep.manifests import Sample
from dsprep.pipeline.reading import open_file
from dsprep.pipeline.shards.damage import SHOWN, Contents, Fault, Scan, first, locate, scan
from dsprep.pipeline.shards.tar import BLOCK, END, after, before
from dsprep.pipeline.sound.audio import encode


@pytest.fixture(scope="module")
def shard(make: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Contents]:
    """A tar of four samples, WAV and FLAC in turn, and what must be in it."""
    path, data, samples = tmp_path_factory.mktemp("damage") / "000000.tar", b"", []
    for number in range(4):
        form = ("wav", "flac")[number % 2]
        audio = bytes(encode(make.tone((number + 1) / 10, 300 + number), form))
        sample = Sample(
            id=f"x-{number}", path=path, size=len(audio), transcript=f"text {number}", offset=len(data) + BLOCK,
            duration=(number + 1) / 10, sha256=hashlib.sha256(audio).hexdigest(),
        )  # fmt: skip
        data += before(sample, form, len(audio)) + audio + after(sample, len(audio))
        samples.append(sample)
    path.write_bytes(data + END)
    return path, Contents(tuple(samples), len(data + END))


def wrong(path: Path, contents: Contents, data: bytes | bytearray) -> list[Fault]:
    path.write_bytes(data)
    with closing(open_file(path)) as file:
        return locate(file, len(data), contents)


def scanned(path: Path, contents: Contents) -> Scan:
    with closing(open_file(path)) as file:
        return scan(file, path.stat().st_size, contents)


def test_a_whole_shard_has_its_digest_and_no_fault(shard: tuple[Path, Contents]) -> None:
    path, contents = shard
    assert scanned(path, contents) == Scan(hashlib.sha256(path.read_bytes()).hexdigest(), [], [])


def test_one_changed_bit_anywhere_is_told_with_its_sample_and_its_byte(
    shard: tuple[Path, Contents], tmp_path: Path
) -> None:
    """Of audio only the sample, for of its bytes nothing is known but the sha256; WAV's header is known."""
    path, contents = shard
    whole = path.read_bytes()
    ends = [end for _, _, end in contents.places()]
    for at in range(7, len(whole), 61):
        broken = bytearray(whole)
        broken[at] ^= 1 << (at % 8)
        (fault,) = wrong(tmp_path / "x.tar", contents, broken)
        number = sum(end <= at for end in ends)
        sample = contents.samples[number] if number < 4 else None
        assert fault.key == (sample.id if sample else "")
        if sample and sample.offset and sample.offset <= at < sample.offset + sample.size:
            in_header = number % 2 == 0 and at < sample.offset + 44
            assert fault.byte == (at if in_header else sample.offset)
            assert fault.what.startswith(f"audio to byte {sample.offset + sample.size - 1} (")
        else:
            assert fault.byte == at


def test_each_member_is_named(shard: tuple[Path, Contents], tmp_path: Path) -> None:
    path, contents = shard
    whole = path.read_bytes()
    one = contents.samples[1]
    begin = (one.offset or 0) + one.size
    padded = begin + -begin % BLOCK
    expected = {
        (one.offset or 0) - 400: "header of x-1.flac",
        begin: "the zeros after its audio",
        padded + 1: "header of x-1.txt",
        padded + BLOCK: "x-1.txt",
        padded + BLOCK + 10: "the zeros after x-1.txt",
        padded + 3 * BLOCK - 1: "header of x-1.json",
        padded + 3 * BLOCK: "x-1.json",
        padded + 4 * BLOCK - 1: "the zeros after x-1.json",
        len(whole) - 1: "the zeros at its end",
    }
    for at, what in expected.items():
        broken = bytearray(whole)
        broken[at] ^= 1
        assert [(fault.byte, fault.what) for fault in wrong(tmp_path / "x.tar", contents, broken)] == [(at, what)]


def test_a_shard_cut_off_anywhere_tells_what_is_missing(shard: tuple[Path, Contents], tmp_path: Path) -> None:
    path, contents = shard
    whole = path.read_bytes()
    ends = [end for _, _, end in contents.places()]
    for size in range(0, len(whole), 333):
        (fault,) = wrong(tmp_path / "x.tar", contents, whole[:size])
        lost = sum(end > size for end in ends)
        if lost:
            assert fault.key == contents.samples[4 - lost].id
            assert fault.what == f"cut off: {len(whole) - size} bytes are missing, {lost} samples are not whole"
        else:
            assert fault.what == f"cut off: {len(whole) - size} of the zeros at its end are missing"
        assert fault.byte == size


def test_bytes_after_the_end_are_told(shard: tuple[Path, Contents], tmp_path: Path) -> None:
    path, contents = shard
    (fault,) = wrong(tmp_path / "x.tar", contents, path.read_bytes() + b"more")
    assert fault == Fault(contents.size, "4 bytes after its end")


def test_other_audio_that_decodes_is_told_to_decode(shard: tuple[Path, Contents], tmp_path: Path) -> None:
    path, contents = shard
    broken = bytearray(path.read_bytes())
    wav, flac = contents.samples[:2]
    broken[(wav.offset or 0) + 100] ^= 1
    broken[(flac.offset or 0) + flac.size // 2] ^= 1
    one, other = wrong(tmp_path / "x.tar", contents, broken)
    assert one.what.endswith(" (still decodes)")
    assert " (does not decode: " in other.what


def test_the_record_alone_tells_where_audio_is_damaged(shard: tuple[Path, Contents], tmp_path: Path) -> None:
    path, contents = shard
    bare = Contents(tuple(replace(one, transcript="") for one in contents.samples), contents.size, texts=False)
    whole = path.read_bytes()
    assert scanned(path, bare) == scanned(path, contents)
    for at, key in (((bare.samples[2].offset or 0) + 99, "x-2"), ((bare.samples[3].offset or 0) - 1, "x-3")):
        broken = bytearray(whole)
        broken[at] ^= 1
        assert [fault.key for fault in wrong(tmp_path / "x.tar", bare, broken)] == [key]
    (fault,) = wrong(tmp_path / "x.tar", bare, whole.replace(b"text 1", b"text 2", 1))
    assert fault == Fault(0, "a text or the header of one: which, only manifest.csv could tell")


def test_a_sample_that_is_not_where_or_what_it_is_told_to_be_is_told(shard: tuple[Path, Contents]) -> None:
    path, contents = shard

    def told(number: int, **other: Any) -> list[Fault]:
        samples = list(contents.samples)
        samples[number] = replace(samples[number], **other)
        return scanned(path, Contents(tuple(samples), contents.size)).apart

    two = contents.samples[2]
    (place,) = told(2, transcript="last 2")
    assert (place.key, place.what) == ("x-2", "x-2.txt")
    (place,) = told(2, duration=0.5)
    assert (place.key, place.what) == ("x-2", "x-2.json")
    (place,) = told(2, offset=2**70)
    assert (place.key, place.what) == ("x-2", f"told to begin at byte {2**70 - BLOCK}")
    (place,) = told(3, size=2**70)
    assert place.key == "x-3"
    (place,) = told(2, size=two.size - 1)
    assert (place.key, place.what) == ("x-2", "header of x-2.wav")


def test_audio_that_does_not_decode_or_not_to_its_length_is_told(shard: tuple[Path, Contents], tmp_path: Path) -> None:
    """Of a tar that is as it was written: whoever wrote it may have been wrong."""
    path, contents = shard
    flac = contents.samples[1]
    longer = (contents.samples[0], replace(flac, duration=9.0), *contents.samples[2:])
    (fault,) = scanned(path, Contents(longer, contents.size, texts=False)).unsound
    assert fault == Fault(flac.offset or 0, "audio lasts 0.2 s, 9.0 s are told", "x-1")
    broken = bytearray(path.read_bytes())
    broken[(flac.offset or 0) + flac.size // 2] ^= 1
    (tmp_path / "x.tar").write_bytes(broken)
    (fault,) = scanned(tmp_path / "x.tar", contents).unsound
    assert (fault.byte, fault.key) == (flac.offset, "x-1")
    assert fault.what.startswith("audio does not decode: ")


def test_a_place_that_no_tar_has_is_told_and_read_by_nobody(shard: tuple[Path, Contents]) -> None:
    path, contents = shard
    one, *rest = contents.samples
    places = ((0, one.size), (2**70, one.size), (one.offset, 2**70), (one.offset, 0))
    for offset, size in places:
        samples = (replace(one, offset=offset, size=size), *rest)
        for texts in (True, False):
            with closing(open_file(path)) as file:
                assert locate(file, contents.size, Contents(samples, contents.size, texts=texts))


def test_of_many_faults_the_first_are_told_and_the_others_counted() -> None:
    faults = [Fault(at, "header") for at in range(SHOWN + 5)]
    assert first(faults[:SHOWN]) == faults[:SHOWN]
    assert first(faults) == [*faults[:SHOWN], Fault(SHOWN, "... and 5 more faults")]
