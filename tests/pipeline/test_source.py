"""Archives are read whole or refused, wherever they were cut."""

import gzip
import os
import tarfile
import tempfile
import zipfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dsprep.importers import CORPORA
from dsprep.importers.corpus import made_id
from dsprep.manifests import SourceError, Utterance, silent
from dsprep.pipeline.ledger import Audio, ledger
from dsprep.pipeline.source import Place, Section, SourceFile, Span, find, sections
from dsprep.pipeline.supply import Supply
from dsprep.pipeline.survey import Texts, identify, survey

(SECTION,) = sections(CORPORA["librispeech"], ["dev-clean"])


@dataclass(frozen=True)
class Look:
    """What a survey brings, read."""

    files: tuple[SourceFile, ...]
    texts: dict[str, bytes]
    audio: dict[str, Audio]


def look(*places: Path | Place, section: Section = SECTION) -> Look:
    found = [place if isinstance(place, Place) else Place(place) for place in places]
    with tempfile.TemporaryDirectory() as home, ledger(Path(home)) as book, closing(Texts(Path(home))) as texts:
        files = survey(section, found, book, texts, silent)
        audio = {}
        for name in book.forgotten():
            book.want("dev-clean", Utterance(id=made_id(name), audio=name, text=""))
        for one, _ in book.wanted():
            audio[one.name] = one
        return Look(files, {text.name: text.open().read() for text in texts.files}, audio)


def bring(place: Path, out: Path) -> dict[str, bytes]:
    """Every audio file, read as a worker would."""
    with Supply([Place(place)], out) as supply:
        return {name: supply.bring(audio).read() for name, audio in look(place).audio.items()}


@pytest.fixture(scope="module")
def members(make: Any) -> dict[str, bytes]:
    return dict(make.spoken("dev-clean", 6))


@pytest.mark.parametrize("kind", ["x.tar.gz", "x.tar", "x.zip", "stored.zip", "folder"])
def test_the_same_members_come_out_of_every_kind_of_source(
    tmp_path: Path, make: Any, members: dict[str, bytes], kind: str
) -> None:
    path = tmp_path / kind
    ordered = dict(sorted(members.items()))
    {"folder": make.folder, "x.zip": make.zip, "stored.zip": make.stored}.get(kind, make.tar)(path, ordered)
    found = look(path)
    prefix = "folder/" if kind == "folder" else ""
    assert list(found.texts) == [prefix + name for name in ordered if name.endswith(".txt")]
    assert list(found.audio) == [prefix + name for name in ordered if name.endswith(".flac")]
    audio = {prefix + name: data for name, data in ordered.items() if name.endswith(".flac")}
    assert bring(path, tmp_path / "out") == audio


def test_a_part_is_found_in_any_folder_above_or_at_it(tmp_path: Path, make: Any, members: dict[str, bytes]) -> None:
    root = make.folder(tmp_path / "a b é", {**members, **make.spoken("dev-other", 2)})
    for place in (root, root / "LibriSpeech", root / "LibriSpeech" / "dev-clean"):
        assert len(look(place).audio) == 6


@pytest.mark.parametrize("name", ["x.tar", "x.tar.gz"])
def test_an_archive_cut_anywhere_is_refused(tmp_path: Path, make: Any, name: str) -> None:
    small = {
        "LibriSpeech/dev-clean/1/2/1-2-0000.flac": b"x" * 700,
        "LibriSpeech/dev-clean/1/2/1-2.trans.txt": b"1-2-0000 A\n",
    }
    path = make.tar(tmp_path / name, small)
    whole = path.read_bytes()
    assert look(path).audio
    step = 512 if name == "x.tar" else 7
    # Two blocks of zeros end a tar; tar itself pads with more, which may go.
    end = 5 * 512 + 512 if name == "x.tar" else len(whole)
    for cut in range(0, end, step):
        path.write_bytes(whole[:cut])
        with pytest.raises(SourceError, match=r"x\.tar"):
            look(path)


