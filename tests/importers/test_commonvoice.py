"""Common Voice in every era, made in the publisher's layouts and imported whole: no row is lost."""

import csv
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dsprep.importers import CORPORA
from dsprep.manifests import SourceError, UsageError, read_manifest
from dsprep.pipeline import chunk
from dsprep.pipeline.importing import import_corpus
from dsprep.pipeline.job import job
from dsprep.pipeline.report import ImportReport

OLD = ["client_id", "path", "sentence", "up_votes", "down_votes", "age", "gender", "accent"]
NEW = [
    *("client_id", "path", "sentence_id", "sentence", "sentence_domain", "up_votes", "down_votes"),
    *("age", "gender", "accents", "variant", "locale", "segment"),
]
SPONTANEOUS = ["client_id", "audio_id", "audio_file", "prompt_id", "prompt", "transcription", "votes", "age", "split"]


def table(columns: list[str], *rows: Mapping[str, str]) -> bytes:
    lines = ["\t".join(columns), *("\t".join(row.get(name, "") for name in columns) for row in rows)]
    return ("\n".join(lines) + "\n").encode()


def clip(number: int, sentence: str, speaker: str = "ann", **more: str) -> dict[str, str]:
    path = f"common_voice_en_{number}.mp3"
    return {"client_id": speaker, "path": path, "sentence": sentence, "locale": "en", "up_votes": "2", **more}


@pytest.fixture(scope="module")
def sound(make: Any) -> bytes:
    return bytes(make.mp3(make.tone(1.5, rate=48_000)))


@pytest.fixture
def release(sound: bytes) -> dict[str, bytes]:
    """A current release: ann and bob in train, cat in dev, dan in test, all of them and eve in validated."""
    train = [clip(1, '"One'), clip(2, "Two.", "bob", accents="Welsh")]
    dev, test = [clip(3, "Three", "cat")], [clip(4, "Four", "dan")]
    further = [clip(5, "one", "eve"), clip(6, "Six", "cat"), clip(7, "three!", "eve")]
    folder = "cv-corpus-19.0-2024-09-13/en/"
    tables = {
        "train": train,
        "dev": dev,
        "test": test,
        "validated": [*train, *dev, *test, *further],
        "invalidated": [clip(8, "Eight")],
        "other": [clip(9, "Nine", "fay", age="teens"), clip(10, "Ten", "fay", age="thirties")],
    }
    members = {f"{folder}{name}.tsv": table(NEW, *rows) for name, rows in tables.items()}
    members[f"{folder}reported.tsv"] = table(
        ["sentence", "sentence_id", "locale", "reason"], {"sentence": "Nine", "reason": "grammar-or-spelling"}
    )
    members[f"{folder}clip_durations.tsv"] = b"clip\tduration[ms]\ncommon_voice_en_1.mp3\t1500\n"
    return members | {f"{folder}clips/common_voice_en_{number}.mp3": sound for number in range(1, 11)}


def go(source: Path, out: Path, *more: Path, **wishes: Any) -> ImportReport:
    return import_corpus(job(CORPORA["commonvoice"], sources=[str(source), *map(str, more)], **wishes), out, 1)


def texts(out: Path, part: str) -> dict[str, str]:
    return {sample.id.rpartition("_")[2]: sample.transcript for sample in read_manifest(out / f"{part}.csv")}


