"""The STM grammar on lines of NIST and TED-LIUM, on anything at all, and against sclite itself."""

import io
import re
import shutil
import string
import subprocess
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsprep.importers import TextFile
from dsprep.importers.stm_lines import Segment, channel_number, has_choices, reading, segment_id, segments
from dsprep.manifests import ID, BadRow, Utterance


def rows(*lines: str) -> list[Segment | BadRow]:
    data = "\n".join(lines).encode("utf-8", "surrogateescape")
    return list(segments(TextFile("a.stm", lambda: io.BytesIO(data)).lines()))


def good(*lines: str) -> list[Segment]:
    found = rows(*lines)
    assert all(isinstance(row, Segment) for row in found), found
    return [row for row in found if isinstance(row, Segment)]


def labels(*lines: str) -> list[tuple[str, str]]:
    """Label and transcript of lines that are given from the sixth field on."""
    comments = [line for line in lines if line.startswith(";;")]
    texts = [f"f 1 s {number} {number + 1} {line}" for number, line in enumerate(lines) if line not in comments]
    return [(row.label, row.transcript) for row in good(*comments, *texts)]


SEGMENT = Segment(
    file="AlGore_2009",
    channel="1",
    speaker="AlGore_2009",
    start=15.24,
    end=27.35,
    label="o,f0,male",
    transcript="it 's (2) <unk>  {NOISE}",
    place="a.stm:2",
)


def test_a_line_is_file_channel_speaker_times_label_and_the_transcript_as_written() -> None:
    line = "  AlGore_2009 1\tAlGore_2009 15.24 27.35 <o,f0,male> it 's (2) <unk>  {NOISE} \r"
    assert rows("  ;; comment", line) == [SEGMENT]


def test_segments_that_overlap_or_are_equal_are_all_kept_in_order() -> None:
    found = good("f 1 b 2 4 x", "f 1 a 1 3 y", "f 1 a 1 3 y")
    assert [(row.speaker, row.start) for row in found] == [("b", 2.0), ("a", 1.0), ("a", 1.0)]


def test_a_comment_ends_nowhere_but_begins_a_line() -> None:
    assert [row.transcript for row in good(";; f 1 s 0 1 no", "\t;;no", "f 1 s 0 1 yes ;; too")] == ["yes ;; too"]


def test_a_segment_may_have_no_words_with_and_without_a_label() -> None:
    assert labels("<O,NA>", "", "<O,WA> yes") == [("O,NA", ""), ("", ""), ("O,WA", "yes")]


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        ("f 1 s 0", "lacks some of file, channel"),
        ("f", "lacks some of file, channel"),
        ("f 1 s x 1 word", "begin time 'x' is not a number"),
        ("f 1 s 0 <o,f0,male> word", "end time '<o,f0,male>' is not a number"),
        ("f 1 s NaN 1", "begin time 'NaN'"),
        ("f 1 s 0 inf", "end time 'inf'"),
        ("f 1 s 0 1e999", "end time inf is not between 0 and 1e+08"),
        ("f 1 s 1_0 20", "begin time '1_0'"),
        ("f 1 s 0 \u0661", "end time '\u0661'"),
        ("f 1 s 0 0x10", "end time '0x10'"),
        ("f 1 s -1 1", "begin time -1.0 is not between"),
        ("f 1 s 2 1", "end time 1.0 is not after begin time 2.0"),
        ("f 1 s 2 2.0", "end time 2.0 is not after begin time 2.0"),
        ("; f 1 s 0 1 one semicolon is no comment", "begin time 's'"),
    ],
)
def test_what_is_no_segment_says_which_field_is_wrong_and_leaves_its_neighbours_alone(line: str, detail: str) -> None:
    before, bad, after = rows("f 1 s 0 1 a", line, "f 1 s 1 2 b")
    assert isinstance(before, Segment)
    assert isinstance(after, Segment)
    assert isinstance(bad, BadRow)
    assert bad.place == "a.stm:2"
    assert detail in bad.detail


