"""Check finds each fault that is planted, names its manifest and id, and finds nothing in clean data."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from dsprep.manifests import DataError, Sample, english, manifest_bytes
from dsprep.manifests.ctc import fewest_steps
from dsprep.pipeline.inspection.checking import MODELS, check
from dsprep.pipeline.inspection.findings import HONEST_SPLIT, Kind, Leak, Report, role
from dsprep.pipeline.inspection.measure import BATCH, Sound, listen
from dsprep.pipeline.inspection.summary import check_lines
from dsprep.pipeline.shards.placement import Sharding
from dsprep.pipeline.shards.sharding import shard
from dsprep.pipeline.sound.audio import encode

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
RATE = 16_000


class Corpus:
    """A folder of clips and the manifest of them, to be spoilt."""

    def __init__(self, home: Path, make: Any, count: int, first: int = 0, name: str = "train") -> None:
        self.home, self.name, self.samples = home, name, dict[str, Sample]()
        home.mkdir(parents=True, exist_ok=True)
        for number in range(first, first + count):
            pcm = make.tone(1 + number / 100, 200 + number)
            text = f"{WORDS[number // 10]} {WORDS[number % 10]}"
            self.put(f"c{number:02}", bytes(encode(pcm, "wav")), text, len(pcm) / RATE, f"s{number % 4}-{name}")

    def put(self, name: str, data: bytes, text: str, duration: float, speaker: str) -> None:
        path = self.home / f"{self.name}-{name}.wav"
        path.write_bytes(data)
        self.samples[name] = Sample(
            id=name, path=path, size=len(data), transcript=text, duration=duration, speaker=speaker
        )

    def sound(self, name: str, pcm: Any, rate: int = RATE, form: str = "WAV") -> None:
        """Another sound in a clip's place, with the length and size that it has."""
        path = self.samples[name].path
        soundfile.write(path, pcm, rate, format=form, subtype="PCM_16")
        size = path.stat().st_size
        self.samples[name] = replace(self.samples[name], size=size, duration=len(pcm) / rate)

    def bytes(self, name: str, data: bytes) -> None:
        """Other bytes in a clip's file, of the recorded size."""
        self.samples[name].path.write_bytes(data)
        self.samples[name] = replace(self.samples[name], size=len(data))

    def change(self, name: str, **values: Any) -> None:
        self.samples[name] = replace(self.samples[name], **values)

    def write(self) -> Path:
        path = self.home / f"{self.name}.csv"
        path.write_bytes(manifest_bytes(self.samples.values(), self.home))
        return path


def found(report: Report) -> set[tuple[Kind, str]]:
    return {(one.kind, one.id) for one in report.findings}


def leaked(report: Report) -> dict[Kind, Leak]:
    return {one.kind: one for one in report.leaks}


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory, make: Any) -> list[Path]:
    home = tmp_path_factory.mktemp("clean")
    train, test = Corpus(home, make, 20), Corpus(home, make, 12, first=20, name="test")
    test.samples = {f"t{name}": replace(one, id=f"t{name}") for name, one in test.samples.items()}
    return [train.write(), test.write()]


def test_clean_data_has_no_finding(clean: list[Path]) -> None:
    seen: list[int] = []
    report = check(clean, english(), workers=2, progress=lambda stage, done, total, unit: seen.append(done))
    assert (report.findings, report.leaks, report.unchecked) == ((), (), ())
    assert [(one.name, one.clips) for one in report.sets] == [("train", 20), ("test", 12)]
    assert report.sets[0].seconds == sum(round((1 + number / 100) * RATE) for number in range(20)) / RATE
    assert seen[-1] == 32