def test_an_archive_with_a_damaged_header_is_refused(tmp_path: Path, make: Any) -> None:
    small = {f"LibriSpeech/dev-clean/1/2/1-2-000{i}.flac": b"x" * 100 for i in range(4)}
    path = make.tar(tmp_path / "x.tar", small)
    whole = bytearray(path.read_bytes())
    whole[2 * 1024 + 3] ^= 1
    path.write_bytes(whole)
    with pytest.raises(SourceError, match="damaged at byte 2048"):
        look(path)


@pytest.mark.parametrize("position", range(0, 2000, 97))
def test_a_gzip_with_a_changed_byte_is_refused_or_the_same(tmp_path: Path, make: Any, position: int) -> None:
    small = {f"LibriSpeech/dev-clean/1/2/1-2-000{i}.flac": bytes(range(256)) * 4 for i in range(4)}
    path = make.tar(tmp_path / "x.tar.gz", small)
    expected = look(path)
    data = bytearray(path.read_bytes())
    data[position % len(data)] ^= 0x10
    path.write_bytes(data)
    try:
        found = look(path)
    except SourceError:
        return
    assert (found.texts, found.audio) == (expected.texts, expected.audio)


def test_gzip_files_joined_end_to_end_are_one(tmp_path: Path, make: Any, members: dict[str, bytes]) -> None:
    raw = make.tar(tmp_path / "x.tar", members).read_bytes()
    path = tmp_path / "y.tar.gz"
    path.write_bytes(gzip.compress(raw[:3000]) + gzip.compress(raw[3000:]) + b"\0" * 100)
    assert len(look(path).audio) == 6


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_links_in_an_archive_are_refused_where_a_clip_should_be(tmp_path: Path, kind: bytes) -> None:
    path = tmp_path / "x.tar"
    for name in ("LibriSpeech/dev-clean/1/2/1-2-0000.flac", "LibriSpeech/README"):
        with tarfile.open(path, "w") as tar:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            tar.addfile(info)
        if name.endswith("flac"):
            with pytest.raises(SourceError, match=r"1-2-0000\.flac is a link"):
                look(path)
        else:
            assert look(path).audio == {}


def test_names_with_a_dot_or_a_double_slash_are_the_names_without(tmp_path: Path, make: Any) -> None:
    members = make.spoken("dev-clean", 4)
    plain = look(make.tar(tmp_path / "a.tar.gz", members))
    odd = make.tar(
        tmp_path / "b.tar.gz", {"./" + name.replace("/dev", "//dev"): data for name, data in members.items()}
    )
    assert list(look(odd).audio) == list(plain.audio)
    assert len(bring(odd, tmp_path / "out")) == 4


@pytest.mark.parametrize("size", [10**40, 2**62, -1])
def test_a_size_that_cannot_be_is_refused_at_once(tmp_path: Path, size: int) -> None:
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("LibriSpeech/dev-clean/1/2/1-2-0000.flac")
        info.pax_headers = {"size": str(size)}
        tar.addfile(info)
    with pytest.raises(SourceError, match=r"x\.tar"):
        look(path)


@pytest.mark.parametrize("headers", [{"GNU.sparse.map": "x"}, {"GNU.sparse.size": "x"}, {"GNU.sparse.realsize": "x"}])
def test_headers_that_confuse_tarfile_are_refused(tmp_path: Path, headers: dict[str, str]) -> None:
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("LibriSpeech/dev-clean/1/2/1-2-0000.flac")
        info.pax_headers = headers
        tar.addfile(info)
    with pytest.raises(SourceError, match=r"x\.tar"):
        look(path)


@pytest.mark.parametrize("kind", ["x.tar", "folder"])
@pytest.mark.parametrize("change", ["touch", "cut", "remove"])
def test_what_changed_since_the_survey_is_an_error_and_no_rejection(
    tmp_path: Path, make: Any, members: dict[str, bytes], kind: str, change: str
) -> None:
    path = tmp_path / kind
    make.folder(path, members) if kind == "folder" else make.tar(path, members)
    with Supply([Place(path)], tmp_path / "out") as supply:
        span = supply.bring(next(iter(look(path).audio.values())))
    file = span.path
    if change == "touch":
        os.utime(file, ns=(1, 1))
    elif change == "cut":
        file.write_bytes(file.read_bytes()[: span.offset + 10])
    else:
        file.unlink()
    with pytest.raises(SourceError, match=r"changed while it was read|cannot read"):
        span.check()