@pytest.mark.parametrize(("written", "seconds"), [("0", 0), (".5", 0.5), ("7.", 7), ("+1.50", 1.5), ("1.2e1", 12)])
def test_times_are_decimal_numbers(written: str, seconds: float) -> None:
    assert [row.start for row in good(f"f 1 s {written} 99 word")] == [seconds]


def test_a_segment_with_wrong_times_cannot_be_built() -> None:
    for start, end in ((-1.0, 1.0), (1.0, 1.0), (float("nan"), 1.0), (0.0, float("nan")), (0.0, float("inf"))):
        with pytest.raises(ValueError, match="time"):
            replace(SEGMENT, start=start, end=end)


def test_a_label_with_a_comma_is_one_whatever_the_other_lines_have() -> None:
    assert labels("<o,f0,male> a", "b", "<o,,unknown> c") == [("o,f0,male", "a"), ("", "b"), ("o,,unknown", "c")]


def test_a_label_without_a_comma_is_one_if_every_line_with_a_sixth_word_has_such() -> None:
    assert labels("<F0_M> a", "<F0_F> b", "", "<F0_M>") == [("F0_M", "a"), ("F0_F", "b"), ("", ""), ("F0_M", "")]
    assert labels("<F0_M> a", "<o,f0,male> b") == [("F0_M", "a"), ("o,f0,male", "b")]
    assert labels("<F0_M> a", "b") == [("", "<F0_M> a"), ("", "b")]


def test_a_bad_line_does_not_change_what_its_neighbours_labels_are() -> None:
    first, _ = rows("f 1 s 0 1 <F0_M> a", "f 1 s 1 0 b")
    assert isinstance(first, Segment)
    assert first.label == "F0_M"


def test_a_declared_label_is_one_even_where_other_lines_have_none() -> None:
    assert labels(';; LABEL "O" "Overall" "All"', "<O> a", "b", "<P> c") == [("O", "a"), ("", "b"), ("", "<P> c")]
    assert labels(';;LABEL "unk" "" ""', "<unk> a", "b") == [("unk", "a"), ("", "b")]


@pytest.mark.parametrize("word", ["<unk>", "<UNK>", "<sil>"])
def test_unk_and_sil_stay_first_words_though_every_line_begins_with_one(word: str) -> None:
    assert labels(f"{word} he said") == [("", f"{word} he said")]
    assert labels(f"{word} a", f"{word} b", "c") == [("", f"{word} a"), ("", f"{word} b"), ("", "c")]


@pytest.mark.parametrize("text", ["<o, f0> a", "<o,f0 a", "<o,f0>a", "<> a", "<<o,f0>> a", "o,f0> a"])
def test_what_is_not_whole_angle_brackets_is_transcript(text: str) -> None:
    assert labels(text) == [("", text)]


@pytest.mark.parametrize("text", ["IGNORE_TIME_SEGMENT_IN_SCORING", "ignore_time_segment_in_scoring", "<o,,x> Ignore_"])
def test_ignored_segments_are_told_in_any_case_with_and_without_a_label(text: str) -> None:
    (row,) = good(f"f 1 s 0 1 {text}".replace("Ignore_", "Ignore_Time_Segment_In_Scoring"))
    assert row.ignored
    assert not SEGMENT.ignored


def test_gaps_of_ted_lium_are_told_in_any_case() -> None:
    assert [row.gap for row in good("f 1 Inter_Segment_Gap 0 1", "f 1 s 0 1 inter_segment_gap")] == [True, False]


def test_real_files_read_whole(real: Path) -> None:
    folder = real / "stm" / "stm"
    if not folder.is_dir():
        pytest.skip("the folder of real speech has no STM files")
    files = [TextFile(path.name, partial(path.open, "rb")) for path in folder.glob("*.stm")]  # type: ignore[arg-type]
    found = [row for file in files for row in segments(file.lines())]
    assert len(found) == 12
    for row in found:
        assert isinstance(row, Segment)
        assert row.label.startswith("o,")
        assert row.gap == row.ignored
        assert Path(row.place.partition(":")[0]).stem == row.file
    assert len({segment_id(row) for row in found if isinstance(row, Segment)}) == 12