def rejected(out: Path) -> list[tuple[str, str, str]]:
    with (out / "rejected.csv").open(newline="") as file:
        return [(row["part"], row["id"].rpartition("/")[2], row["reason"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "tgz", "zip", "folder"])
def test_a_current_release_comes_whole_from_every_kind_of_source(
    tmp_path: Path, make: Any, release: dict[str, bytes], kind: str
) -> None:
    path = tmp_path / f"cv-corpus-19.0-2024-09-13-en.{kind}"
    {"folder": make.folder, "zip": make.zip}.get(kind, make.tar)(path, release)
    report = go(path, tmp_path / "out")
    assert {part.name: (part.rows, part.kept.rows) for part in report.parts} == {
        "train": (2, 2), "dev": (1, 1), "test": (1, 1), "validated": (7, 7), "invalidated": (1, 1), "other": (2, 2),
        "train-all": (3, 3),
    }  # fmt: skip
    assert texts(tmp_path / "out", "train") == {"1": "one", "2": "two"}
    assert rejected(tmp_path / "out") == []
    (two,) = [one for one in read_manifest(tmp_path / "out" / "train.csv") if one.speaker == "bob"]
    assert dict(two.extras)["accent"] == "Welsh"


def test_an_archive_in_any_order_and_its_folder_give_the_same_audio_and_manifests(
    tmp_path: Path, make: Any, release: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunk, "FILES", 3)
    names = sorted(release)
    random.Random(0).shuffle(names)
    go(make.tar(tmp_path / "cv.tar.gz", {name: release[name] for name in names}), tmp_path / "one")
    go(make.folder(tmp_path / "in", release) / "cv-corpus-19.0-2024-09-13", tmp_path / "two")
    one, two = (
        {name: data for name, data in make.tree(tmp_path / out).items() if not name.endswith(".json")}
        for out in ("one", "two")
    )
    assert one == two
    assert len([name for name in one if name.endswith(".wav")]) == 10


def test_train_all_has_no_speaker_and_no_sentence_of_dev_and_test(
    tmp_path: Path, make: Any, release: dict[str, bytes]
) -> None:
    go(make.tar(tmp_path / "cv.tar.gz", release), tmp_path / "out", parts=["train-all"])
    assert set(texts(tmp_path / "out", "train-all")) == {"1", "2", "5"}


def test_clips_of_several_parts_are_converted_once(tmp_path: Path, make: Any, release: dict[str, bytes]) -> None:
    go(make.tar(tmp_path / "cv.tar.gz", release), tmp_path / "out")
    assert len(list((tmp_path / "out" / "audio").rglob("*.wav"))) == 10
    train, every = (read_manifest(tmp_path / "out" / f"{part}.csv") for part in ("train", "validated"))
    assert {sample.path for sample in train} < {sample.path for sample in every}


def test_a_table_is_never_unquoted_and_columns_go_by_name(tmp_path: Path, make: Any, sound: bytes) -> None:
    columns = ["sentence", "segment", "client_id", "accent", "path"]
    rows = [
        clip(1, 'He said "yes'),
        clip(2, '"No" she said'),
        clip(3, '"'),
        clip(4, "last"),
    ]
    members = {f"cv-corpus-5.1-2020-06-22/en/clips/common_voice_en_{number}.mp3": sound for number in range(1, 5)}
    members["cv-corpus-5.1-2020-06-22/en/validated.tsv"] = table(columns, *rows)
    go(make.tar(tmp_path / "en.tar.gz", members), tmp_path / "out", parts=["validated"])
    assert texts(tmp_path / "out", "validated") == {"1": "he said yes", "2": "no she said", "4": "last"}
    assert rejected(tmp_path / "out") == [("validated", "common_voice_en_3", "empty-text")]


def test_releases_1_to_4_have_no_language_folder_and_no_endings(tmp_path: Path, make: Any, sound: bytes) -> None:
    name = "0123456789abcdef" * 8
    members = {f"clips/{name}.mp3": sound, "clips/short.mp3": sound}
    members["train.tsv"] = table(OLD, clip(1, "a long name", path=name), clip(2, "a short one", path="short.mp3"))
    report = go(make.tar(tmp_path / "cv-corpus-4-2019-12-10_en.tar.tar", members), tmp_path / "out")
    assert [(part.name, part.kept.rows) for part in report.parts] == [("train", 2)]
    samples = read_manifest(tmp_path / "out" / "train.csv")
    assert {sample.transcript for sample in samples} == {"a long name", "a short one"}


@pytest.mark.parametrize("doubled", [False, True])
def test_the_first_release_is_quoted_csv(tmp_path: Path, make: Any, sound: bytes, doubled: bool) -> None:
    header = "filename,text,up_votes,down_votes,age,gender,accent,duration\n"
    lines = (
        'cv-valid-train/sample-000000.mp3,"well, he said ""no""",1,0,,,,\n'
        "cv-valid-train/sample-000001.mp3,plain words,1,0,,,,\n"
        'cv-valid-train/sample-000002.mp3,"never closed,1,0,,,,\n'
        "cv-valid-train/sample-000003.mp3,too few\n"
        "cv-valid-train/sample-000009.mp3,not there,1,0,,,,\n"
    )
    inner = "cv-valid-train/cv-valid-train" if doubled else "cv-valid-train"
    members = {f"cv_corpus_v1/{inner}/sample-00000{number}.mp3": sound for number in range(2)}
    members["cv_corpus_v1/cv-valid-dev/sample-000000.mp3"] = sound
    members["cv_corpus_v1/cv-valid-train.csv"] = (header + lines).encode()
    members["cv_corpus_v1/cv-valid-dev.csv"] = (header + "cv-valid-dev/sample-000000.mp3,dev words,1,0,,,,\n").encode()
    report = go(make.tar(tmp_path / "cv_corpus_v1.tar.gz", members), tmp_path / "out")
    assert {part.name: (part.rows, part.kept.rows) for part in report.parts} == {
        "cv-valid-train": (5, 2),
        "cv-valid-dev": (1, 1),
    }
    samples = read_manifest(tmp_path / "out" / "cv-valid-train.csv")
    assert [sample.transcript for sample in samples] == ["well he said no", "plain words"]
    assert [sample.id for sample in samples] == ["cv-valid-train-sample-000000", "cv-valid-train-sample-000001"]
    assert sorted(reason for _, _, reason in rejected(tmp_path / "out")) == ["bad-row", "bad-row", "no-audio"]


def test_the_newest_row_of_a_clip_wins_where_a_delta_is_merged(
    tmp_path: Path, make: Any, release: dict[str, bytes], sound: bytes
) -> None:
    folder = "cv-corpus-20.0-delta-2024-12-06/en/"
    delta = {
        f"{folder}validated.tsv": table(NEW, clip(9, "Nine again", "fay"), clip(11, "Eleven", "gus")),
        f"{folder}other.tsv": table(NEW),
        f"{folder}clips/common_voice_en_11.mp3": sound,
    }
    full = make.tar(tmp_path / "cv-corpus-19.0-2024-09-13-en.tar.gz", release)
    new = make.tar(tmp_path / "cv-corpus-20.0-delta-2024-12-06-en.tar.gz", delta)
    go(full, tmp_path / "out", new)
    assert texts(tmp_path / "out", "other") == {"10": "ten"}
    validated = texts(tmp_path / "out", "validated")
    assert (validated["9"], validated["11"], len(validated)) == ("nine again", "eleven", 9)
    assert [reason for _, _, reason in rejected(tmp_path / "out")] == ["superseded"]
    assert texts(tmp_path / "out", "train-all").keys() >= {"9", "11"}
    by_folder = tmp_path / "both"
    go(tmp_path, by_folder)
    assert make.tree(by_folder) == make.tree(tmp_path / "out")


def test_two_full_releases_are_refused(tmp_path: Path, make: Any, release: dict[str, bytes]) -> None:
    newer = {name.replace("19.0-2024-09-13", "20.0-2024-12-06"): data for name, data in release.items()}
    one, two = make.tar(tmp_path / "a.tar", release), make.tar(tmp_path / "b.tar", newer)
    with pytest.raises(SourceError, match="both full releases"):
        go(one, tmp_path / "out", two)


def test_spontaneous_speech_tells_its_parts_and_loses_its_tags(tmp_path: Path, make: Any, sound: bytes) -> None:
    def said(number: int, text: str, split: str) -> dict[str, str]:
        file = f"spontaneous-speech-en-{number}.mp3"
        return {"client_id": "ann", "audio_file": file, "transcription": text, "split": split, "prompt": "why?"}

    folder = "sps-corpus-5.0-2026-09-11-en/"
    rows = [
        said(1, "well [disfluency] yes", "train"),
        said(2, "no", "dev"),
        said(3, "", "unassigned"),
        said(4, "x", "?"),
    ]
    members = {
        f"{folder}ss-corpus-en.tsv": table(SPONTANEOUS, *rows),
        f"{folder}ss-reported-audios-en.tsv": table(
            ["audio_file", "reason"], {"audio_file": "spontaneous-speech-en-5.mp3", "reason": "other"}
        ),
        **{f"{folder}audios/spontaneous-speech-en-{number}.mp3": sound for number in range(1, 6)},
    }
    report = go(make.tar(tmp_path / "sps-corpus-5.0-2026-09-11-en.tar.gz", members), tmp_path / "out")
    (train,) = read_manifest(tmp_path / "out" / "train.csv")
    assert (train.transcript, dict(train.extras)["tagged"]) == ("well yes", "well [disfluency] yes")
    assert {part.name: part.reasons for part in report.parts} == {
        "train": {},
        "dev": {},
        "unassigned": {"empty-text": 1},
        "": {"bad-row": 1, "excluded": 1},
    }


def test_rows_are_chosen_by_any_column(tmp_path: Path, make: Any, release: dict[str, bytes]) -> None:
    path = make.tar(tmp_path / "cv.tar.gz", release)
    go(path, tmp_path / "age", parts=["other"], only=["age=teens,twenties"])
    assert set(texts(tmp_path / "age", "other")) == {"9"}
    assert rejected(tmp_path / "age") == [("other", "common_voice_en_10", "excluded")]
    go(path, tmp_path / "reported", parts=["other"], only=["reported="])
    assert set(texts(tmp_path / "reported", "other")) == {"10"}
    go(path, tmp_path / "votes", parts=["train"], only=["up_votes>=2", "speaker!=ann"])
    assert set(texts(tmp_path / "votes", "train")) == {"2"}


@pytest.mark.parametrize(
    ("only", "told"),
    [
        ("locale=xx", r"no row is like that; locale is 'en'"),
        ("colour=red", "there is no column colour; there are speaker,"),
        ("up_votes>=many", "a filter is a column, a sign and a value"),
        ("locale", "a filter is a column, a sign and a value"),
    ],
)
def test_a_filter_that_means_nothing_is_told(
    tmp_path: Path, make: Any, release: dict[str, bytes], only: str, told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        go(make.tar(tmp_path / "cv.tar.gz", release), tmp_path / "out", only=[only])
    assert not (tmp_path / "out" / "audio").exists()


def test_rows_and_clips_that_do_not_meet_are_counted(
    tmp_path: Path, make: Any, release: dict[str, bytes], sound: bytes
) -> None:
    folder = "cv-corpus-19.0-2024-09-13/en/"
    del release[f"{folder}clips/common_voice_en_2.mp3"]
    release[f"{folder}clips/nobody.mp3"] = sound
    release[f"{folder}train.tsv"] += (
        b"ann\tcommon_voice_en_1.mp3\ttoo few\n" + table(NEW, clip(1, "again")).split(b"\n")[1]
    )
    report = go(make.tar(tmp_path / "cv.tar.gz", release), tmp_path / "out")
    (train,) = [part for part in report.parts if part.name == "train"]
    assert (train.rows, train.kept.rows) == (4, 1)
    assert train.reasons == {"bad-row": 1, "duplicate-id": 1, "no-audio": 1}
    assert ("", "nobody", "no-text") in rejected(tmp_path / "out")


@pytest.mark.parametrize("column", ["client_id", "path", "sentence"])
def test_a_renamed_column_is_told_with_its_file(
    tmp_path: Path, make: Any, release: dict[str, bytes], column: str
) -> None:
    name = "cv-corpus-19.0-2024-09-13/en/dev.tsv"
    release[name] = release[name].replace(column.encode() + b"\t", b"other_name\t", 1)
    with pytest.raises(SourceError, match=rf"en/dev\.tsv:1: there is no column {column}; the columns are"):
        go(make.tar(tmp_path / "cv.tar.gz", release), tmp_path / "out")


def test_without_a_source_the_error_says_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"account: get the archive .*mozilladatacollective\.com, then name it with"):
        import_corpus(job(CORPORA["commonvoice"]), tmp_path / "out", 1)
    assert not (tmp_path / "out").exists()


def test_an_archive_of_another_corpus_is_told_what_was_looked_for(tmp_path: Path, make: Any) -> None:
    path = make.tar(tmp_path / "dev-clean.tar.gz", make.spoken("dev-clean", 2))
    with pytest.raises(SourceError, match=r"nothing of commonvoice .* looked for cv-corpus-RELEASE-DATE/LANGUAGE"):
        go(path, tmp_path / "out")


def test_the_first_ancestor_s_filters_are_its_own(tmp_path: Path, make: Any, release: dict[str, bytes]) -> None:
    """1.5 s carry 75 characters of raw text, by its rule; nothing is cleaned, and empty texts stay."""
    folder = "cv-corpus-19.0-2024-09-13/en/"
    rows = [clip(1, "x" * 75), clip(2, "y" * 76), clip(3, "Digits 1?"), clip(4, "")]
    release[f"{folder}train.tsv"] = table(NEW, *rows)
    path = make.tar(tmp_path / "cv.tar.gz", release)
    go(path, tmp_path / "one", parts=["train"], profile="deepspeech-0.1")
    assert texts(tmp_path / "one", "train") == {"1": "x" * 75, "3": "Digits 1?", "4": ""}
    assert rejected(tmp_path / "one") == [("train", "common_voice_en_2", "too-fast")]
    go(path, tmp_path / "nine", parts=["train"], profile="deepspeech-0.9")
    assert set(texts(tmp_path / "nine", "train")) == {"1"}


def test_the_characters_of_a_corpus_become_its_alphabet(tmp_path: Path, make: Any, release: dict[str, bytes]) -> None:
    from dsprep.manifests import read_alphabet

    path = make.tar(tmp_path / "cv.tar.gz", release)
    go(path, tmp_path / "out", parts=["train"], alphabet="auto")
    assert read_alphabet(tmp_path / "out" / "alphabet.txt").characters == tuple("enotw")
    (tmp_path / "few.txt").write_text("o\nn\ne\n")
    go(path, tmp_path / "few", parts=["train"], alphabet=str(tmp_path / "few.txt"))
    assert rejected(tmp_path / "few") == [("train", "common_voice_en_2", "outside-alphabet")]


def test_a_split_leaves_no_speaker_in_two_manifests(tmp_path: Path, make: Any, release: dict[str, bytes]) -> None:
    path = make.tar(tmp_path / "cv.tar.gz", release)
    go(path, tmp_path / "out", parts=["validated"], split="train=0.6,dev=0.4")
    one, two = (read_manifest(tmp_path / "out" / f"validated-{name}.csv") for name in ("train", "dev"))
    assert len(one) + len(two) == 7
    assert one
    assert two
    assert not {sample.speaker for sample in one} & {sample.speaker for sample in two}
    assert not (tmp_path / "out" / "validated.csv").exists()
    go(path, tmp_path / "out", parts=["validated"])
    assert not (tmp_path / "out" / "validated-train.csv").exists(), "what is not named any more is removed"


def test_tables_of_the_same_name_do_not_replace_each_other(tmp_path: Path, make: Any, sound: bytes) -> None:
    full, delta = "cv-corpus-19.0-2024-09-13/en", "cv-corpus-20.0-delta-2024-12-06/en"
    members = {f"{full}/validated.tsv": table(NEW, clip(1, "one")), f"{full}/clips/common_voice_en_1.mp3": sound}
    members |= {f"{delta}/validated.tsv": table(NEW, clip(2, "two")), f"{delta}/clips/common_voice_en_2.mp3": sound}
    root = make.folder(tmp_path / "in", members)
    with pytest.raises(SourceError, match=r"delta.* holds en/validated\.tsv, which was there before"):
        go(root / full, tmp_path / "out", root / delta)
    assert go(root, tmp_path / "out").parts[0].kept.rows == 2


@pytest.mark.parametrize(
    ("spoilt", "header"),
    [
        (b"sentence_domain", b"sentence"),
        (b"variant", b"v\xff"),
        (b"variant", b"v\0"),
        (b"segment\n", b"segment\r"),
    ],
)
def test_a_header_whose_names_are_no_text_or_not_one_each_is_told(
    tmp_path: Path, make: Any, sound: bytes, spoilt: bytes, header: bytes
) -> None:
    content = table(NEW, clip(1, "one")).replace(spoilt, header)
    source = make.folder(tmp_path / "in", {"en/dev.tsv": content, "en/clips/common_voice_en_1.mp3": sound})
    with pytest.raises(SourceError, match=r"en/dev\.tsv:1: columns need names that are text and differ"):
        go(source, tmp_path / "out")


def test_a_clip_that_a_delta_brings_anew_is_the_newest_for_every_row(
    tmp_path: Path, make: Any, release: dict[str, bytes]
) -> None:
    folder = "cv-corpus-20.0-delta-2024-12-06/en/"
    delta = {
        f"{folder}validated.tsv": table(NEW, clip(1, "One")),
        f"{folder}clips/common_voice_en_1.mp3": make.mp3(make.tone(2.0, 500, rate=48_000)),
    }
    report = go(make.tar(tmp_path / "a.tar", release), tmp_path / "out", make.tar(tmp_path / "b.tar", delta))
    assert {part.name: part.reasons for part in report.parts if part.reasons} == {
        "validated": {"superseded": 1},
        "": {"no-text": 1},
    }
    (one,) = [one for one in read_manifest(tmp_path / "out" / "train.csv") if one.id.endswith("_1")]
    assert one.duration == 2.0


def test_a_table_without_a_line_is_a_table_without_rows(tmp_path: Path, make: Any, release: dict[str, bytes]) -> None:
    for name in ("other", "reported"):
        release[f"cv-corpus-19.0-2024-09-13/en/{name}.tsv"] = b""
    report = go(make.tar(tmp_path / "cv.tar.gz", release), tmp_path / "out")
    assert "other" not in [part.name for part in report.parts]
    assert ("", "common_voice_en_9", "no-text") in rejected(tmp_path / "out")


def test_a_folder_of_clips_that_is_a_link_is_followed_and_a_loop_is_not(
    tmp_path: Path, make: Any, release: dict[str, bytes]
) -> None:
    root = make.folder(tmp_path / "in", release)
    home = root / "cv-corpus-19.0-2024-09-13" / "en"
    (home / "clips").rename(tmp_path / "elsewhere")
    (home / "clips").symlink_to(tmp_path / "elsewhere")
    (home / "again").symlink_to(root)
    report = go(root, tmp_path / "out")
    assert all(part.kept.rows == part.rows for part in report.parts)


def test_splits_whose_manifests_would_share_a_name_are_told(
    tmp_path: Path, make: Any, release: dict[str, bytes]
) -> None:
    path = make.tar(tmp_path / "cv.tar.gz", release)
    with pytest.raises(UsageError, match=r"two manifests would be called train-all-x\.csv"):
        go(path, tmp_path / "out", parts=["train", "train-all"], split="x=0.5,all-x=0.5")


def test_a_reported_clip_of_spontaneous_speech_is_in_no_manifest(tmp_path: Path, make: Any, sound: bytes) -> None:
    folder = "sps-corpus-5.0-2026-09-11-en/"
    file = "spontaneous-speech-en-1.mp3"
    row = {"client_id": "ann", "audio_file": file, "transcription": "bad words", "split": "train"}
    good = {**row, "audio_file": file.replace("1", "2"), "transcription": "good words"}
    members = {
        f"{folder}ss-corpus-en.tsv": table(SPONTANEOUS, row, good),
        f"{folder}ss-reported-audios-en.tsv": table(["audio_file", "reason"], {"audio_file": file, "reason": "other"}),
        **{f"{folder}audios/{name}": sound for name in (file, good["audio_file"])},
    }
    go(make.tar(tmp_path / "sps.tar", members), tmp_path / "out")
    assert [one.transcript for one in read_manifest(tmp_path / "out" / "train.csv")] == ["good words"]
    assert [reason for _, _, reason in rejected(tmp_path / "out")] == ["excluded", "excluded"]


def test_an_archive_beside_its_unpacked_folder_is_told(tmp_path: Path, make: Any, release: dict[str, bytes]) -> None:
    make.tar(tmp_path / "in" / "cv-corpus-19.0-2024-09-13-en.tar.gz", release)
    make.folder(tmp_path / "in", release)
    with pytest.raises(SourceError, match="name either the archives or the folder with the files"):
        go(tmp_path / "in", tmp_path / "out")
