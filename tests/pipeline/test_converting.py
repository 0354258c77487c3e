"""Converting: there and back again, what is lost is said, and nothing is written where it should not be."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from dsprep.cli import main
from dsprep.manifests import DataError, OutputError, Sample, UsageError, manifest_bytes, read_manifest
from dsprep.pipeline.converting import convert, losses
from dsprep.pipeline.copying import CHUNK
from dsprep.pipeline.formats import FORMATS, Audio, Entry, Format
from dsprep.pipeline.reading import audio_bytes
from dsprep.pipeline.shards.placement import Sharding
from dsprep.pipeline.shards.sharding import shard
from dsprep.pipeline.sound.audio import decode, encode

READABLE = [one for one in FORMATS.values() if one.read]


def sound_and_text(samples: list[Sample]) -> dict[str, tuple[bytes, str]]:
    return {one.id: (audio_bytes(one), one.transcript) for one in samples}


def back(place: Path, out: Path) -> list[Sample]:
    """The samples of a converted folder, as `dsprep` has them."""
    convert(place, out, FORMATS["dsprep"])
    return read_manifest(out / "manifest.csv")


@pytest.mark.parametrize("copies", [False, True], ids=["named", "copied"])
@pytest.mark.parametrize("form", READABLE, ids=lambda form: form.name)
def test_there_and_back_again_nothing_is_changed_but_what_was_said(
    form: Format, copies: bool, digits: Path, tmp_path: Path
) -> None:
    if form.holds.audio is Audio.INSIDE and not copies:
        with pytest.raises(UsageError, match=r"12 of 12 samples cannot stand in audiofolder .* add --copy-audio"):
            convert(digits / "dev-clean.csv", tmp_path / "there", form)
        assert not (tmp_path / "there").exists()
        return
    report = convert(digits / "dev-clean.csv", tmp_path / "there", form, copy_audio=copies)
    before, after = read_manifest(digits / "dev-clean.csv"), back(tmp_path / "there", tmp_path / "back")
    assert sound_and_text(after) == sound_and_text(before)
    if form.holds.speaker:
        assert [one.speaker for one in after] == [one.speaker for one in before]
    if form.holds.duration:
        assert [one.duration for one in after] == [one.duration for one in before]
    assert [note.split(";")[0] for note in report.notes] == [
        f"lost: {what} of 12 samples" for what in ("duration", "speaker") if not getattr(form.holds, what)
    ]


@pytest.mark.parametrize("form", FORMATS.values(), ids=lambda form: form.name)
def test_the_same_samples_in_any_order_make_the_same_bytes(
    form: Format, digits: Path, tmp_path: Path, make: Any
) -> None:
    copies = form.holds.audio is Audio.INSIDE
    header, *rows = (digits / "dev-clean.csv").read_text().splitlines(keepends=True)
    (tmp_path / "other.csv").write_text("".join([header, *reversed(rows)]))
    trees = []
    for source in (digits / "dev-clean.csv", tmp_path / "other.csv"):
        convert(source, tmp_path / "out", form, root=digits, copy_audio=copies)
        trees.append(make.tree(tmp_path / "out"))
    assert trees[0] == trees[1]
    assert not any(name.endswith(".tmp") or name.startswith(".") for name in trees[0])


def test_what_is_copied_is_not_copied_again(digits: Path, tmp_path: Path) -> None:
    times = []
    for _ in range(2):
        convert(digits / "dev-clean.csv", tmp_path / "out", FORMATS["nemo"], copy_audio=True)
        times.append(sorted(path.stat().st_ino for path in (tmp_path / "out" / "audio").rglob("*.wav")))
    assert times[0] == times[1]
    assert len(times[0]) == 12


@pytest.mark.slow
def test_what_failed_half_way_goes_on_and_ends_with_the_same_bytes(tmp_path: Path, make: Any) -> None:
    (tmp_path / "in").mkdir()
    data = make.flac(make.tone(0.02))
    names = [f"a{number:03d}" for number in range(CHUNK + 2)]
    lines = [json.dumps({"audio_filepath": f"{name}.flac", "duration": 0.02, "text": "t"}) for name in names]
    (tmp_path / "in" / "m.json").write_text("\n".join(lines))
    for name in names:
        (tmp_path / "in" / f"{name}.flac").write_bytes(data)
    last = tmp_path / "in" / f"{names[-1]}.flac"
    last.write_bytes(data[:-100])
    with pytest.raises(DataError, match=f"{names[-1]}: "):
        convert(tmp_path / "in" / "m.json", tmp_path / "out", FORMATS["kaldi"], copy_audio=True, workers=2)
    assert not (tmp_path / "out" / "convert.json").exists()
    assert (tmp_path / "out" / "audio" / "00000.json").exists()
    last.write_bytes(data)
    convert(tmp_path / "in" / "m.json", tmp_path / "out", FORMATS["kaldi"], copy_audio=True)
    first = make.tree(tmp_path / "out")
    (tmp_path / "out").rename(tmp_path / "first")
    convert(tmp_path / "in" / "m.json", tmp_path / "out", FORMATS["kaldi"], copy_audio=True, workers=2)
    assert make.tree(tmp_path / "out") == first


def test_audio_in_tars_becomes_files_on_request_alone(digits: Path, tmp_path: Path) -> None:
    shard([digits / "dev-clean.csv"], tmp_path / "shards", Sharding(shard_bytes=100_000), 1)
    with pytest.raises(UsageError, match=r"12 of 12 samples .* lies in the tar .*--copy-audio"):
        convert(tmp_path / "shards", tmp_path / "out", FORMATS["nemo"])
    convert(tmp_path / "shards", tmp_path / "out", FORMATS["nemo"], copy_audio=True)
    after = back(tmp_path / "out", tmp_path / "back")
    assert sound_and_text(after) == sound_and_text(read_manifest(digits / "dev-clean.csv"))
    convert(tmp_path / "shards", tmp_path / "same", FORMATS["dsprep"])
    assert sound_and_text(read_manifest(tmp_path / "same" / "manifest.csv")) == sound_and_text(after)


def long_talk(home: Path, make: Any) -> Path:
    """A Kaldi folder of one file of 1 s and three segments, the last of them all of it."""
    home.mkdir()
    (home / "talk.wav").write_bytes(encode(make.tone(1.0), "wav"))
    (home / "wav.scp").write_text("talk talk.wav\n")
    (home / "segments").write_text("a talk 0.0 0.25\nb talk 0.25 -1\nc talk 0.00 1.000\n")
    (home / "text").write_text("a one\nb two\nc one two\n")
    (home / "utt2spk").write_text("a x\nb x\nc x\n")
    return home


def test_pieces_of_a_file_are_cut_at_their_times(tmp_path: Path, make: Any) -> None:
    talk = long_talk(tmp_path / "talk", make)
    with pytest.raises(UsageError, match=r"2 of 3 samples .* the audio of a is a piece of .*--copy-audio"):
        convert(talk, tmp_path / "out", FORMATS["nemo"])
    report = convert(talk, tmp_path / "out", FORMATS["dsprep"], copy_audio=True)
    assert report.notes == ("changed: audio of 2 samples is now 16 kHz mono WAV",)
    samples = read_manifest(tmp_path / "out" / "manifest.csv")
    whole = make.tone(1.0)
    pieces = [whole[:4000], whole[4000:], whole]
    for one, piece in zip(samples, pieces, strict=True):
        assert np.array_equal(decode(audio_bytes(one)), piece)
        assert one.duration == len(piece) / 16_000
    assert (tmp_path / "out" / "audio" / "00000" / "c.wav").read_bytes() == (talk / "talk.wav").read_bytes()


def test_the_duration_of_a_piece_is_that_of_what_was_cut(tmp_path: Path, make: Any) -> None:
    talk = long_talk(tmp_path / "talk", make)
    row = {"audio_filepath": "talk.wav", "offset": 0.25, "duration": 0.12345, "text": "one"}
    (talk / "m.json").write_text(json.dumps(row))
    convert(talk / "m.json", tmp_path / "out", FORMATS["dsprep"], copy_audio=True)
    (one,) = read_manifest(tmp_path / "out" / "manifest.csv")
    assert one.duration == len(decode(audio_bytes(one))) / 16_000 == 1975 / 16_000


def test_one_channel_of_a_stereo_file_is_taken_alone(tmp_path: Path, make: Any) -> None:
    left, right = make.tone(0.5, 300), make.tone(0.5, 500)
    (tmp_path / "in").mkdir()
    soundfile.write(tmp_path / "in" / "call.wav", np.stack([left, right], axis=1), 16_000, subtype="PCM_16")
    (tmp_path / "in" / "wav.scp").write_text("call call.wav\n")
    (tmp_path / "in" / "segments").write_text("l call 0 -1 0\nr call 0 -1 1\n")
    (tmp_path / "in" / "text").write_text("l one\nr two\n")
    (tmp_path / "in" / "utt2spk").write_text("l l\nr r\n")
    convert(tmp_path / "in", tmp_path / "out", FORMATS["dsprep"], copy_audio=True)
    samples = read_manifest(tmp_path / "out" / "manifest.csv")
    found = [decode(audio_bytes(one)).astype(int) for one in samples]
    assert max(np.abs(found[0] - left).max(), np.abs(found[1] - right).max()) <= 1


def test_durations_that_nobody_told_are_measured(digits: Path, tmp_path: Path) -> None:
    convert(digits / "dev-clean.csv", tmp_path / "plain", FORMATS["deepspeech"])
    for name in ("nemo", "kaldi", "lhotse"):
        convert(tmp_path / "plain", tmp_path / name, FORMATS[name])
        after = back(tmp_path / name, tmp_path / f"{name}-back")
        assert [one.duration for one in after] == [one.duration for one in read_manifest(digits / "dev-clean.csv")]


def flac_manifest(home: Path, make: Any) -> Path:
    home.mkdir()
    data = make.flac(make.tone(0.5))
    (home / "a.flac").write_bytes(data)
    one = Sample(id="a", path=home / "a.flac", size=len(data), transcript="one")
    (home / "m.csv").write_bytes(manifest_bytes([one], home))
    return home / "m.csv"


def test_kaldi_gets_wav_and_nothing_else(tmp_path: Path, make: Any) -> None:
    source = flac_manifest(tmp_path / "in", make)
    with pytest.raises(UsageError, match=r"a is no WAV file: .*a.flac; add --copy-audio"):
        convert(source, tmp_path / "out", FORMATS["kaldi"])
    convert(source, tmp_path / "out", FORMATS["kaldi"], copy_audio=True)
    wav = (tmp_path / "out" / "audio" / "00000" / "a.wav").read_bytes()
    assert wav == bytes(encode(make.tone(0.5), "wav"))
    convert(source, tmp_path / "nemo", FORMATS["nemo"], copy_audio=True)
    assert (tmp_path / "nemo" / "audio" / "00000" / "a.flac").read_bytes() == (tmp_path / "in/a.flac").read_bytes()


def test_audio_that_has_changed_is_copied_again_and_what_fails_then_leaves_no_mark(tmp_path: Path, make: Any) -> None:
    source, out = flac_manifest(tmp_path / "in", make), tmp_path / "out"
    audio, copy = tmp_path / "in" / "a.flac", out / "audio" / "00000" / "a.wav"
    convert(source, out, FORMATS["kaldi"], copy_audio=True)
    data = audio.read_bytes()
    before = copy.read_bytes()
    audio.write_bytes(data[:200] + bytes(len(data) - 200))
    with pytest.raises(DataError, match="a: "):
        convert(source, out, FORMATS["kaldi"], copy_audio=True)
    assert not (out / "convert.json").exists()
    audio.write_bytes(data)
    convert(source, out, FORMATS["kaldi"], copy_audio=True)
    assert copy.read_bytes() == before


def test_damaged_audio_is_named_and_leaves_no_mark(tmp_path: Path, make: Any) -> None:
    source = flac_manifest(tmp_path / "in", make)
    data = (tmp_path / "in" / "a.flac").read_bytes()
    (tmp_path / "in" / "a.flac").write_bytes(data[:200] + bytes(len(data) - 200))
    with pytest.raises(DataError, match=r"a: .*a\.flac: "):
        convert(source, tmp_path / "out", FORMATS["kaldi"], copy_audio=True)
    assert not (tmp_path / "out" / "convert.json").exists()


def test_a_file_that_is_gone_or_has_changed_is_named(digits: Path, tmp_path: Path, make: Any) -> None:
    source = flac_manifest(tmp_path / "in", make)
    (tmp_path / "in" / "a.flac").write_bytes(b"shorter")
    with pytest.raises(DataError, match=r"a: .*a\.flac has 7 bytes"):
        convert(source, tmp_path / "out", FORMATS["nemo"])
    (tmp_path / "in" / "a.flac").unlink()
    with pytest.raises(DataError, match=r"a: .*a\.flac is gone"):
        convert(source, tmp_path / "out", FORMATS["nemo"])


def test_what_an_earlier_convert_wrote_and_this_one_does_not_is_removed(digits: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    convert(digits / "dev-clean.csv", out, FORMATS["deepspeech.pytorch"], copy_audio=True)
    assert (out / "audio" / "00000.json").exists()
    convert(digits / "test-clean.csv", out, FORMATS["deepspeech.pytorch"])
    assert sorted(path.name for path in out.iterdir()) == ["convert.json", "pytorch_manifest.json", "txt"]
    assert len(list((out / "txt" / "00000").iterdir())) == 6


def test_tables_that_are_not_needed_any_more_are_removed(digits: Path, tmp_path: Path) -> None:
    samples = [replace(one, speaker=f"No {one.speaker}") for one in read_manifest(digits / "dev-clean.csv")]
    (tmp_path / "in.csv").write_bytes(manifest_bytes(samples, tmp_path))
    convert(tmp_path / "in.csv", tmp_path / "out", FORMATS["kaldi"])
    assert (tmp_path / "out" / "utt2id").exists()
    assert (tmp_path / "out" / "spk2name").exists()
    convert(digits / "dev-clean.csv", tmp_path / "out", FORMATS["kaldi"])
    assert not (tmp_path / "out" / "utt2id").exists()
    assert not (tmp_path / "out" / "spk2name").exists()


def test_a_folder_that_is_not_of_this_convert_is_left_alone(digits: Path, tmp_path: Path, make: Any) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "wav.scp").write_text("keep me")
    convert(digits / "dev-clean.csv", tmp_path / "nemo", FORMATS["nemo"])
    before = make.tree(tmp_path)
    with pytest.raises(OutputError, match="not empty and was not made by dsprep convert"):
        convert(digits / "dev-clean.csv", tmp_path / "theirs", FORMATS["kaldi"])
    with pytest.raises(OutputError, match="holds nemo of an earlier convert"):
        convert(digits / "dev-clean.csv", tmp_path / "nemo", FORMATS["kaldi"])
    assert make.tree(tmp_path) == before


def test_nothing_is_read_from_the_folder_that_is_written(digits: Path, tmp_path: Path) -> None:
    convert(digits / "dev-clean.csv", tmp_path / "out", FORMATS["nemo"], copy_audio=True)
    convert(tmp_path / "out", tmp_path / "beside", FORMATS["nemo"])
    for source in (tmp_path / "out", tmp_path / "out" / "nemo_manifest.json", tmp_path / "beside"):
        with pytest.raises(OutputError, match="holds what is to be read"):
            convert(source, tmp_path / "out", FORMATS["nemo"], copy_audio=True)


@pytest.mark.parametrize("name", ["dsprep", "deepspeech", "nemo", "audiofolder", "deepspeech.pytorch"])
def test_a_data_set_can_be_moved_with_the_audio_it_names(name: str, digits: Path, tmp_path: Path) -> None:
    convert(digits / "dev-clean.csv", tmp_path / name, FORMATS[name], copy_audio=True)
    moved = (tmp_path / name).rename(tmp_path / "moved")
    # deepspeech.pytorch's root_path is absolute, and --root overrules it.
    convert(moved, tmp_path / "back", FORMATS["dsprep"], root=moved)
    after = read_manifest(tmp_path / "back" / "manifest.csv")
    assert sound_and_text(after) == sound_and_text(read_manifest(digits / "dev-clean.csv"))


def test_each_loss_is_a_line_with_its_count_and_who_holds_it() -> None:
    one = Sample(id="a", path=Path("x/b.wav"), size=0, transcript="two  words", speaker="s", extras=(("age", "9"),))
    assert losses([one], [Entry(sample=one)], FORMATS["dsprep"]) == []
    assert losses([one], [Entry(sample=one)], FORMATS["trn"]) == [
        "lost: audio of 1 samples; held by dsprep, deepspeech, deepspeech.pytorch, deepspeech.pytorch-csv, nemo, kaldi,"
        " lhotse, audiofolder",
        "lost: columns age of 1 samples; held by dsprep, nemo, lhotse, audiofolder",
        "lost: spacing of the words of 1 samples; held by dsprep, deepspeech, deepspeech.pytorch, "
        "deepspeech.pytorch-csv, nemo, lhotse, audiofolder",
    ]
    assert [note.split(";")[0] for note in losses([one], [Entry(sample=one)], FORMATS["deepspeech"])] == [
        "lost: id of 1 samples",
        "lost: speaker of 1 samples",
        "lost: columns age of 1 samples",
    ]


def test_the_command_says_what_it_did_and_what_is_lost(digits: Path, tmp_path: Path) -> None:
    arguments = ["convert", str(digits / "dev-clean.csv"), str(tmp_path / "out"), "--to", "deepspeech"]
    ran = CliRunner().invoke(main, arguments)
    assert ran.exit_code == 0, ran.output
    assert ran.stdout == f"12 samples from dsprep to deepspeech: {tmp_path / 'out' / 'deepspeech.csv'}\n"
    assert "note: lost: speaker of 12 samples; held by dsprep, nemo" in ran.stderr
    assert json.loads((tmp_path / "out" / "convert.json").read_text())["notes"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--to", "kaldy"], "there is no format 'kaldy': did you mean kaldi?"),
        (["--to", "trn", "--copy-audio"], "trn holds no audio: leave out --copy-audio"),
        (["--to", "nemo", "--from", "trn"], "trn cannot be read: it holds no audio"),
        (["--to", "nemo", "--from", "lhotse"], "dev-clean.csv:1: Expecting value"),
    ],
)
def test_a_wrong_format_is_one_line(arguments: list[str], message: str, digits: Path, tmp_path: Path) -> None:
    ran = CliRunner().invoke(main, ["convert", str(digits / "dev-clean.csv"), str(tmp_path / "out"), *arguments])
    assert ran.exit_code == 1
    assert message in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_help_lists_the_table_of_formats() -> None:
    shown = CliRunner().invoke(main, ["convert", "--help"]).output
    for name in FORMATS:
        assert f"\n  {name} " in shown


@pytest.mark.parametrize("name", [one.name for one in READABLE if one.holds.audio is not Audio.INSIDE])
def test_links_to_folders_lead_to_the_same_audio(name: str, digits: Path, tmp_path: Path) -> None:
    """`data` is a link, and its manifest goes up from it: by name alone that would be a folder beside the link."""
    there, here = tmp_path / "disk/with/sets/data", tmp_path / "home/of"
    there.mkdir(parents=True)
    here.mkdir(parents=True)
    samples = read_manifest(digits / "dev-clean.csv")
    (there / "m.csv").write_bytes(manifest_bytes(samples, there))
    (here / "data").symlink_to(there)
    (tmp_path / "far/away").mkdir(parents=True)
    (here / "out").symlink_to(tmp_path / "far/away")
    convert(here / "data/m.csv", here / "out", FORMATS[name])
    assert [one.path.resolve() for one in back(here / "out", tmp_path / "back")] == [
        one.path.resolve() for one in samples
    ]


def test_a_nemo_row_without_offset_is_a_piece_from_the_beginning(tmp_path: Path, make: Any) -> None:
    row = {"audio_filepath": str(long_talk(tmp_path / "in", make) / "talk.wav"), "duration": 0.5, "text": "only this"}
    (tmp_path / "nemo.json").write_text(json.dumps(row) + "\n")
    with pytest.raises(UsageError, match="add --copy-audio"):
        convert(tmp_path / "nemo.json", tmp_path / "named", FORMATS["dsprep"], FORMATS["nemo"])
    convert(tmp_path / "nemo.json", tmp_path / "out", FORMATS["dsprep"], FORMATS["nemo"], copy_audio=True)
    (sample,) = read_manifest(tmp_path / "out" / "manifest.csv")
    assert (sample.duration, len(decode(audio_bytes(sample)))) == (0.5, 8000)


def test_the_list_of_what_was_left_out_is_told_from_a_manifest(digits: Path) -> None:
    with pytest.raises(DataError, match="lists the rows that an import left out"):
        read_manifest(digits / "rejected.csv")