ANY_LINE = st.one_of(
    st.text(st.characters(exclude_characters="\n")),
    st.lists(
        st.one_of(
            st.sampled_from(["f", "1", "<o,f0>", "<unk>", "1e999", "-1", "nan", "{", "}", "/", "@", ";;", "9" * 400]),
            st.floats(0, 2e8, width=32).map(str),
            st.text(max_size=3),
        ),
        max_size=9,
    ).map(" ".join),
)


@settings(max_examples=500)
@given(ANY_LINE)
def test_any_line_is_a_segment_a_bad_row_or_a_comment(line: str) -> None:
    (*found,) = segments([("p:1", line)])
    assert len(found) == (not line.strip(" \t\r\f\v").startswith(";;"))
    for row in found:
        assert row.place == "p:1"
        if isinstance(row, Segment):
            assert ID.fullmatch(segment_id(row))
            assert 0 <= row.start < row.end


def test_channels_are_counted_from_one_or_from_a() -> None:
    assert [channel_number(channel) for channel in ("1", "A", "a", "2", "B", "b", "16")] == [0, 0, 0, 1, 1, 1, 15]


@pytest.mark.parametrize("channel", ["", "0", "-1", "AB", "A1", "01", "1.0", "\u00e9", "\u0662", "1000", "1\n"])
def test_other_channels_are_refused_by_name(channel: str) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(channel))):
        channel_number(channel)


@pytest.mark.parametrize(
    ("transcript", "words"),
    [
        ("i've { um / uh } as far as i'm concerned", "i've um as far as i'm concerned"),
        ("more { -a / @ } and { e- / @ }", "more -a and e-"),
        ("{ @ / uh } so", "uh so"),
        ("{ @ } { @ / @ } @ so", "so"),
        ("it's { a seventy-two / seventy two } { m g / m_g }", "it's a seventy-two m g"),
        ("{ { @ / { @ } } / { { b c } / d } / e } f", "b c f"),
        ("{ a { b / c } d / e } f", "a b d f"),
        ("{x/b} {x / {b/c}}d", "x x d"),
        ("{ / b } { c / } and/or / or", "b c and/or / or"),
        ("a (b) (i'm) (w-) c", "a b i'm w- c"),
        ("(%hesitation) a %BCACK { (%hesitation) / @ } % 5%", "a % 5%"),
        ("{ %hesitation / and } b", "b"),
        ("{NOISE} yes(2) it 's (2) <sil> (AlGore_2009-1)", "{NOISE} yes(2) it 's (2) <sil> (AlGore_2009-1)"),
        ("{ {NOISE} / {BREATH} a } x{COUGH}", "{NOISE} x{COUGH}"),
        ("(two words) ((c)) () a(b)", "(two words) ((c)) () a(b)"),
        ("(@) a", "a"),
        (" one\u00a0word\u3000only \t two ", "one\u00a0word\u3000only two"),
        ("", ""),
    ],
)
def test_a_reading_is_the_first_of_each_choice(transcript: str, words: str) -> None:
    assert reading(transcript) == words


@pytest.mark.parametrize(
    ("transcript", "where"),
    [
        ("a { b / c", "character 3 is not closed"),
        ("a b } c", "character 5 closes nothing"),
        ("{ a / b } }", "character 11 closes nothing"),
        ("{ a { b } c", "character 1 is not closed"),
        ("x{ a", "character 2 is not closed"),
        ("a {  } b", "character 3 is empty"),
        ("{ a / {/} }", "character 7 is empty"),
    ],
)
def test_a_brace_without_a_partner_or_content_is_told_with_its_place(transcript: str, where: str) -> None:
    with pytest.raises(ValueError, match=where):
        reading(transcript)


@pytest.mark.parametrize("transcript", ["{ a }", "{a/b}", "x (b) y", "(%hesitation)", "{ {NOISE} / a }", "{ unclosed"])
def test_alternations_and_optional_words_are_choices(transcript: str) -> None:
    assert has_choices(transcript)


@pytest.mark.parametrize("transcript", ["", "a / b @ %hesitation wo-", "{NOISE} (2) yes(2) (AlGore_2009-1)", "( a ) }"])
def test_marks_that_are_not_nist_s_are_no_choices(transcript: str) -> None:
    assert not has_choices(transcript)


