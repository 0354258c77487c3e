"""Verify finds every change to every file that import and shard write."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dsprep.manifests import DataError
from dsprep.pipeline.shards.placement import Sharding
from dsprep.pipeline.shards.sharding import shard
from dsprep.pipeline.verify import verify


@pytest.fixture(scope="module", params=["import", "shard"])
def made(request: pytest.FixtureRequest, digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if request.param == "import":
        return digits
    out = tmp_path_factory.mktemp("verify") / "shards"
    shard([digits / "test-clean.csv"], out, Sharding(shard_bytes=100_000), 1)
    return out


def test_what_was_just_made_is_complete(made: Path, make: Any) -> None:
    verdict = verify(made, deep=True)
    assert verdict.findings == ()
    assert verdict.unknown == ()
    assert verdict.files == len(make.tree(made))


def test_one_changed_byte_of_any_file_is_found_and_named(made: Path, tmp_path: Path, make: Any) -> None:
    out = tmp_path / "copy"
    shutil.copytree(made, out)
    for name, data in make.tree(made).items():
        for position in {0, len(data) // 2, len(data) - 1}:
            broken = bytearray(data)
            broken[position] ^= 1
            (out / name).write_bytes(broken)
            findings = verify(out, deep=True).findings
            assert [finding.path for finding in findings] == [out / name], (name, position)
        (out / name).write_bytes(data)


def test_a_lost_or_cut_file_is_found_without_reading(made: Path, tmp_path: Path, make: Any) -> None:
    out = tmp_path / "copy"
    shutil.copytree(made, out)
    for name, data in make.tree(made).items():
        if name == "import.json":
            continue
        (out / name).write_bytes(data[:-1])
        assert [finding.path for finding in verify(out, deep=False).findings] == [out / name]
        (out / name).unlink()
        assert [finding.path for finding in verify(out, deep=False).findings] == [out / name]
        (out / name).write_bytes(data)


def test_a_file_of_somebody_else_s_is_named_and_harmless(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "copy"
    shutil.copytree(made, out)
    (out / "notes.txt").write_text("mine")
    verdict = verify(out, deep=True)
    assert (verdict.findings, verdict.unknown) == ((), (out / "notes.txt",))


def test_what_was_never_finished_is_incomplete(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "copy"
    shutil.copytree(made, out)
    (out / ".begun.json").write_text("{}")
    for name in ("import.json", "shards.json"):
        (out / name).unlink(missing_ok=True)
    with pytest.raises(DataError, match="is incomplete"):
        verify(out, deep=False)


def test_a_place_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds neither"):
        verify(tmp_path / "gone", deep=True)


def test_deep_tells_when_tar_and_manifest_do_not_agree(digits: Path, tmp_path: Path) -> None:
    """Every digest is right, and still the text in the tar is not the manifest's: only reading finds it."""
    from dsprep.manifests import manifest_bytes, read_manifest
    from dsprep.pipeline.commit import seal, unseal
    from dsprep.pipeline.outdir import file_facts

    out = tmp_path / "shards"
    shard([digits / "test-clean.csv"], out, Sharding(shard_bytes=10**9), 1)
    first, *rest = read_manifest(out / "manifest.csv")
    changed = replace(first, transcript=first.transcript + " more")
    (out / "manifest.csv").write_bytes(manifest_bytes([changed, *rest], out))
    index = unseal((out / "shards.json").read_bytes(), out)
    index["files"] = [file_facts(out, "manifest.csv")]
    (out / "shards.json").write_bytes(seal(index, indent=1))
    assert verify(out, deep=False).findings == ()
    (finding,) = verify(out, deep=True).findings
    assert (finding.path, finding.key) == (out / "manifest.csv", first.id)
    assert finding.what == f"000000.tar is other than its row: header of {first.id}.txt"


def test_a_conversion_is_verified_to_the_last_byte(digits: Path, tmp_path: Path) -> None:
    from dsprep.pipeline.converting import convert
    from dsprep.pipeline.formats import FORMATS

    out = tmp_path / "out"
    convert(digits / "dev-clean.csv", out, FORMATS["deepspeech.pytorch"], copy_audio=True)
    found = verify(out, deep=True)
    assert (found.kind, found.findings, found.unknown) == ("convert", (), ())
    for path in (next(out.rglob("*.wav")), next(out.rglob("*.txt")), out / "pytorch_manifest.json"):
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        assert [finding.path for finding in verify(out, deep=True).findings] == [path]
        path.write_bytes(whole)


def test_of_a_chunk_whose_record_is_damaged_no_clip_is_called_a_stranger_s(digits: Path, tmp_path: Path) -> None:
    out = tmp_path / "copy"
    shutil.copytree(digits, out)
    record = next(out.glob("audio/*/chunk-*.json"))
    record.write_bytes(record.read_bytes()[:-2])
    verdict = verify(out, deep=True)
    assert [finding.path for finding in verdict.findings] == [record]
    assert verdict.unknown == ()


def test_workers_change_nothing_of_what_is_found(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "copy"
    shutil.copytree(made, out)
    for path in sorted(out.rglob("*"))[::5]:
        if path.is_file() and path.suffix != ".json":
            path.write_bytes(path.read_bytes()[:-1])
    here = verify(out, deep=True)
    for module in ("dsprep.pipeline.verify", "dsprep.pipeline.shards.verify_shards"):
        monkeypatch.setattr(f"{module}.IN_PROCESS", 0)
    assert verify(out, deep=True, workers=2) == here
    assert here.findings
