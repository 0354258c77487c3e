"""Foreign shards, made here in other people's layouts: their index is what webdataset reads, or says what is wrong."""

import csv
import gzip
import io
import itertools
import json
import os
import string
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import braceexpand
import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from dsprep.cli import main
from dsprep.manifests import LEFT_OUT, DataError, Sample, UsageError, read_manifest
from dsprep.pipeline.places import Cache
from dsprep.pipeline.reading import audio_bytes
from dsprep.pipeline.samples import read_each
from dsprep.pipeline.shards.foreign import indexed, tars_in
from dsprep.pipeline.shards.foreign_sample import split
from dsprep.pipeline.shards.foreign_tar import scan
from dsprep.pipeline.shards.placement import Sharding
from dsprep.pipeline.shards.sharding import shard
from dsprep.pipeline.sound import ffmpeg
from dsprep.pipeline.sound.audio import decode
from dsprep.pipeline.tabling import read_table

Named = Sequence[tuple[str, bytes]]


def tar(path: Path, members: Named, form: int = tarfile.USTAR_FORMAT) -> Path:
    """A tar of these members, names as often as they are given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w", format=form) as file:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    return path


def sound(form: str = "WAV", seconds: float = 0.1, rate: int = 16_000, channels: int = 1) -> bytes:
    file = io.BytesIO()
    wave = 0.1 * np.random.default_rng(7).standard_normal((round(seconds * rate), channels))
    soundfile.write(file, wave, rate, format=form)
    return file.getvalue()


def index(*tars: Path, folder: Path) -> tuple[list[Sample], list[dict[str, str]], list[str]]:
    """Rows, rejections and notices of tars."""
    notices: list[str] = []
    path = indexed(tars, Cache(folder=folder, on_notice=notices.append))
    with path.with_suffix(".rejected.csv").open(newline="") as file:
        return read_manifest(path), list(csv.DictReader(file)), notices


def by_webdataset(tars: Sequence[Path]) -> list[dict[str, Any]]:
    """Its samples, from files that we close: it does not."""
    from webdataset.tariterators import group_by_keys, tar_file_expander

    with ExitStack() as stack:
        opened = [{"url": str(path), "stream": stack.enter_context(path.open("rb"))} for path in tars]
        return list(group_by_keys(tar_file_expander(opened)))


WAV, FLAC, MP3 = sound(), sound("FLAC"), sound("MP3")


@pytest.mark.parametrize(
    ("extension", "form", "rate", "channels"),
    [
        ("wav", "WAV", 16_000, 1),
        ("WAV", "WAV", 8_000, 2),
        ("flac", "FLAC", 16_000, 1),
        ("flac", "FLAC", 44_100, 2),
        ("mp3", "MP3", 48_000, 1),
        ("ogg", "OGG", 22_050, 1),
        ("aiff", "AIFF", 16_000, 1),
        ("wav", "RF64", 16_000, 1),
    ],
)
def test_any_audio_is_read_where_it_lies_and_as_long_as_it_decodes(
    tmp_path: Path, extension: str, form: str, rate: int, channels: int
) -> None:
    data = sound(form, 0.37, rate, channels)
    (sample,), rejected, notices = index(
        tar(tmp_path / "a.tar", [(f"x.{extension}", data), ("x.txt", b"one two\n")]), folder=tmp_path
    )
    assert audio_bytes(sample) == data
    assert (sample.id, sample.transcript, sample.path) == ("x", "one two", tmp_path / "a.tar")
    assert sample.duration == pytest.approx(len(decode(data)) / 16_000, abs=1 / 16_000)
    assert (rejected, notices) == ([], [])


def test_an_mp3_by_lame_is_as_long_as_it_decodes(tmp_path: Path) -> None:
    try:
        data = subprocess.run(
            ["lame", "--quiet", "-V", "5", "-", "-"], input=sound("WAV", 1.234), capture_output=True, check=True
        ).stdout
    except FileNotFoundError:
        pytest.skip("lame is not installed")
    (sample,), _, _ = index(tar(tmp_path / "a.tar", [("x.mp3", data), ("x.txt", b"a")]), folder=tmp_path)
    assert sample.duration == pytest.approx(len(decode(data)) / 16_000, abs=1 / 16_000)


def test_hugging_faces_layout(tmp_path: Path) -> None:
    facts = {"sentence": "Hello, you.", "spk": 7, "snr": 31.50, "clean": True, "words": ["no"], "none": None}
    (sample,), _, _ = index(
        tar(tmp_path / "a.tar", [("clip_0.mp3", MP3), ("clip_0.json", json.dumps(facts).encode())]), folder=tmp_path
    )
    assert (sample.transcript, sample.speaker) == ("Hello, you.", "7")
    assert dict(sample.extras) == {"snr": "31.5", "clean": "true"}


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_names_with_folders_dots_and_great_length(tmp_path: Path, form: int) -> None:
    long = "a/b.c/" + "long-" * 40 + "é"
    members = [(f"{name}.{end}", data) for name in (long, "./d/e") for end, data in (("Wav", WAV), ("txt", b"t"))]
    samples, _, _ = index(tar(tmp_path / "a.tar", members, form), folder=tmp_path)
    keys = {dict(one.extras)["key"] for one in samples}
    assert keys == {long, "./d/e"} == {one["__key__"] for one in by_webdataset([tmp_path / "a.tar"])}
    assert [audio_bytes(one) for one in samples] == [WAV, WAV]


def test_one_key_in_two_shards_is_two_ids(tmp_path: Path) -> None:
    tars = [tar(tmp_path / f"{number}.tar", [("0.wav", WAV), ("0.txt", b"a")]) for number in range(3)]
    samples, _, _ = index(*tars, folder=tmp_path)
    assert [(one.id, one.path.name) for one in samples] == [("0", "0.tar"), ("0-2", "1.tar"), ("0-3", "2.tar")]


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"txt": b"from txt\r\n", "json": b'{"text": "other"}'}, "from txt"),
        ({"txt": b"\n", "json": b'{"text": "from json"}'}, "from json"),
        ({"json": b'{"normalized_text": "last", "transcription": "first"}'}, "first"),
        ({"json": b'{"text": 5}'}, "5"),
        ({"json": b'{"lang": "en"}', "normalized.txt": b"norm", "original.txt": b"orig"}, "norm"),
        ({"transcript": b"\xef\xbb\xbfwith mark"}, "with mark"),
        ({"txt": b'a "b",\tc\x0bd\x1ce\xc2\x85f\r\ng\n'}, 'a "b",\tc\x0bd\x1ce\x85f\r\ng'),
    ],
)
def test_the_first_text_that_is_not_blank_is_taken_as_it_is(
    tmp_path: Path, members: Mapping[str, bytes], text: str
) -> None:
    named = [("x.flac", FLAC), *((f"x.{end}", data) for end, data in members.items())]
    (sample,), _, _ = index(tar(tmp_path / "a.tar", named), folder=tmp_path)
    assert sample.transcript == text


def test_fields_with_names_of_ours_are_kept_under_others_and_what_is_said_already_is_not(tmp_path: Path) -> None:
    facts = {"text": "a", "id": "other", "key": "k", "offset": 3, "wav_filename": "w", "duration": 9, "speaker_id": "s"}
    (sample,), _, _ = index(
        tar(tmp_path / "a.tar", [("x.wav", WAV), ("x.json", json.dumps(facts).encode())]), folder=tmp_path
    )
    assert sample.speaker == "s"
    assert dict(sample.extras) == {
        "original_id": "other",
        "original_key": "k",
        "original_offset": "3",
        "original_wav_filename": "w",
    }


GOOD = [("good.wav", WAV), ("good.txt", b"a")]


@pytest.mark.parametrize(
    ("members", "reasons"),
    [
        ([("x.txt", b"a")], {"x": "no-audio"}),
        ([("x.wav", WAV)], {"x": "no-text"}),
        ([("x.wav", WAV), ("x.txt", b" \n")], {"x": "empty-text"}),
        ([("x.wav", WAV), ("x.txt", b"\xff")], {"x": "bad-row"}),
        ([("x.wav", WAV), ("x.txt", b"a\0b")], {"x": "bad-row"}),
        ([("x.wav", WAV), ("x.txt", b"a" * (1 << 25))], {"x": "bad-row"}),
        ([("x.wav", WAV), ("x.json", b"{")], {"x": "bad-row"}),
        ([("x.wav", WAV), ("x.json", b"[" * 100_000)], {"x": "bad-row"}),
        ([("x.wav", WAV), ("x.json", b'["text"]')], {"x": "bad-row"}),
        ([("x.wav", WAV), ("x.json", b'{"text": "\\ud800"}')], {"x": "bad-row"}),
        ([("x.wav", WAV), ("x.txt", b"a"), ("x.json", b'{"\\ud800": 1}')], {"x": "bad-row"}),
        ([("x.wav", WAV), ("x.flac", FLAC), ("x.txt", b"a")], {"x": "bad-row"}),
        ([("x.1.wav", WAV), ("x.1.txt", b"a"), ("x.2.wav", WAV), ("x.2.txt", b"b")], {"x": "bad-row"}),
        ([("x.wav", WAV), ("x.wav", WAV), ("x.txt", b"a")], {"x": "bad-row"}),
        ([("x.wav", b""), ("x.txt", b"a")], {"x": "unreadable"}),
        ([("x.wav", b"noise" * 99), ("x.txt", b"a")], {"x": "unreadable"}),
        ([("x.wav", WAV[:-99]), ("x.txt", b"a")], {"x": "truncated"}),
        ([("x.flac", FLAC[:42]), ("x.txt", b"a")], {"x": "truncated"}),
        ([("x.wav", sound(seconds=0)), ("x.txt", b"a")], {"x": "too-short"}),
        (
            [("x.wav", WAV), ("y.wav", WAV), ("x.txt", b"a"), ("y.txt", b"b")],
            {"x": "duplicate-id", "y": "duplicate-id"},
        ),
    ],
)
def test_what_cannot_be_used_is_listed_counted_and_costs_nothing_else(
    tmp_path: Path, members: Named, reasons: dict[str, str]
) -> None:
    samples, rejected, notices = index(tar(tmp_path / "a.tar", [*members, *GOOD]), folder=tmp_path)
    assert [one.id for one in samples] == ["good"]
    assert {one["id"]: one["reason"] for one in rejected} == reasons
    assert all(one["part"] == "a.tar" and one["detail"] for one in rejected)
    assert f"{len(rejected)} of {len(rejected) + 1} samples cannot be used" in notices[0]


def test_a_name_with_more_dots_is_one_sample_where_its_key_is_alone(tmp_path: Path) -> None:
    members = [("talk.12.5.wav", WAV), ("talk.12.5.txt", b"right"), ("talk.txt", b"wrong")]
    (sample,), _, _ = index(tar(tmp_path / "a.tar", members), folder=tmp_path)
    assert (sample.id, sample.transcript) == ("talk", "right")


def test_links_are_told_and_files_of_no_sample_are_counted(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as file:
        for name, kind in (("x.wav", tarfile.SYMTYPE), ("x.txt", tarfile.REGTYPE), ("dir", tarfile.DIRTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            file.addfile(info)
        for name, data in (("README", b""), ("__meta__/x.json", b"{}"), ("._good.wav", b"mac"), *GOOD):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    samples, rejected, notices = index(tmp_path / "a.tar", folder=tmp_path)
    assert [one.id for one in samples] == ["good"]
    assert [(one["id"], one["reason"]) for one in rejected] == [("x", "bad-row")]
    assert notices[0].endswith("3 files belong to no sample")


def test_a_sparse_member_is_told(tmp_path: Path) -> None:
    with (tmp_path / "x.wav").open("wb") as file:
        file.write(sound(seconds=1))
        file.truncate(1 << 20)
    (tmp_path / "x.txt").write_text("a")
    done = subprocess.run(["tar", "--sparse", "-cf", "a.tar", "x.wav", "x.txt"], cwd=tmp_path, check=False)
    if done.returncode:
        pytest.skip("this tar writes no sparse members")
    with pytest.raises(DataError, match="sparse"):
        index(tmp_path / "a.tar", folder=tmp_path)


def test_when_nothing_can_be_used_it_says_why(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none of 1 samples can be used, first x: no-text"):
        index(tar(tmp_path / "a.tar", [("x.wav", WAV)]), folder=tmp_path)
    with pytest.raises(DataError, match="no samples in 1 tars"):
        index(tar(tmp_path / "b.tar", []), folder=tmp_path)


def small(path: Path) -> bytes:
    """The bytes of a tar of three samples with short and long names."""
    ends = (("wav", sound(seconds=0.01)), ("txt", b"a"), ("json", b'{"lang": "en"}'))
    members = [(f"{name}.{end}", data) for name in ("x", "y" * 120, "z") for end, data in ends]
    return tar(path, members, tarfile.PAX_FORMAT).read_bytes()


def test_a_tar_cut_off_anywhere_is_an_error_or_has_all_its_samples(tmp_path: Path) -> None:
    whole = small(tmp_path / "whole.tar")
    kept = len(scan(tmp_path / "whole.tar").rows)
    told = whole_ones = 0
    sizes = {*range(0, len(whole), 512), *range(1, len(whole), 509)}
    for size in sizes:
        (tmp_path / "cut.tar").write_bytes(whole[:size])
        try:
            found = scan(tmp_path / "cut.tar")
        except DataError as error:
            told += "cut.tar is damaged at byte " in str(error)
        else:
            whole_ones += 1
            assert (len(found.rows), found.left) == (kept, ())
    assert kept == 3
    assert told + whole_ones == len(sizes)
    assert told > len(whole.rstrip(b"\0")) // 512


def test_a_header_that_is_damaged_is_an_error_that_names_its_byte(tmp_path: Path) -> None:
    whole = small(tmp_path / "whole.tar")
    with tarfile.open(tmp_path / "whole.tar") as file:
        places = [member.offset for member in file]
    for place in places:
        (tmp_path / "bad.tar").write_bytes(whole[: place + 10] + b"\xff" + whole[place + 11 :])
        with pytest.raises(DataError, match=f"bad.tar is damaged at byte {place}: "):
            scan(tmp_path / "bad.tar")


def test_what_is_no_tar_or_more_than_one_is_told(tmp_path: Path) -> None:
    whole = small(tmp_path / "whole.tar")
    for content, what in (
        (b"", "damaged at byte 0"),
        (b"no tar" * 999, "damaged at byte 0"),
        (whole + whole, f"more follows at byte {len(whole)}"),
        (gzip.compress(whole), "compressed by gzip.* or train with --stream"),
        (b"BZh91AY" + whole, "compressed by bzip2"),
    ):
        (tmp_path / "bad.tar").write_bytes(content)
        with pytest.raises(DataError, match=f"bad.tar.*{what}"):
            scan(tmp_path / "bad.tar")
    with pytest.raises(DataError, match="cannot read"):
        scan(tmp_path / "gone.tar")


def test_the_second_use_reads_the_index_alone_and_a_changed_tar_is_indexed_anew(tmp_path: Path) -> None:
    path, cache = tar(tmp_path / "a.tar", GOOD), Cache(folder=tmp_path / "cache")
    first = indexed([path], cache)
    times = path.stat()
    path.write_bytes(bytes(times.st_size))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert indexed([path], cache) == first
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns + 1))
    with pytest.raises(DataError, match="no samples"):
        indexed([path], cache)
    tar(path, [*GOOD, ("y.wav", WAV), ("y.txt", b"b")])
    assert len(read_manifest(indexed([path], cache))) == 2


def test_a_tar_that_changes_meanwhile_is_told(tmp_path: Path) -> None:
    path = tar(tmp_path / "a.tar", GOOD)

    def change(stage: str, done: int, total: int, unit: str) -> None:
        os.utime(path)

    with pytest.raises(DataError, match="changed while they were read"):
        indexed([path], Cache(folder=tmp_path / "cache", progress=change))


def test_what_waits_for_ffmpeg_is_indexed_once_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not ffmpeg.installed():
        pytest.skip("ffmpeg is not installed")
    (tmp_path / "x.wav").write_bytes(WAV)
    subprocess.run(["ffmpeg", "-v", "error", "-i", "x.wav", "x.m4a"], cwd=tmp_path, check=True)
    path = tar(tmp_path / "a.tar", [("x.m4a", (tmp_path / "x.m4a").read_bytes()), ("x.txt", b"a"), *GOOD])
    with monkeypatch.context() as bare:
        bare.setenv("PATH", "")
        _, rejected, _ = index(path, folder=tmp_path)
        assert [one["reason"] for one in rejected] == ["no-decoder"]
    samples, rejected, _ = index(path, folder=tmp_path)
    assert ([one.id for one in samples], rejected) == (["good", "x"], [])
    assert samples[1].duration == pytest.approx(len(decode(audio_bytes(samples[1]))) / 16_000, abs=1 / 16_000)


def test_a_damaged_index_is_made_again(tmp_path: Path) -> None:
    path, cache = tar(tmp_path / "a.tar", GOOD), Cache(folder=tmp_path / "cache")
    first = indexed([path], cache)
    whole = first.read_bytes()
    first.write_bytes(whole[:-9])
    assert indexed([path], cache).read_bytes() == whole


def test_any_number_of_workers_makes_the_same_index(tmp_path: Path) -> None:
    tars = [
        tar(tmp_path / f"{number}.tar", [(f"{number}.{end}", data) for end, data in (("wav", WAV), ("txt", b"a"))])
        for number in range(5)
    ]
    one = indexed(tars, Cache(folder=tmp_path / "1", workers=1))
    three = indexed(tars, Cache(folder=tmp_path / "3", workers=3))
    assert one.read_bytes() == three.read_bytes()


def test_what_places_mean(tmp_path: Path) -> None:
    for name in ("set/b.tar", "set/a.tar", "set/notes.txt", "far/1/x.tar", "far/0/y.tar.gz", "s{1}.tar"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).touch()

    def names(place: str) -> list[str] | None:
        found = tars_in(tmp_path / place)
        return None if found is None else [path.relative_to(tmp_path).as_posix() for path in found]

    assert names("set") == ["set/a.tar", "set/b.tar"]
    assert names("far") == ["far/0/y.tar.gz", "far/1/x.tar"]
    assert names("set/a.tar") == ["set/a.tar"]
    assert names("s{1}.tar") == ["s{1}.tar"], "a file that is called so"
    assert names("set/{a,b}.tar") == ["set/a.tar", "set/b.tar"]
    assert names("set/notes.txt") is None
    assert names("none") is None
    (tmp_path / "far" / "import.json").touch()
    assert names("far") is None, "the archives of an import are no shards"
    (tmp_path / "set" / ".begun.json").touch()
    with pytest.raises(DataError, match="is not finished"):
        names("set")
    with pytest.raises(DataError, match="more than 1000000"):
        names("{0..9999999999}.tar")
    with pytest.raises(DataError, match=r"there is no shard .*gone-1.tar"):
        index(*tars_in(tmp_path / "gone-{1..2}.tar") or (), folder=tmp_path)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["{000..012}", "{9..11}", "{3..1}", "{a,b}", "{08..10}", "x", "-"]), max_size=3))
def test_patterns_stand_for_what_webdataset_has_them_stand_for(pieces: list[str]) -> None:
    pattern = "/nowhere/" + "".join(pieces) + ".tar"
    assert tars_in(Path(pattern)) == [Path(name) for name in braceexpand.braceexpand(pattern)]


NAMES = st.text(string.ascii_letters + string.digits + "_- é", min_size=1, max_size=120).map(str.strip).filter(bool)
SAMPLES = st.lists(
    st.tuples(
        st.lists(NAMES, max_size=2).map("".join),
        st.sampled_from([("wav", WAV), ("flac", FLAC), ("FLAC", FLAC), ("mp3", MP3)]),
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1).filter(
            lambda text: bool(text.strip()) and text == text.strip("\r\n\ufeff")
        ),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(SAMPLES, st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]))
def test_what_is_well_formed_is_read_as_webdataset_reads_it(
    tmp_path_factory: pytest.TempPathFactory, samples: list[Any], form: int
) -> None:
    folder = tmp_path_factory.mktemp("tars")
    members: list[tuple[str, bytes]] = []
    for number, (folders, (extension, audio), text, as_json) in enumerate(samples):
        key = f"{folders}/{number}" if folders else str(number)
        told = ("json", json.dumps({"text": text}).encode()) if as_json else ("txt", text.encode())
        members += [(f"{key}.{extension}", audio), (f"{key}.{told[0]}", told[1])]
    tars = [tar(folder / "0.tar", members, form)]
    rows, rejected, _ = index(*tars, folder=folder)
    read = {
        (
            one["__key__"],
            one["txt"].decode() if "txt" in one else json.loads(one["json"])["text"],
            next(one[end] for end in ("wav", "flac", "mp3") if end in one),
        )
        for one in by_webdataset(tars)
    }
    assert rejected == []
    assert {(dict(one.extras).get("key") or one.id, one.transcript, audio_bytes(one)) for one in rows} == read
    assert len(rows) == len(samples)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["wav", "txt", "json", "flac", "cls"])),
        min_size=1,
        max_size=12,
    )
)
def test_every_sample_that_webdataset_sees_is_a_row_or_a_rejection(
    tmp_path_factory: pytest.TempPathFactory, named: list[tuple[str, str]]
) -> None:
    content = {"wav": WAV, "flac": FLAC, "txt": b"a", "json": b"{}", "cls": b"0"}
    path = tar(tmp_path_factory.mktemp("tars") / "a.tar", [(f"{key}.{end}", content[end]) for key, end in named])
    found = scan(path)
    changes = sum(one[0] != other[0] for one, other in itertools.pairwise(named))
    assert len(found.rows) + len(found.left) == 1 + changes
    assert found.strays == 0


@given(st.lists(st.text("ab._/é", max_size=6), max_size=3).map("/".join))
def test_keys_are_those_of_webdataset_but_for_hidden_files(name: str) -> None:
    from webdataset.tariterators import base_plus_ext

    key, extension = base_plus_ext(name)
    last = name.rpartition("/")[2]
    if key is None or last.startswith("."):
        assert split(name) is None
    elif not name.startswith("__"):
        assert split(name) == (key, str(extension).lower())


def test_shards_of_foreign_tars_are_mended_from_them(tmp_path: Path) -> None:
    path, out = tar(tmp_path / "a.tar", GOOD), tmp_path / "out"
    cache = ["--cache", str(tmp_path / "cache")]
    assert CliRunner().invoke(main, ["shard", str(path), str(out), *cache]).exit_code == 0
    whole = (out / "000000.tar").read_bytes()
    (out / "000000.tar").write_bytes(whole[:-512])
    shown = CliRunner().invoke(main, ["verify", str(out), "--repair", str(path), *cache])
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert (out / "000000.tar").read_bytes() == whole


def test_foreign_shards_go_through_every_door(tmp_path: Path, digits: Path) -> None:
    shard([digits / "dev-clean.csv"], tmp_path / "ours", Sharding(shard_bytes=50_000, seed=3), 1)
    ours = read_table([tmp_path / "ours"])
    (tmp_path / "ours" / "manifest.csv").unlink()
    (tmp_path / "ours" / "shards.json").unlink()
    cache = Cache(folder=tmp_path / "cache")
    theirs = read_table([tmp_path / "ours"], cache)
    assert [(one.id, one.transcript, one.duration, one.speaker, one.path, one.offset) for one in theirs] == [
        (one.id, one.transcript, one.duration, one.speaker, one.path, one.offset) for one in ours
    ]
    assert [one.name for one in read_each([tmp_path / "ours"], cache)] == ["ours"]
    shard([tmp_path / "ours"], tmp_path / "again", Sharding(shard_bytes=50_000, seed=3), 1, cache=cache)
    assert {path.name: path.read_bytes() for path in (tmp_path / "again").glob("*.tar")} == {
        path.name: path.read_bytes() for path in (tmp_path / "ours").glob("*.tar")
    }
    with pytest.raises(UsageError, match="needs a cache folder"):
        read_table([tmp_path / "ours"])


def test_the_list_of_rejections_is_no_manifest(tmp_path: Path) -> None:
    path = indexed([tar(tmp_path / "a.tar", [("x.wav", WAV), *GOOD])], Cache(folder=tmp_path))
    rejected = path.with_suffix(".rejected.csv")
    assert rejected.read_text().splitlines()[0] == ",".join(LEFT_OUT)
    with pytest.raises(DataError, match="lists the rows that an import left out"):
        read_manifest(rejected)


def test_commands_that_take_data_take_foreign_shards_and_keep_the_index_where_caches_are(tmp_path: Path) -> None:
    tar(tmp_path / "theirs" / "0.tar", [("x.wav", WAV), *GOOD])
    out = str(tmp_path / "theirs")

    def run(*arguments: str, **environment: str) -> str:
        done = CliRunner(env={"XDG_CACHE_HOME": str(tmp_path / "xdg"), **environment}).invoke(main, arguments)
        assert done.exit_code == 0, done.output
        return done.output

    shown = run("stats", out)
    assert "1 of 2 samples cannot be used (1 no-text)" in shown
    assert "theirs" in shown
    assert len(list((tmp_path / "xdg" / "dsprep" / "index").glob("*.rejected.csv"))) == 1
    run("check", out, "--quick", "--cache", str(tmp_path / "named"))
    assert len(list((tmp_path / "named" / "index").glob("*.rejected.csv"))) == 1
    run("shard", f"{out}/{{0..0}}.tar", str(tmp_path / "ours"), XDG_CACHE_HOME="relative", HOME=str(tmp_path / "home"))
    assert len(list((tmp_path / "home" / ".cache" / "dsprep" / "index").glob("*.rejected.csv"))) == 1
    assert [one.id for one in read_table([tmp_path / "ours"])] == ["good"]


def test_an_index_that_was_damaged_is_made_again(tmp_path: Path, digits: Path) -> None:
    shard([digits / "dev-clean.csv"], tmp_path / "ours", Sharding(shard_bytes=50_000, seed=3), 1)
    (tmp_path / "ours" / "manifest.csv").unlink()
    cache = Cache(folder=tmp_path / "cache")
    first = list(read_table([tmp_path / "ours"], cache))
    (index,) = (path for path in (tmp_path / "cache" / "index").glob("*.csv") if "rejected" not in path.name)
    index.write_text(index.read_text().replace("one", "ten"))
    assert list(read_table([tmp_path / "ours"], cache)) == first


def test_tars_beside_folders_of_tars_are_all_taken(tmp_path: Path, digits: Path) -> None:
    for name, part in (("theirs", "dev-clean"), ("theirs/more", "test-clean")):
        shard([digits / f"{part}.csv"], tmp_path / part, Sharding(), 1)
        (tmp_path / name).mkdir()
        (tmp_path / part / "000000.tar").rename(tmp_path / name / f"{part}.tar")
    assert [one.name for one in tars_in(tmp_path / "theirs") or []] == ["dev-clean.tar", "test-clean.tar"]