@settings(max_examples=500)
@given(st.one_of(st.text(st.sampled_from("{}/@()%-aA1< ")), st.text()))
def test_a_reading_has_no_choices_and_reads_as_itself_or_the_transcript_is_refused(transcript: str) -> None:
    try:
        words = reading(transcript)
    except ValueError:
        words = ""
    assert not has_choices(words)
    assert reading(words) == words


def test_deep_nesting_takes_neither_recursion_nor_quadratic_time() -> None:
    depth = 100_000
    began = time.process_time()
    assert reading("{ a / @ " * depth + "}" * depth) == "a"
    assert reading("{ " * depth + "a " * depth + "}" * depth) == "a " * (depth - 1) + "a"
    assert reading("{ @ / " * depth + "b" + "}" * depth) == "b"
    with pytest.raises(ValueError, match="is not closed"):
        reading("{ a " * depth)
    assert time.process_time() - began < 10


def test_an_id_is_file_speaker_times_in_hundredths_and_channel() -> None:
    assert segment_id(SEGMENT) == "AlGore_2009-0001524-0002735"
    assert segment_id(replace(SEGMENT, speaker="Al_Gore")) == "AlGore_2009--Al_Gore-0001524-0002735"
    assert segment_id(replace(SEGMENT, channel="2")) == "AlGore_2009-0001524-0002735-2"
    assert segment_id(replace(SEGMENT, channel="A")) == segment_id(SEGMENT)
    assert segment_id(replace(SEGMENT, end=99_999_999.99)) == "AlGore_2009-0001524-9999999999"
    assert segment_id(replace(SEGMENT, file="an152-mwhw-b", speaker="mwhw")) == "an152-mwhw-b--mwhw-0001524-0002735"


@pytest.mark.parametrize(
    ("change", "readable"),
    [
        ({"start": 15.2401}, "AlGore_2009-0001524-0002735-x"),
        ({"file": "al.gore/é-", "speaker": "s"}, "al-gore--s-0001524-0002735-x"),
        ({"speaker": "日本"}, "AlGore_2009--_-0001524-0002735-x"),
        ({"channel": "left_1"}, "AlGore_2009-0001524-0002735-x"),
        ({"channel": "0002735"}, "AlGore_2009-0001524-0002735-x"),
        ({"file": "f" * 200, "speaker": "f" * 200}, "f" * 60 + "-0001524-0002735-x"),
    ],
)
def test_what_an_id_cannot_spell_makes_it_carry_a_digest(change: dict[str, str | float], readable: str) -> None:
    made = segment_id(replace(SEGMENT, **change))  # type: ignore[arg-type]
    assert re.fullmatch(re.escape(readable) + "[0-9a-f]{8}", made)


def test_ids_do_not_change_from_one_release_to_the_next() -> None:
    assert segment_id(replace(SEGMENT, start=15.2401)) == "AlGore_2009-0001524-0002735-xd5a7701c"


# Few letters and times, so that pairs that look alike are met often; channel `a` is 1 by another name.
NAME = st.text("ab12-_.é", min_size=1, max_size=5) | st.just("a" * 70)
TIME = st.sampled_from([0.0, 0.01, 0.011, 0.012, 100.0, 12345.67])
PLACED = st.builds(
    lambda file, channel, speaker, start, length: replace(
        SEGMENT, file=file, channel=channel, speaker=speaker, start=start, end=start + length
    ),
    NAME,
    st.sampled_from(["1", "2", "B", "b", "a1", "1234567"]) | NAME.filter(lambda name: name != "a"),
    NAME,
    TIME,
    TIME.filter(bool),
)


@settings(max_examples=500)
@given(st.lists(PLACED, max_size=30))
def test_different_segments_have_different_ids_and_all_ids_are_legal(placed: list[Segment]) -> None:
    ids = {(one.file, one.channel, one.speaker, one.start, one.end): segment_id(one) for one in placed}
    assert len(set(ids.values())) == len(ids)
    for one, made in ids.items():
        Utterance(id=made, audio=one[0], text="")


SCTK = shutil.which("sctk")
needs_sclite = pytest.mark.skipif(SCTK is None, reason="sclite (package sctk) is not installed")