def test_a_spool_file_that_is_gone_is_an_error_and_no_rejection(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot read"):
        Span(tmp_path / "gone", 0, 5).check()


def test_only_files_of_the_part_are_read(tmp_path: Path, make: Any, members: dict[str, bytes]) -> None:
    root = make.folder(tmp_path / "in", members)
    before = look(root).files
    with (root / "other.bin").open("wb") as file:
        file.truncate(10**13)
    assert look(root).files == before


def test_a_member_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as tar:
        for _ in range(2):
            tar.addfile(tarfile.TarInfo("LibriSpeech/dev-clean/1/2/1-2-0000.flac"))
    with pytest.raises(SourceError, match=r"1-2-0000\.flac, which was there before"):
        look(path)


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "dev-clean.tar.gz"
    for data in (b"", b"<html>moved</html>", b"\x1f\x8b" + b"junk" * 300, b"x" * 5000):
        path.write_bytes(data)
        with pytest.raises(SourceError, match=r"dev-clean\.tar\.gz"):
            look(path)


def test_a_source_is_found_by_name_or_by_being_the_only_one(tmp_path: Path, make: Any) -> None:
    named = make.tar(tmp_path / "archives" / "dev-clean.tar.gz", {})
    bare = make.tar(tmp_path / "plain" / "dev-clean.tar", {})
    other = make.tar(tmp_path / "my download.tgz", {})
    assert [place.path for place in find(SECTION, [tmp_path / "archives"])] == [named]
    assert [place.path for place in find(SECTION, [tmp_path / "plain"])] == [bare]
    assert [place.path for place in find(SECTION, [named])] == [named]
    assert [place.path for place in find(SECTION, [other])] == [other]
    with pytest.raises(SourceError, match=r"cannot read .*gone"):
        find(SECTION, [tmp_path / "gone"])


def test_the_digest_is_compared_with_the_published_one(tmp_path: Path, make: Any, members: dict[str, bytes]) -> None:
    import hashlib

    path = make.tar(tmp_path / "x.tar.gz", members)
    for algorithm in ("sha256", "md5"):
        digest = f"{algorithm}:{hashlib.new(algorithm, path.read_bytes()).hexdigest()}"
        assert look(Place(path, digest)).files[0].published is True
        assert look(Place(path, digest[:-1] + "x")).files[0].published is False
    assert look(path).files[0].published is None


def test_what_is_identified_is_what_was_surveyed(tmp_path: Path, make: Any, members: dict[str, bytes]) -> None:
    for name in ("x.tar", "x.tar.gz", "x.zip", "folder"):
        path = tmp_path / name
        (make.folder if name == "folder" else make.zip if name == "x.zip" else make.tar)(path, members)
        assert identify(SECTION, [Place(path)], silent) == look(path).files


@pytest.mark.parametrize(
    ("kind", "told"),
    [("lzma", "is damaged"), ("name", "is damaged"), ("method", "compression method .* unpack it, and import")],
)
def test_a_zip_that_stumbles_zipfile_is_told_in_one_line(
    tmp_path: Path, make: Any, members: dict[str, bytes], kind: str, told: str
) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA if kind == "lzma" else zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\x01\x02")
    if kind == "lzma":
        data[30 + data[26] + 9 : 30 + data[26] + 60] = b"\xff" * 51
    elif kind == "name":
        data[entry + 9] |= 8  # its name is said to be UTF-8
        data[entry + 46] = 0xFF
    else:
        for at in (entry + 10, 8):
            data[at] = 9
    path.write_bytes(data)
    with pytest.raises(SourceError, match=told):
        look(path)


@pytest.mark.parametrize("way", ["zip", "stored"])
def test_a_zip_with_a_changed_byte_in_a_clip_is_refused(
    tmp_path: Path, make: Any, members: dict[str, bytes], way: str
) -> None:
    """A stored clip is read where it lies: only the survey compares its CRC."""
    path = getattr(make, way)(tmp_path / "x.zip", members)
    data = bytearray(path.read_bytes())
    name = next(name for name in members if name.endswith(".flac")).encode()
    data[data.index(name) + len(name) + 200] ^= 1
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"x\.zip is damaged: .*fetch it again"):
        look(path)