def test_clean_shards_and_plain_deepspeech_csvs_have_no_finding(clean: list[Path], tmp_path: Path) -> None:
    shard(clean[:1], tmp_path / "train", Sharding(shard_bytes=300_000), 1)
    plain = tmp_path / "dev.csv"
    rows = (clean[1]).read_text().splitlines()
    paths = [",".join([str(clean[1].parent / row.split(",")[0]), *row.split(",")[1:3]]) for row in rows[1:]]
    plain.write_text("\n".join(["wav_filename,wav_filesize,transcript", *paths]) + "\n")
    report = check([tmp_path / "train", plain], english())
    assert (report.findings, report.leaks) == ((), ())
    assert report.unchecked == ("dev: whether it shares speakers, for it names none",)
    assert [one.name for one in report.sets] == ["train", "dev"]


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory, make: Any) -> tuple[list[Path], set[tuple[Kind, str]]]:
    """One fault a clip; those without a fault are many enough to have a median."""
    corpus = Corpus(tmp_path_factory.mktemp("spoilt"), make, 40)
    noise = np.random.default_rng(0).normal(0, 4000, RATE).astype(np.int16)
    whole = corpus.samples["c03"].path.read_bytes()
    corpus.samples["c00"].path.unlink()
    corpus.samples["c01"].path.write_bytes(b"short")
    corpus.bytes("c02", b"these are letters, not sound")
    corpus.bytes("c03", whole[: len(whole) // 2])
    corpus.sound("c04", noise[:0])
    corpus.change("c05", duration=(corpus.samples["c05"].duration or 0) + 1 / RATE)
    corpus.change("c06", duration=(corpus.samples["c06"].duration or 0) + 0.4 / RATE)  # is no fault
    corpus.change("c07", transcript=" ")
    corpus.change("c08", transcript="naïve null")
    corpus.change("c09", transcript="a" * 60)
    corpus.sound("c10", noise, form="FLAC")
    corpus.sound("c11", noise)
    corpus.change("c12", transcript="again", speaker="nan")
    corpus.change("c13", transcript="again", speaker="nan")
    corpus.change("c14", transcript="two  spaces")
    corpus.change("c15", transcript="trailing ")
    corpus.change("c16", transcript="cafe\u0301 null")
    corpus.sound("c17", make.tone(9, 999))
    corpus.sound("c18", np.stack([noise[:20_000:2], noise[1:20_000:2]], axis=1), rate=8000)
    corpus.sound("c19", np.zeros(RATE, np.int16))
    corpus.sound("c20", np.clip(noise.astype(np.int32) * 9, -32_768, 32_767).astype(np.int16))
    corpus.sound("c21", noise // 200)  # -64 dB
    corpus.sound("c22", noise // 60)  # -54 dB, no fault
    corpus.sound("c23", noise[:0])  # no other sound of none
    planted = {
        (Kind.FILE, "c00"), (Kind.FILE, "c01"), (Kind.UNREADABLE, "c02"), (Kind.UNREADABLE, "c03"),
        (Kind.NO_SOUND, "c04"), (Kind.NO_SOUND, "c23"), (Kind.DURATION, "c05"), (Kind.EMPTY_TEXT, "c07"),
        (Kind.OUTSIDE_ALPHABET, "c08"), (Kind.TOO_FAST, "c04"), (Kind.TOO_FAST, "c23"), (Kind.TOO_FAST, "c09"),
        (Kind.SPEECH_RATE, "c09"), (Kind.SAME_AUDIO, "c11"), (Kind.SAME_TEXT, "c12"), (Kind.SPACES, "c14"),
        (Kind.SPACES, "c15"), (Kind.NOT_NFC, "c16"), (Kind.OUTSIDE_ALPHABET, "c16"), (Kind.SPEECH_RATE, "c17"),
        (Kind.FORMAT, "c18"), (Kind.SILENT, "c19"), (Kind.SILENT, "c21"), (Kind.CLIPPED, "c20"), (Kind.NO_ROWS, ""),
    }  # fmt: skip
    empty = corpus.home / "none.csv"
    empty.write_text("wav_filename,wav_filesize,transcript\n")
    return [corpus.write(), empty], planted


def test_every_planted_fault_is_found_and_nothing_else(
    spoilt: tuple[list[Path], set[tuple[Kind, str]]],
) -> None:
    places, planted = spoilt
    report = check(places, english(), workers=2)
    assert found(report) == planted
    assert {one.manifest for one in report.findings} == {"train", "none"}
    assert {kind for kind, _ in planted} == set(Kind) - {kind for kind in Kind if kind.endswith("-leak")}
    details = {one.id: one.detail for one in report.findings if one.kind in (Kind.OUTSIDE_ALPHABET, Kind.DURATION)}
    assert details["c08"] == "'ï' (U+00EF), 1 in all, transcripts with it 1: c08"
    assert details["c05"] == "lasts 1.05 s, the manifest says 1.0500625 s"


def test_the_report_is_the_same_with_any_number_of_workers(
    spoilt: tuple[list[Path], set[tuple[Kind, str]]],
) -> None:
    assert check(spoilt[0], english(), workers=1) == check(spoilt[0], english(), workers=3)


def test_quick_finds_what_needs_no_audio_and_says_what_it_left_out(
    spoilt: tuple[list[Path], set[tuple[Kind, str]]],
) -> None:
    places, planted = spoilt
    heard = {Kind.UNREADABLE, Kind.NO_SOUND, Kind.DURATION, Kind.SAME_AUDIO, Kind.FORMAT, Kind.SILENT, Kind.CLIPPED}
    report = check(places, english(), quick=True)
    assert found(report) == {one for one in planted if one[0] not in heard}
    assert report.unchecked[0].startswith("audio: ")


def test_what_is_found_can_be_read_by_machines_and_people(
    spoilt: tuple[list[Path], set[tuple[Kind, str]]],
) -> None:
    report = check(spoilt[0], english())
    facts = json.loads(json.dumps(report.facts()))
    assert facts["errors"] == report.errors == sum(one["error"] for one in facts["findings"])
    assert facts["notes"] == report.notes
    lines = list(check_lines(report))
    assert "duration: 1 error" in lines
    assert "  train  c05  lasts 1.05 s, the manifest says 1.0500625 s" in lines


def test_sounds_come_in_the_order_of_their_samples(tmp_path: Path, make: Any) -> None:
    """The first batch takes a hundred times as long as the others."""
    corpus = Corpus(tmp_path, make, 2)
    corpus.sound("c00", make.tone(60))
    long, short = corpus.samples.values()
    heard = listen([long] * BATCH + [short] * 2 * BATCH, workers=2)
    lengths = [one.samples for one in heard if isinstance(one, Sound)]
    assert lengths == [60 * RATE] * BATCH + [round(1.01 * RATE)] * 2 * BATCH


@pytest.fixture
def pair(tmp_path: Path, make: Any) -> tuple[Corpus, Corpus]:
    """Two manifests, `train` and `test`, that share nothing."""
    train, test = Corpus(tmp_path, make, 4), Corpus(tmp_path, make, 4, first=20, name="test")
    return train, test


def test_what_two_manifests_share_is_found(pair: tuple[Corpus, Corpus]) -> None:
    train, test = pair
    pcm, _ = soundfile.read(train.samples["c01"].path, dtype="int16")
    test.sound("c20", pcm, form="FLAC")
    for name in ("c20", "c21"):
        test.change(name, speaker="null")
    for name in ("c00", "c01", "c02"):
        train.change(name, speaker="null")
    train.change("c03", transcript="Not  A number")
    test.change("c23", transcript="not a number")
    test.samples["c00"] = replace(test.samples.pop("c22"), id="c00")
    report = check([train.write(), test.write()], english())
    held = leaked(report)
    assert set(held) == {Kind.AUDIO_LEAK, Kind.SPEAKER_LEAK, Kind.SENTENCE_LEAK, Kind.ID_LEAK}
    assert {kind for kind, leak in held.items() if leak.error} == HONEST_SPLIT
    assert [(one.one, one.other) for one in held[Kind.AUDIO_LEAK].shared] == [(("c01", 1), ("c20", 1))]
    (speaker,) = held[Kind.SPEAKER_LEAK].shared
    assert (speaker.value, speaker.one, speaker.other) == ("null", ("c00", 3), ("c20", 2))
    assert held[Kind.SPEAKER_LEAK].clips == (3, 2)
    assert [one.value for one in held[Kind.SENTENCE_LEAK].shared] == ["not a number"]
    assert [one.value for one in held[Kind.ID_LEAK].shared] == ["c00"]
    lines = list(check_lines(report))
    assert "speaker-leak, error: train and test share" in lines
    assert "  null  c00 and 2 more  c20 and 1 more" in lines


def test_three_manifests_are_compared_two_by_two(tmp_path: Path, make: Any) -> None:
    places = []
    for name in ("train", "dev", "other"):
        corpus = Corpus(tmp_path / name, make, 1, name=name)
        corpus.change("c00", speaker="9000")
        places.append(corpus.write())
    leaks = [one for one in check(places, english(), quick=True).leaks if one.kind is Kind.SPEAKER_LEAK]
    assert [(one.one, one.other, one.error) for one in leaks] == [
        ("train", "dev", True), ("train", "other", False), ("dev", "other", False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("train-clean-100", "train"), ("cv-valid-train", "train"), ("my/train", "train"), ("cv-valid-dev", "judge"),
        ("test-other", "judge"), ("cv_test", "judge"), ("train/test.csv", "judge"), ("latest", ""), ("shards", ""),
    ],
)  # fmt: skip
def test_a_manifest_s_name_says_what_it_is_for(name: str, what: str) -> None:
    assert role(name) == what


@pytest.mark.parametrize("model", MODELS)
def test_a_text_that_just_fits_is_taken_and_one_label_more_is_not(pair: tuple[Corpus, Corpus], model: str) -> None:
    from dsprep.manifests.ctc import MODEL_STEPS

    corpus, _ = pair
    steps = MODEL_STEPS.get(model, fewest_steps)(RATE)
    fits = ("ab" * steps)[:steps]
    unfit = {"c01": ("ab" * steps)[: steps + 1], "c02": fits[:-2] + fits[-3] + fits[-1]}  # the second needs a blank
    for name, text in {"c00": fits, **unfit}.items():
        corpus.change(name, transcript=text, duration=1.0)
    report = check([corpus.write()], english(), model=model, quick=True)
    assert {name for kind, name in found(report) if kind is Kind.TOO_FAST} == set(unfit)


def test_only_the_worst_speech_rates_are_told(tmp_path: Path, make: Any) -> None:
    corpus = Corpus(tmp_path, make, 40)
    for number in range(15):
        corpus.change(f"c{number:02}", duration=30 * 1.5**number)
    report = check([corpus.write()], english(), quick=True)
    assert found(report) == {(Kind.SPEECH_RATE, f"c{number:02}") for number in range(15) if number >= 5}


def _write_twice(corpus: Corpus) -> Sequence[Path]:
    path = corpus.write()
    return [path, path.parent / "." / path.name]


def _id_twice(corpus: Corpus) -> Sequence[Path]:
    path = corpus.write()
    path.write_text(path.read_text() + path.read_text().splitlines()[-1] + "\n")
    return [path]


@pytest.mark.parametrize(("spoil", "told"), [(_write_twice, "named 2 times"), (_id_twice, "id c03 appears twice")])
def test_the_same_twice_is_refused(pair: tuple[Corpus, Corpus], spoil: Any, told: str) -> None:
    with pytest.raises(DataError, match=told):
        check(spoil(pair[0]), english())


def test_manifests_of_one_name_are_told_apart(tmp_path: Path, make: Any) -> None:
    places = [Corpus(tmp_path / name, make, 1).write() for name in ("a", "b")]
    report = check(places, english(), quick=True)
    assert [one.name for one in report.sets] == [str(place) for place in places]