def sclite(references: list[str], hypotheses: list[str]) -> str:
    """Its alignments of ten-second segments, the words in the middle of each; a last segment is `z` in both."""
    with tempfile.TemporaryDirectory() as folder:
        stm, ctm = Path(folder, "r.stm"), Path(folder, "h.ctm")
        stm.write_text("".join(f"f 1 s {10 * n} {10 * n + 10} {text}\n" for n, text in enumerate([*references, "z"])))
        said = [text.split() for text in [*hypotheses, "z"]]
        times = (
            (10 * n + (k + 1) * 9 / (len(words) + 1), word)
            for n, words in enumerate(said)
            for k, word in enumerate(words)
        )
        ctm.write_text("".join(f"f 1 {second:.3f} 0.001 {word}\n" for second, word in times))
        command = [str(SCTK), "sclite", "-r", str(stm), "stm", "-h", str(ctm), "ctm", "-D", "-o", "pralign", "stdout"]
        run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert run.returncode == 0, (run, stm.read_text())
        return run.stdout


def errors(alignments: str) -> tuple[int, int]:
    """How many segments were scored, and the errors in them."""
    scores = re.findall(r"^Scores: \(#C #S #D #I\) \d+ (\d+) (\d+) (\d+)$", alignments, re.MULTILINE)
    return len(scores), sum(int(number) for score in scores for number in score)


PLAIN = st.text(string.ascii_lowercase, min_size=1, max_size=2)
WORD = st.one_of(PLAIN, PLAIN, PLAIN.map("({})".format), PLAIN.map("{}-".format), st.just("@"))
TEXT = st.recursive(
    WORD,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=2).map(" ".join)
        | st.lists(inner, min_size=2, max_size=3).map(" / ".join).map("{{ {} }}".format)
    ),
    max_leaves=5,
)
# Not among alternatives: to sclite two of these left out are worse than one other word left out.
SPOKEN = st.lists(TEXT | st.just("(%hes)"), max_size=3).map(" ".join)


@needs_sclite
@settings(max_examples=40, deadline=None)
@given(st.lists(SPOKEN.filter(lambda text: len(text) < 60), min_size=1, max_size=25))
def test_sclite_finds_no_error_in_a_reading(transcripts: list[str]) -> None:
    scored, wrong = errors(sclite(transcripts, [reading(text) for text in transcripts]))
    assert (scored, wrong) == (len(transcripts) + 1, 0)


@needs_sclite
def test_sclite_does_find_errors_where_the_reading_is_another_text_s() -> None:
    assert errors(sclite(["{ a / b } c"], ["d c"])) == (2, 1)


@needs_sclite
@pytest.mark.parametrize("text", ["{ b / a }", "{b/a}", "{b / {c/a}}", "{ @ / a }", "{ / a }", "{ a }", "@ a", "a (w)"])
def test_sclite_takes_as_a_choice_what_we_do(text: str) -> None:
    assert errors(sclite([text], ["a"])) == (2, 0)
    assert has_choices(text) or "@" in text


@needs_sclite
@pytest.mark.parametrize("text", ["IGNORE_TIME_SEGMENT_IN_SCORING", "<o,x> Ignore_time_segment_in_scoring b", "a b"])
def test_sclite_leaves_out_what_is_ignored(text: str) -> None:
    (row,) = good(f"f 1 s 0 1 {text}")
    scored, _ = errors(sclite([text], ["a b"]))
    assert row.ignored == (scored == 1)


@needs_sclite
@pytest.mark.parametrize("text", ["<o,f0,male> a", "<F0_M> a", "<o,na>", "a <o,f0>"])
def test_sclite_agrees_on_labels(text: str) -> None:
    (row,) = good(f"f 1 s 0 1 {text}")
    found = re.search(r"^Labels: <(.*)>$", sclite([text], ["a"]), re.MULTILINE)
    assert (found[1] if found else "") == row.label.lower()


@needs_sclite
def test_sclite_would_take_unk_for_a_label_which_is_why_the_rule_is_ours() -> None:
    assert "Labels: <unk>" in sclite(["<unk> a"], ["a"])
