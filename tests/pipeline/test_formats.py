"""Formats: a reader undoes its writer, and says by file and line what it cannot take."""

import gzip
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsprep.manifests import DataError, Sample, UsageError
from dsprep.pipeline.formats import FORMATS, Audio, Clip, Entry, Format, Sound, guess
from dsprep.pipeline.formats.deepspeech_pytorch import text_bytes
from dsprep.pipeline.sound.audio import encode

WAV = bytes(encode(np.zeros(160, np.int16), "wav"))
SOUND = Sound(160, 16_000, 1)
READABLE = [one for one in FORMATS.values() if one.read]
BOTH_WAYS = pytest.mark.parametrize("form", READABLE, ids=lambda form: form.name)

# No control characters, and no byte order mark, which at the start of a file is none of its text.
text = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufeff"), max_size=12)
sample = st.builds(
    Sample,
    id=st.text("abAB01_-", min_size=1, max_size=6),
    path=st.just(Path("later.wav")),
    size=st.just(len(WAV)),
    transcript=text,
    duration=st.just(SOUND.seconds),
    speaker=st.one_of(text, st.sampled_from(["", "a", "a-b", "ab"])),
    extras=st.dictionaries(st.sampled_from(["gender", "accent", "Age group", "language"]), text).map(
        lambda extras: tuple(sorted(extras.items()))
    ),
)
# Ids that differ in more than case, so that each can be a file on any disk.
samples_of = st.lists(sample, min_size=1, max_size=5, unique_by=lambda one: one.id.lower())


def write(form: Format, samples: list[Sample], home: Path) -> list[Sample]:
    """Write samples as `form` into `home`, each with a file of its own there; them, where they are."""
    placed = []
    for one in sorted(samples, key=lambda one: one.id):
        path = home / "audio" / f"{one.id}.wav"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(WAV)
        path.with_suffix(".txt").write_bytes(text_bytes(one.transcript))
        placed.append(replace(one, path=path))
    entries = [Entry(sample=one, sound=SOUND, text=one.path.with_suffix(".txt")) for one in placed]
    for name, data in form.write(entries, home).items():
        (home / name).write_bytes(data)
    return placed


def held(one: Sample, form: Format) -> tuple[object, ...]:
    """What of a sample `form` can hold."""

    def words(value: str) -> str:
        return value if form.holds.spacing else " ".join(value.split())

    return (
        one.id,
        one.path.resolve(),
        one.size,
        one.offset,
        words(one.transcript),
        one.duration if form.holds.duration else None,
        words(one.speaker) if form.holds.speaker else "",
        {name: value for name, value in one.extras if value} if form.holds.extras else {},
    )


def read(form: Format, place: Path) -> list[Clip]:
    assert form.read
    return list(form.read(place, None))


def files(home: Path, contents: Mapping[str, str]) -> Path:
    for name, content in contents.items():
        (home / name).write_text(content, encoding="utf-8")
    return home


