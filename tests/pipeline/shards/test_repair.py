"""Whatever becomes of a folder of shards is found by reading it, and mended to the same bytes from its sources."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from dsprep.cli import main
from dsprep.manifests import DataError, Sample, UsageError, manifest_bytes, read_manifest
from dsprep.pipeline.commit import read_record, seal, unseal
from dsprep.pipeline.outdir import SHARDED, file_facts
from dsprep.pipeline.places import MANIFEST
from dsprep.pipeline.shards.placement import Sharding
from dsprep.pipeline.shards.repair import repair
from dsprep.pipeline.shards.sharding import shard
from dsprep.pipeline.sound.audio import decode, encode
from dsprep.pipeline.verify import verify

SMALL = Sharding(shard_bytes=30_000)


@dataclass(frozen=True)
class Case:
    """Shards, what they were made of, and what they were when they were made."""

    out: Path
    source: Path
    whole: dict[str, bytes]

    @property
    def tars(self) -> list[str]:
        return [name for name in self.whole if name.endswith(".tar")]

    def write(self, name: str, data: bytes | bytearray) -> None:
        (self.out / name).unlink(missing_ok=True)
        (self.out / name).write_bytes(data)

    def found(self) -> set[str]:
        """Names of files in which something is found, by reading all."""
        return {finding.path.name for finding in verify(self.out, deep=True).findings}

    def mend(self, *names: str) -> None:
        """These files, and no others, are made again, to the same bytes; a tar and its record go together."""
        before = {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in self.out.iterdir()}
        done = repair(self.out, [self.source])
        assert done.verdict.findings == ()
        touched = {name.removesuffix(".json") for name in names}
        assert {path.name.removesuffix(".json") for path in done.mended} == touched
        assert {path.name: path.read_bytes() for path in self.out.iterdir()} == self.whole
        for path, place in before.items():
            if path.name.removesuffix(".json") not in touched:
                assert (path.stat().st_ino, path.stat().st_mtime_ns) == place

    def check(self, *names: str) -> None:
        """Damage to these files is found in them alone, and mended."""
        assert self.found() == set(names)
        self.mend(*names)


def speech(root: Path, make: Any, count: int = 8) -> Path:
    """A manifest of short WAV and FLAC files in turn."""
    root.mkdir()
    samples = []
    for number in range(count):
        form = ("wav", "flac")[number % 2]
        path = root / f"x-{number}.{form}"
        size = path.write_bytes(bytes(encode(make.tone(0.1 + number % 3 / 10, 300 + 50 * number), form)))
        samples.append(
            Sample(id=f"x-{number}", path=path, size=size, transcript=f"text {number}", speaker=f"s{number}")
        )
    gone = Sample(id="x-gone", path=root / "gone.wav", size=9, transcript="never there")
    (root / "train.csv").write_bytes(manifest_bytes([*samples, gone], root))
    return root / "train.csv"


def renamed(manifest: Path) -> Path:
    """The same speech under other ids."""
    other = manifest.with_name("dev.csv")
    other.write_text(manifest.read_text().replace(",x-", ",y-"))
    return other


@pytest.fixture(scope="module")
def pristine(make: Any, tmp_path_factory: pytest.TempPathFactory) -> Case:
    root = tmp_path_factory.mktemp("repair")
    source, out = speech(root / "in", make), root / "out"
    shard([source], out, SMALL, 0)
    return Case(out, source, make.tree(out))


@pytest.fixture
def case(pristine: Case, tmp_path: Path) -> Case:
    """A copy to be damaged."""
    shutil.copytree(pristine.out, tmp_path / "out")
    return Case(tmp_path / "out", pristine.source, pristine.whole)


def test_the_shards_are_several_and_one_row_is_left_out(pristine: Case) -> None:
    assert len(pristine.tars) > 2
    assert b"x-gone,no-audio" in pristine.whole["rejected.csv"]
    assert {read_record(pristine.out / name) is not None for name in pristine.tars} == {True}


def test_every_tar_cut_off_at_any_block_is_found_and_mended(case: Case) -> None:
    for name in case.tars:
        for size in range(0, len(case.whole[name]), 512):
            case.write(name, case.whole[name][:size])
            case.check(name)


@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.long)])
def test_any_bit_that_flips_in_any_file_is_found_and_mended(case: Case, count: int) -> None:
    chance = random.Random(count)
    names, sizes = list(case.whole), [len(data) for data in case.whole.values()]
    for name in chance.choices(names, sizes, k=count):
        broken = bytearray(case.whole[name])
        broken[chance.randrange(len(broken))] ^= 1 << chance.randrange(8)
        case.write(name, broken)
        case.check(name)


def test_any_file_that_is_gone_is_found_and_mended(case: Case) -> None:
    for name in case.whole:
        (case.out / name).unlink()
        case.check(name)


def test_bytes_after_the_end_of_any_file_are_found_and_mended(case: Case) -> None:
    for name, data in case.whole.items():
        case.write(name, data + bytes(512))
        case.check(name)


def test_swapped_shards_are_told_by_their_names_and_mended(case: Case) -> None:
    one, two = case.tars[:2]
    case.write(one, case.whole[two])
    case.write(two, case.whole[one])
    findings = verify(case.out, deep=True).findings
    assert [finding.what for finding in findings] == [
        f"it is {two} under another name",
        f"it is {one} under another name",
    ]
    case.write(f"{one}.json", case.whole[f"{two}.json"])
    case.write(f"{two}.json", case.whole[f"{one}.json"])
    case.check(one, two, f"{one}.json", f"{two}.json")


def test_a_shard_of_other_content_and_the_same_size_is_found_and_mended(case: Case) -> None:
    case.write(case.tars[0], random.Random(0).randbytes(len(case.whole[case.tars[0]])))
    case.check(case.tars[0])


def test_flac_that_decodes_to_other_sound_is_told_and_mended(case: Case) -> None:
    sample = next(one for one in read_manifest(case.out / MANIFEST) if one.id == "x-1")
    broken, begin = bytearray(sample.path.read_bytes()), sample.offset or 0
    sound = decode(bytes(broken[begin : begin + sample.size]))
    others = (bytes(encode(np.roll(sound, by), "flac")) for by in range(1, len(sound)))
    broken[begin : begin + sample.size] = next(one for one in others if len(one) == sample.size)
    sample.path.write_bytes(broken)
    (finding,) = verify(case.out, deep=True).findings
    assert (finding.path, finding.key, finding.byte) == (sample.path, "x-1", begin)
    assert finding.what == f"audio to byte {begin + sample.size - 1} (still decodes)"
    case.check(sample.path.name)


def test_a_changed_row_of_the_manifest_is_found_though_every_digest_is_right(case: Case) -> None:
    rows = read_manifest(case.out / MANIFEST)
    for change, count in (
        ({"transcript": "other"}, 1),
        ({"speaker": "s9"}, 1),
        ({"duration": 9.0}, 1),
        ({"offset": 9}, 1),
        ({"size": 9}, 1),
        ({"sha256": "0" * 64}, 1),
        ({"path": case.out / case.tars[0], "offset": None}, 2),  # a row that is of no shard, and one that is missing
        ({"id": "x-00"}, 2),
    ):
        case.write(MANIFEST, manifest_bytes([replace(rows[0], **change), *rows[1:]], case.out))
        index = unseal(case.whole[SHARDED], case.out)
        index["files"][0] = file_facts(case.out, MANIFEST)
        case.write(SHARDED, seal(index, indent=1))
        assert verify(case.out, deep=False).findings == ()
        findings = verify(case.out, deep=True).findings
        assert [finding.path.name for finding in findings] == [MANIFEST] * count
        case.mend(MANIFEST, SHARDED)


def test_an_index_that_tells_another_digest_is_found_though_it_has_its_seal(case: Case) -> None:
    index = unseal(case.whole[SHARDED], case.out)
    index["shards"][0]["sha256"] = "0" * 64
    case.write(SHARDED, seal(index, indent=1))
    record = case.out / f"{case.tars[0]}.json"
    record.unlink()
    assert case.found() == {case.tars[0], record.name}
    record.write_bytes(case.whole[record.name])
    case.check(SHARDED)


def test_what_vouches_for_all_may_be_damaged_with_what_it_vouches_for(case: Case) -> None:
    """The records tell how the shards were made when shards.json does not, and which manifests they were made of."""
    one, two, *_ = case.tars
    lost = (SHARDED, MANIFEST, one, f"{one}.json", two, "rejected.csv")
    for name in lost:
        case.write(name, case.whole[name][:-1])
    # Without shards.json, nobody knows of rejected.csv what it was, and shard one only by its record.
    assert case.found() == {SHARDED, MANIFEST, f"{one}.json", one, two}
    case.mend(*lost)
    for name in lost[:4]:
        (case.out / name).unlink()
    assert case.found() == {SHARDED, MANIFEST}
    case.mend(*lost[:4])


def test_damage_is_told_by_what_is_left(case: Case) -> None:
    """Shards by the manifest without records, and by records without the manifest."""
    name = case.tars[0]
    sample = next(one for one in read_manifest(case.out / MANIFEST) if one.path.name == name)
    broken = bytearray(case.whole[name])
    broken[(sample.offset or 0) + sample.size // 2] ^= 1
    case.write(name, broken)
    for others in ((SHARDED,), (SHARDED, f"{name}.json"), (SHARDED, MANIFEST), (MANIFEST,), (f"{name}.json",)):
        for other in others:
            (case.out / other).unlink()
        found = {(finding.path.name, finding.key) for finding in verify(case.out, deep=True).findings}
        assert found == {(name, sample.id), *((other, "") for other in others)}
        for other in others:
            case.write(other, case.whole[other])


def test_where_nothing_is_whole_the_command_to_type_is_told(case: Case) -> None:
    for name in case.whole:
        if name.endswith(".json"):
            case.write(name, b"{}")
    with pytest.raises(DataError, match="type dsprep shard with the same options once more"):
        repair(case.out, [case.source])


def test_other_manifests_are_refused_and_nothing_is_touched(case: Case, tmp_path: Path, make: Any) -> None:
    other = speech(tmp_path / "other", make, 9)
    case.write(case.tars[0], b"")
    before = make.tree(case.out)
    with pytest.raises(DataError, match=r"was made of train \(sha256 .*\), not of train \(sha256 [^,]*: name those$"):
        repair(case.out, [other])
    (case.out / SHARDED).unlink()
    with pytest.raises(DataError, match="was not made of these manifests, or what they name has changed"):
        repair(case.out, [other])
    with pytest.raises(DataError, match="cannot be repaired from itself"):
        repair(case.out, [case.out])
    case.write(SHARDED, case.whole[SHARDED])
    assert make.tree(case.out) == before


def test_what_cannot_be_made_again_stays_and_the_rest_is_mended(tmp_path: Path, make: Any) -> None:
    source, out = speech(tmp_path / "in", make), tmp_path / "out"
    shard([source], out, SMALL, 0)
    case = Case(out, source, make.tree(out))
    first = {one.path.name: one for one in read_manifest(out / MANIFEST)}
    one, two = case.tars[:2]
    kept = case.whole[one][:-512]
    for change in ("gone", "changed"):
        audio = next(path for path in source.parent.iterdir() if path.stem == first[one].id)
        whole = audio.read_bytes()
        if change == "gone":
            audio.unlink()
        else:
            audio.write_bytes(whole[:-2] + b"\1\1")
        case.write(one, kept)
        case.write(two, case.whole[two][:-512])
        what = "cannot be had: No such file or directory" if change == "gone" else "is other audio now"
        told = f"{one} cannot be made again as it was: {audio.stem} of train {what}; shards mended: 1"
        with pytest.raises(DataError, match=told):
            repair(out, [source])
        assert (out / one).read_bytes() == kept
        assert (out / two).read_bytes() == case.whole[two]
        audio.write_bytes(whole)
        case.check(one)


def test_a_shard_that_the_manifest_alone_vouches_for_becomes_no_other(tmp_path: Path, make: Any) -> None:
    source, out = speech(tmp_path / "in", make), tmp_path / "out"
    shard([source], out, SMALL, 0)
    whole = make.tree(out)
    sample = next(one for one in read_manifest(out / MANIFEST) if one.id == "x-0")
    audio = source.parent / "x-0.wav"
    kept = audio.read_bytes()
    audio.write_bytes(kept[:-2] + b"\1\1")
    (out / SHARDED).unlink()
    (out / f"{sample.path.name}.json").unlink()
    with pytest.raises(DataError, match="x-0 of train is other audio now"):
        repair(out, [source])
    assert sample.path.read_bytes() == whole[sample.path.name]
    audio.write_bytes(kept)
    repair(out, [source])
    assert make.tree(out) == whole


def test_a_record_that_claims_what_cannot_be_harms_nobody(case: Case) -> None:
    """It has the right seal; shards.json has not."""
    name = case.tars[0]
    path = case.out / f"{name}.json"
    for key, value in (
        ("offset", 2**80),
        ("size", 2**80),
        ("offset", -1),
        ("size", "x"),
        ("id", "../x"),
        ("duration", 9.5),
    ):
        content = unseal(case.whole[path.name], path)
        content["facts"]["samples"][0][key] = value
        case.write(path.name, seal(content))
        (case.out / SHARDED).unlink()
        assert case.found() >= {SHARDED}
        case.write(SHARDED, case.whole[SHARDED])
        case.check(path.name)


@pytest.mark.parametrize("deep", [False, True])
def test_files_that_only_shards_json_vouches_for_are_missed_without_it(case: Case, deep: bool) -> None:
    gone = {SHARDED, MANIFEST, "rejected.csv"}
    for name in gone:
        (case.out / name).unlink()
    findings = verify(case.out, deep=deep).findings
    assert sorted((finding.path.name, finding.what) for finding in findings) == [
        (name, "missing") for name in sorted(gone)
    ]
    case.mend(*gone)


def test_a_manifest_that_has_but_another_name_is_to_get_its_old_one(case: Case, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    shutil.copy(case.source, other)
    with pytest.raises(DataError, match=r"other had another name: give it its old name, train\.csv"):
        repair(case.out, [other])


def test_what_a_killed_repair_left_goes_though_nothing_is_to_be_mended(case: Case) -> None:
    (case.out / ".000000.tar.99999999-0123456789abcdef.tmp").write_bytes(b"half a tar")
    assert repair(case.out, [case.source]).mended == ()
    assert {path.name: path.read_bytes() for path in case.out.iterdir()} == case.whole


def test_a_path_to_type_is_quoted(case: Case) -> None:
    out = case.out.rename(case.out.with_name("my shards"))
    (out / case.tars[0]).unlink()
    shown = CliRunner().invoke(main, ["verify", str(out)])
    assert f"dsprep verify '{out}' --repair MANIFEST mends it" in shown.stderr


def test_an_index_of_other_shards_harms_nobody(case: Case, tmp_path: Path, make: Any) -> None:
    other = renamed(speech(tmp_path / "other", make))
    shard([other], tmp_path / "others", SMALL, 0)
    case.write(SHARDED, (tmp_path / "others" / SHARDED).read_bytes())
    assert case.found() == {SHARDED}
    with pytest.raises(DataError, match="was not made of these manifests"):
        repair(case.out, [other])
    case.check(SHARDED)


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_what_is_no_file_is_told_and_left_and_waits_for_nobody(case: Case, kind: str) -> None:
    for name, data in case.whole.items():
        path = case.out / name
        path.unlink()
        os.mkfifo(path) if kind == "pipe" else path.mkdir()
        for deep in (False, True):
            (finding,) = verify(case.out, deep=deep).findings
            assert (finding.path, finding.what.removeprefix("cannot be read: it is ")) == (path, "not a file")
        with pytest.raises(DataError, match=rf"{name} is no file: move it away"):
            repair(case.out, [case.source])
        path.unlink() if kind == "pipe" else path.rmdir()
        path.write_bytes(data)


def test_what_import_made_is_mended_by_import(digits: Path) -> None:
    with pytest.raises(UsageError, match="made by dsprep import, which mends by itself"):
        repair(digits, [digits / "dev-clean.csv"])


def test_shards_in_the_order_of_their_manifests_are_mended(tmp_path: Path, make: Any) -> None:
    one, two = speech(tmp_path / "one", make), renamed(speech(tmp_path / "two", make, 3))
    out = tmp_path / "out"
    shard([one, two], out, replace(SMALL, keep_order=True), 0)
    whole = make.tree(out)
    (out / "000001.tar").write_bytes(b"")
    with pytest.raises(DataError, match="name those, in that order"):
        repair(out, [two, one])
    assert repair(out, [one, two]).verdict.findings == ()
    assert make.tree(out) == whole


def test_manifests_with_other_columns_in_other_orders_make_shards_that_are_whole(tmp_path: Path, make: Any) -> None:
    """The manifest of the shards has the columns of all, sorted; what a shard holds follows from its rows."""
    one, two = speech(tmp_path / "one", make, 4), speech(tmp_path / "two", make, 3)
    rows = [replace(row, extras=(("up", ""), ("gender", "f"), ("age", "ü"))) for row in read_manifest(one)]
    one.write_text("id,up,gender,age,wav_filename,wav_filesize,transcript\n")
    with one.open("a") as file:
        file.writelines(f"{row.id},,f,ü,{row.path.name},{row.size},{row.transcript}\n" for row in rows)
    out = tmp_path / "out"
    shard([one, renamed(two)], out, SMALL, 0)
    assert verify(out, deep=True).findings == ()


def test_the_command_tells_what_is_wrong_where_and_what_it_mended(case: Case) -> None:
    name = case.tars[0]
    case.write(name, case.whole[name][:-1536])
    shown = CliRunner().invoke(main, ["verify", str(case.out), "--deep"])
    assert (shown.exit_code, len(shown.stdout.splitlines())) == (1, 1)
    assert re.fullmatch(
        rf"{name}  byte \d+  x-\d  cut off: 1536 bytes are missing, 1 samples are not whole\n", shown.stdout
    )
    assert "--repair MANIFEST mends it" in shown.stderr
    shown = CliRunner().invoke(main, ["verify", str(case.out), "--repair", str(case.source)])
    assert (shown.exit_code, shown.stderr) == (0, "")
    files = len(case.whole)
    assert shown.stdout == f"mended {case.out / name}\ncomplete: {files} files, every byte as written\n"
    shown = CliRunner().invoke(main, ["verify", str(case.out), "--repair", "gone.csv"])
    assert (shown.exit_code, shown.stderr) == (1, "Error: there is no manifest gone.csv\n")


@pytest.mark.slow
def test_killed_at_any_instant_a_repair_is_ended_by_the_next(case: Case) -> None:
    """With and without shards.json, and what it vouches for: 3 times, or as often as DSPREP_KILLS says."""
    command = [sys.executable, "-m", "dsprep", "verify", str(case.out), "--repair", str(case.source)]
    chance, longest = random.Random(0), 0.0
    for number in range(1 + int(os.environ.get("DSPREP_KILLS", "3"))):
        spared = {SHARDED} if number % 2 == 0 else {f"{name}.json" for name in case.tars}
        for name, data in case.whole.items():
            case.write(name, data if name in spared else data[:-1])
        began = time.monotonic()
        process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if longest:
            time.sleep(longest * chance.uniform(0.3, 1))
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            assert repair(case.out, [case.source]).verdict.findings == ()
        else:
            assert b"complete: " in process.communicate()[0]
            longest = time.monotonic() - began
        assert {path.name: path.read_bytes() for path in case.out.iterdir()} == case.whole