@BOTH_WAYS
@given(samples=samples_of)
@settings(max_examples=15, deadline=None)
def test_reading_undoes_writing(form: Format, samples: list[Sample]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        placed = write(form, samples, home)
        clips = sorted(read(form, home), key=lambda clip: clip.sample.id)
        assert [held(clip.sample, form) for clip in clips] == [held(one, form) for one in placed]
        assert all((clip.start, clip.end) in ((0, None), (0, clip.sample.duration)) for clip in clips)


@BOTH_WAYS
def test_what_was_written_tells_its_format(form: Format, tmp_path: Path) -> None:
    write(form, [Sample(id="a", path=Path(), size=len(WAV), transcript="t", duration=0.01)], tmp_path)
    assert guess(tmp_path) is form
    renamed = tmp_path / f"other{''.join(Path(form.mains[0]).suffixes)}"
    if form.name not in ("kaldi", "deepspeech"):  # a table of two words could be anything; the CSV is also dsprep's
        (tmp_path / form.mains[0]).rename(renamed)
        assert guess(renamed) is form


@given(samples=samples_of)
@settings(max_examples=20, deadline=None)
def test_kaldi_tables_are_sorted_as_its_validator_wants(samples: list[Sample]) -> None:
    """utils/validate_data_dir.sh sorts each table by its first word, and utt2spk by its second, in the C locale."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        write(FORMATS["kaldi"], samples, home)
        environment = {**os.environ, "LC_ALL": "C"}
        for name in ("wav.scp", "text", "utt2spk", "spk2utt", "utt2dur"):
            subprocess.run(["sort", "-c", "-u", "-k1,1", str(home / name)], check=True, env=environment)
        by_speaker = subprocess.run(
            ["sort", "-k2", str(home / "utt2spk")], check=True, env=environment, capture_output=True
        )
        assert by_speaker.stdout == (home / "utt2spk").read_bytes()


def test_kaldi_names_utterances_by_speaker_only_where_that_is_needed(tmp_path: Path) -> None:
    def one(name: str, speaker: str) -> Sample:
        return Sample(id=name, path=Path(), size=len(WAV), transcript="t", duration=0.01, speaker=speaker)

    write(FORMATS["kaldi"], [one("19-1", "19"), one("26-1", "26"), one("27", "")], tmp_path)
    assert (tmp_path / "utt2spk").read_text() == "19-1 19\n26-1 26\n27 27\n"
    assert not (tmp_path / "utt2id").exists()
    write(FORMATS["kaldi"], [one("1", "Ann O'Hara"), one("2", "bob"), one("3", "Ann O'Hara")], tmp_path)
    assert (tmp_path / "utt2spk").read_text() == "Ann_O_Hara-1 Ann_O_Hara\nAnn_O_Hara-3 Ann_O_Hara\nbob-2 bob\n"
    assert [clip.sample.speaker for clip in read(FORMATS["kaldi"], tmp_path)] == ["Ann O'Hara", "Ann O'Hara", "bob"]


def test_a_speaker_is_never_taken_for_a_speakerless_utterance(tmp_path: Path) -> None:
    def one(name: str, speaker: str) -> Sample:
        return Sample(id=name, path=Path(), size=len(WAV), transcript="t", duration=0.01, speaker=speaker)

    write(FORMATS["kaldi"], [one("b", ""), one("b-1", "b")], tmp_path)
    assert len((tmp_path / "spk2utt").read_text().splitlines()) == 2
    write(FORMATS["kaldi"], [one("b", "b")], tmp_path)
    assert [clip.sample.speaker for clip in read(FORMATS["kaldi"], tmp_path)] == ["b"]


def test_trn_puts_speakers_before_ids_unless_all_have_them(tmp_path: Path) -> None:
    def lines(*samples: tuple[str, str]) -> list[str]:
        write(
            FORMATS["trn"],
            [Sample(id=name, path=Path(), size=0, transcript=" t  u", speaker=who) for name, who in samples],
            tmp_path,
        )
        return (tmp_path / "text.trn").read_text().splitlines()

    assert lines(("19-1", "19"), ("26_1", "26")) == ["t u (19-1)", "t u (26_1)"]
    assert lines(("19-1", "19"), ("2", "Spk 7")) == ["t u (19-19-1)", "t u (Spk7-2)"]
    one, other = lines(("1", "a b"), ("2", "ab"))
    assert one.split("(")[1].split("-")[0] != other.split("(")[1].split("-")[0], "two speakers stay two"
    with pytest.raises(DataError, match="name all speakers"):
        lines(("b", "a"), ("a-b", ""))


GOOD = '{"audio_filepath": "a.wav", "duration": 0.01, "text": "t"}\n'
BAD_NEMO = {
    '{"audio_filepath": "a.wav", "duration": NaN, "text": "t"}': "NaN is not JSON",
    '{"audio_filepath": "a.wav", "duration": 1e999, "text": "t"}': "not a number of seconds",
    f'{{"audio_filepath": "a.wav", "duration": 1{"0" * 400}, "text": "t"}}': "too many digits",
    '{"audio_filepath": "a.wav", "duration": true, "text": "t"}': "True is not a number of seconds",
    '{"audio_filepath": "a.wav", "duration": 1, "text": "t", "text": "u"}': "'text' appears twice",
    '{"duration": 1, "text": "t"}': "it has no audio_filepath",
    '{"audio_filepath": "a.wav", "duration": 1}': "it has no text",
    '{"audio_filepath": "b.wav", "duration": 1, "text": "t"}': "b.wav is not there .*--root",
    '{"audio_filepath": "a\\u0000.wav", "duration": 1, "text": "t"}': "is not there",
    '{"audio_filepath": "a.wav", "text": "t", "offset": 1.0}': "offset without duration",
    '{"audio_filepath": "a.wav", "duration": 1, "text": "t", "offset": -1.0}': "bad times",
    '{"audio_filepath": "a.wav", "duration": 1, "text": "t", "shard_id": 0}': "untar its audio",
    '{"audio_filepath": "a.wav", "duration": 1, "text": "\\ud800"}': "half a character",
    '["a.wav"]': "not a JSON object",
    '{"audio_filepath": "a.wav"': "Expecting",
    "[" * 100_000: "nested too deep",
}


@pytest.mark.parametrize(("line", "message"), BAD_NEMO.items(), ids=list(BAD_NEMO.values()))
def test_a_bad_line_is_named_by_file_and_number(line: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(WAV)
    place = files(tmp_path, {"m.json": f"{GOOD}\n{line}\n"}) / "m.json"
    with pytest.raises(DataError, match=re.escape(f"{place}:3: ") + f".*{message}"):
        read(FORMATS["nemo"], place)


def test_an_id_that_appears_twice_is_named_by_line(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(WAV)
    row = '{"audio_filepath": "a.wav", "duration": 0.01, "text": "t", "id": "x"}\n'
    place = files(tmp_path, {"m.json": row * 2}) / "m.json"
    with pytest.raises(DataError, match=r"m\.json:2: id x appears twice"):
        read(FORMATS["nemo"], place)


def test_pieces_of_one_file_get_ids_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(WAV)
    lines = [{"audio_filepath": "a.wav", "offset": n / 1000, "duration": 0.001, "text": "t"} for n in range(3)]
    place = files(tmp_path, {"m.json": "".join(json.dumps(line) + "\n" for line in lines)}) / "m.json"
    clips = read(FORMATS["nemo"], place)
    assert [(clip.sample.id, clip.start, clip.end) for clip in clips] == [
        ("a", 0.0, 0.001),
        ("a-2", 0.001, 0.002),
        ("a-3", 0.002, 0.003),
    ]


KALDI = {"wav.scp": "u a.wav\n", "text": "u one  two\n", "utt2spk": "u s\n"}
BAD_KALDI = {
    "wav.scp:1: a command; dsprep runs no commands": {"wav.scp": "u sph2pipe -f wav a.sph |\n"},
    "wav.scp:1: a.ark:17 is a place in an archive": {"wav.scp": "u a.ark:17\n"},
    "wav.scp:1: b.wav is not there": {"wav.scp": "u b.wav\n"},
    "wav.scp:2: u appears twice": {"wav.scp": "u a.wav\nu a.wav\n"},
    "wav.scp:1: u is not in text": {"text": "v one\n"},
    "text:2: v is not in wav.scp: take": {"text": "u one\nv two\n"},
    "text:2: v is not in segments: take": {"text": "u one\nv two\n", "segments": "u u 0 0.01\n"},
    "segments:1:  is not in wav.scp": {"segments": "u\n"},
    "wav.scp:1: u is not in utt2spk": {"utt2spk": "v s\n"},
    "segments:1: r is not in wav.scp": {"segments": "u r 0 1\n"},
    "segments:1: could not convert string to float": {"segments": "u u x 1\n"},
    "segments:1: u: bad times": {"segments": "u u 1 0.5\n"},
    "segments:1: u: bad times inf": {"segments": "u u inf -1\n"},
    "segments:1: u: there is no channel -1": {"segments": "u u 0 1 -1\n"},
    "segments:1: not utterance, recording, start, end": {"segments": "u u 1\n"},
}


@pytest.mark.parametrize(("message", "changed"), BAD_KALDI.items(), ids=list(BAD_KALDI))
def test_what_kaldi_can_do_and_we_cannot_is_refused_by_line(
    message: str, changed: Mapping[str, str], tmp_path: Path
) -> None:
    (tmp_path / "a.wav").write_bytes(WAV)
    files(tmp_path, {**KALDI, **changed})
    with pytest.raises(DataError, match=re.escape(message)):
        read(FORMATS["kaldi"], tmp_path)


def test_a_name_that_is_no_id_of_ours_is_kept_beside_the_one_it_gets(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(WAV)
    name = "AlGore/27.35"
    files(tmp_path, {"wav.scp": f"{name} a.wav\n", "text": f"{name} hi\n", "utt2spk": f"{name} s\n"})
    (clip,) = read(FORMATS["kaldi"], tmp_path)
    assert (clip.sample.id, clip.sample.extras) == ("AlGore-27-35", (("original_id", name),))


RECORDING = {"id": "r", "sources": [{"type": "file", "channels": [0], "source": "a.wav"}], "duration": 0.01}
SUPERVISION = {"id": "s", "recording_id": "r", "start": 0, "duration": 0.01, "channel": 0, "text": "t"}
CUT = {"id": "c", "start": 0, "duration": 0.01, "channel": 0, "type": "MonoCut"}


def cut(recording: Mapping[str, object] = {}, supervision: Mapping[str, object] = {}, **fields: object) -> str:
    rows = {"recording": RECORDING | dict(recording), "supervisions": [SUPERVISION | dict(supervision)]}
    return json.dumps({**CUT, **rows, **fields}) + "\n"


BAD_CUTS = {
    "a MixedCut": cut(type="MixedCut"),
    "not one plain file": cut({"sources": [{"type": "command", "channels": [0], "source": "rm -rf x"}]}),
    "changes while it reads": cut({"transforms": [{"name": "Speed"}]}),
    "no duration": cut(supervision={"duration": None}),
    "channel 1 of a file with channels [0]": cut(supervision={"id": "t", "channel": 1}),
    "channel 1 of a file with channels 0": cut(
        {"sources": [{"type": "file", "channels": 0, "source": "a.wav"}]}, {"id": "t", "channel": 1}
    ),
    "a cut without supervisions": cut(supervisions=[]),
    "it has no list of supervisions": cut(supervisions=None),
    "it has no recording": json.dumps({**CUT, "supervisions": [SUPERVISION]}),
}


@pytest.mark.parametrize(("message", "line"), BAD_CUTS.items(), ids=list(BAD_CUTS))
def test_what_lhotse_can_do_and_we_cannot_is_refused_by_line(message: str, line: str, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(WAV)
    (tmp_path / "cuts.jsonl.gz").write_bytes(gzip.compress((cut() + line).encode()))
    with pytest.raises(DataError, match=re.escape("cuts.jsonl.gz:2: ") + ".*" + re.escape(message)):
        read(FORMATS["lhotse"], tmp_path)


def test_times_of_a_supervision_begin_with_its_cut(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(WAV)
    pieces = [cut(start=0.004, supervision={"duration": 0.002}), cut(start=0.004, supervision={"id": "t"})]
    (tmp_path / "cuts.jsonl.gz").write_bytes(gzip.compress("".join(pieces).encode()))
    assert [(clip.start, clip.end) for clip in read(FORMATS["lhotse"], tmp_path)] == [(0.004, 0.006), (0.004, 0.014)]


def test_what_is_gzipped_holds_no_time(tmp_path: Path) -> None:
    write(FORMATS["lhotse"], [Sample(id="a", path=Path(), size=0, transcript="t")], tmp_path)
    assert (tmp_path / "cuts.jsonl.gz").read_bytes()[4:8] == bytes(4)


def test_recordings_and_supervisions_are_read_without_cuts(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(WAV)
    pieces = [SUPERVISION, {**SUPERVISION, "id": "later", "start": 0.004, "duration": 0.002}]
    files(
        tmp_path,
        {
            "recordings.jsonl": json.dumps(RECORDING) + "\n",
            "supervisions.jsonl": "".join(json.dumps(piece) + "\n" for piece in pieces),
        },
    )
    assert guess(tmp_path).name == "lhotse"
    whole, piece = read(FORMATS["lhotse"], tmp_path)
    assert whole.whole
    assert (piece.sample.id, piece.start, piece.end) == ("later", 0.004, 0.006)


def test_a_column_with_a_name_of_ours_keeps_clear_of_ours(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(WAV)
    row = {"audio_filepath": "a.wav", "duration": 0.01, "text": "said", "transcript": "written", "lang": None, "n": 3}
    place = files(tmp_path, {"m.json": json.dumps(row) + "\n"}) / "m.json"
    (clip,) = read(FORMATS["nemo"], place)
    assert clip.sample.transcript == "said"
    assert clip.sample.extras == (("original_transcript", "written"), ("lang", ""), ("n", "3"))


def test_root_says_where_relative_paths_begin(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.wav").write_bytes(WAV)
    place = files(tmp_path, {"m.json": GOOD}) / "m.json"
    reader = FORMATS["nemo"].read
    assert reader
    (clip,) = reader(place, tmp_path / "elsewhere")
    assert clip.sample.path == tmp_path / "elsewhere" / "a.wav"


def test_a_metadata_csv_of_others_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(WAV)
    files(tmp_path, {"metadata.csv": 'file_name,sentence,age\na.wav,"null, ""NA""",17\n'})
    (clip,) = read(guess(tmp_path), tmp_path)
    assert (clip.sample.transcript, clip.sample.extras) == ('null, "NA"', (("age", "17"),))


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(WAV)
    files(tmp_path, {"metadata.csv": "file_name,text,text\na.wav,one,two\n"})
    with pytest.raises(DataError, match="two columns 'text'"):
        read(FORMATS["audiofolder"], tmp_path)


@pytest.mark.parametrize("name", ["offset", "context", "shard_id"])
def test_a_column_that_means_something_else_is_refused(name: str, tmp_path: Path) -> None:
    clash = Sample(id="a", path=Path(), size=0, transcript="t", duration=0.01, extras=((name, "x"),))
    with pytest.raises(DataError, match=f"column '{name}' means something else in nemo"):
        write(FORMATS["nemo"], [clash], tmp_path)


@pytest.mark.parametrize(("name", "form"), [("a,b", "deepspeech.pytorch-csv"), ("a:7", "kaldi"), ("a|", "kaldi")])
def test_a_path_that_would_be_read_as_another_is_refused(name: str, form: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(WAV)
    one = Sample(id="a", path=path, size=len(WAV), transcript="t", duration=0.01)
    with pytest.raises(DataError, match=r"a: .*rename"):
        FORMATS[form].write([Entry(sample=one, sound=SOUND, text=tmp_path / "a.txt")], tmp_path)


@pytest.mark.parametrize("words", ["one (two)", ";; one", "{ a / b }"])
def test_mark_up_of_sclite_does_not_pass_for_words(words: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="mark-up"):
        write(FORMATS["trn"], [Sample(id="a", path=Path(), size=0, transcript=words)], tmp_path)


def test_a_place_that_tells_no_format_is_asked_about(tmp_path: Path) -> None:
    place = files(tmp_path, {"x.txt": "hello\n"})
    for one in (place, place / "x.txt"):
        with pytest.raises(UsageError, match="add --from, one of dsprep, deepspeech"):
            guess(one)
    with pytest.raises(DataError, match="there is no"):
        guess(place / "gone")


def test_the_table_names_each_format_once_and_only_trn_is_without_audio() -> None:
    assert [one.name for one in FORMATS.values()] == list(FORMATS)
    assert [one.name for one in FORMATS.values() if one.holds.audio is Audio.NONE or not one.read] == ["trn"]


def test_the_document_says_what_each_format_holds() -> None:
    document = (Path(__file__).parents[2] / "docs" / "formats.md").read_text()
    for one in FORMATS.values():
        fields = (one.holds.id, one.holds.duration, one.holds.speaker, one.holds.extras, one.holds.spacing)
        cells = [f"`{one.name}`", f"`{one.mains[0]}`", str(one.holds.audio), *("yes" if it else "-" for it in fields)]
        assert f"| {' | '.join(cells)} |\n" in document
        assert f"### `{one.name}`" in document
