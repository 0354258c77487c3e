"""Language models beside lmplz's own, whose files are test data, and the laws of any model."""

import gzip
import io
import itertools
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dsprep.manifests import DataError, OutputError, Sample, UsageError, manifest_bytes
from dsprep.pipeline.text import PROFILES
from dsprep.trainer.language.building import Built, Recipe, build_model

DATA = Path(__file__).parents[2] / "data" / "language"
"""sentences.txt, and what `lmplz -o 3` makes of it, also with `--prune 0 1 1`."""
Model = dict[tuple[str, ...], tuple[float, float]]
"""log10 of probability and backoff of each n-gram."""


def read_arpa(path: Path) -> Model:
    model: Model = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        cells = line.split("\t")
        if len(cells) > 1:
            model[tuple(cells[1].split(" "))] = (float(cells[0]), float(cells[2]) if len(cells) > 2 else 0.0)
    return model


def probability(model: Model, context: tuple[str, ...], word: str) -> float:
    if (*context, word) in model:
        return float(10 ** model[*context, word][0])
    return float(10 ** model.get(context, (0, 0.0))[1]) * probability(model, context[1:], word)


def assert_every_context_sums_to_one(model: Model) -> None:
    words = [gram[0] for gram in model if len(gram) == 1 and gram != ("<s>",)]
    for context in {gram[:-1] for gram in model} | {gram for gram in model if gram[-1] != "</s>"}:
        if len(context) < max(map(len, model)):
            assert sum(probability(model, context, word) for word in words) == pytest.approx(1, abs=2e-5)


def built(text: str, folder: Path, recipe: Recipe) -> bytes:
    (folder / "text").write_text(text, encoding="utf-8")
    build_model([folder / "text"], folder / "lm.arpa", recipe)
    return (folder / "lm.arpa").read_bytes()


def chance(seed: int, words: int, known: int) -> str:
    """A text in which some words are more frequent than others."""
    draw = np.random.default_rng(seed)
    found = [f"wört{int(one)}" for one in known * draw.random(words) ** 3]
    ends = np.cumsum(draw.integers(1, 9, words))
    return "\n".join(" ".join(found[a:b]) for a, b in itertools.pairwise([0, *ends[ends < words].tolist(), words]))


@pytest.mark.parametrize(("name", "prune"), [("lmplz.arpa", (0,)), ("lmplz-pruned.arpa", (0, 1, 1))])
def test_it_is_what_lmplz_makes(tmp_path: Path, name: str, prune: tuple[int, ...]) -> None:
    build_model([DATA / "sentences.txt"], tmp_path / "lm.arpa", Recipe(order=3, prune=prune))
    ours, theirs = read_arpa(tmp_path / "lm.arpa"), read_arpa(DATA / name)
    assert ours.keys() == theirs.keys()
    for gram, numbers in theirs.items():
        assert ours[gram] == pytest.approx(numbers, abs=1e-5), gram
    heads = [path.read_text().partition("\\1-grams")[0] for path in (tmp_path / "lm.arpa", DATA / name)]
    assert heads[0] == heads[1]


@pytest.mark.parametrize("order", range(2, 7))
@pytest.mark.parametrize("limit", [None, 5])
def test_the_words_after_every_context_sum_to_one(tmp_path: Path, order: int, limit: int | None) -> None:
    prune = (0, 0, 1, 2)[:order]
    built(chance(order, 300, 12), tmp_path, Recipe(order=order, prune=prune, limit=limit, discount_fallback=True))
    assert_every_context_sums_to_one(read_arpa(tmp_path / "lm.arpa"))


@example([["a"], ["a", "b"], ["a", "c", "b"]], 2)  # a discount of 0 leaves nothing to lower orders
@given(st.lists(st.lists(st.sampled_from("abc"), max_size=4), min_size=1, max_size=6), st.integers(2, 4))
def test_small_texts_sum_to_one_too(
    tmp_path_factory: pytest.TempPathFactory, sentences: list[list[str]], order: int
) -> None:
    if any(sentences):
        home = tmp_path_factory.mktemp("small")
        built("\n".join(map(" ".join, sentences)), home, Recipe(order=order, discount_fallback=True))
        assert_every_context_sums_to_one(read_arpa(home / "lm.arpa"))


def test_counts_are_those_of_kneser_and_ney(tmp_path: Path) -> None:
    text = "a b\na b\nc b\n"
    built(text, tmp_path, Recipe(order=2, discount_fallback=True))
    model = read_arpa(tmp_path / "lm.arpa")
    # Unigrams count the words before them, and get the fallback's discounts. Bigrams: two counts of 1 and 2, one of 3,
    # so Y = 1/3, D1 = 1/3, D2 = 3/2.
    left = {"a": 1, "b": 2, "c": 1, "</s>": 1}
    taken = {1: 0.5, 2: 1.0}
    gamma = sum(taken[count] for count in left.values()) / 5
    unigram = {word: (count - taken[count]) / 5 + gamma / 5 for word, count in left.items()}
    assert 10 ** model["a",][0] == pytest.approx(unigram["a"], abs=1e-6)
    assert 10 ** model["<s>", "a"][0] == pytest.approx((2 - 3 / 2) / 3 + (3 / 2 + 1 / 3) / 3 * unigram["a"], abs=1e-6)
    assert 10 ** model["<unk>",][0] == pytest.approx(gamma / 5, abs=1e-6)


@pytest.mark.parametrize("order", [2, 5])
def test_memory_changes_no_byte(tmp_path: Path, order: int) -> None:
    text, recipe = chance(3, 40_000, 900), {"order": order, "prune": (0, 1), "discount_fallback": True}
    whole = built(text, tmp_path, Recipe(**recipe))  # type: ignore[arg-type]
    assert built(text, tmp_path, Recipe(memory=10**6, **recipe)) == whole  # type: ignore[arg-type]
    assert {path.name for path in tmp_path.iterdir()} == {"text", "lm.arpa"}


def test_limit_keeps_the_most_frequent_words(tmp_path: Path) -> None:
    built("a a a b b c\nb c a\n", tmp_path, Recipe(order=2, limit=2, discount_fallback=True))
    model = read_arpa(tmp_path / "lm.arpa")
    assert {gram[0] for gram in model if len(gram) == 1} == {"<unk>", "<s>", "</s>", "a", "b"}
    assert not any("c" in gram for gram in model)


def test_all_kinds_of_text_are_one_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "grün u\u0308ber\n\n  blau \u00fcber \n"
    plain = built(text, tmp_path, Recipe(order=2, discount_fallback=True))
    (tmp_path / "t.txt.gz").write_bytes(gzip.compress(text.encode()))
    samples = [
        Sample(id=name, path=tmp_path / name, size=1, transcript=line)
        for name, line in zip("abc", text.splitlines(), strict=False)
    ]
    (tmp_path / "my data.csv").write_bytes(manifest_bytes(samples, tmp_path))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbf" + text.encode())))
    for place in (tmp_path / "t.txt.gz", tmp_path / "my data.csv", Path("-")):
        build_model([place], tmp_path / "lm.arpa", Recipe(order=2, discount_fallback=True))
        assert (tmp_path / "lm.arpa").read_bytes() == plain
    assert ("über",) in read_arpa(tmp_path / "lm.arpa")


def test_a_profile_changes_and_refuses_lines(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("Mister O'Hara!\nin 1984\n")
    done: Built = build_model(
        [tmp_path / "t"], tmp_path / "lm", Recipe(order=2, discount_fallback=True), PROFILES["plain"]
    )
    assert (done.sentences, done.words, done.refused) == (1, 2, 1)
    assert done.refusal.startswith(f"{tmp_path / 't'}:2: ")
    assert {("mister",), ("o'hara",)} < read_arpa(tmp_path / "lm").keys()


def test_characters_can_be_words(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("你好 吗\n你好\n")
    build_model([tmp_path / "t"], tmp_path / "lm", Recipe(order=2, discount_fallback=True), characters=True)
    assert {("你",), ("好",), ("吗",), ("你", "好"), ("好", "吗")} < read_arpa(tmp_path / "lm").keys()


@pytest.mark.parametrize(
    ("data", "kind", "told"),
    [
        (b"", DataError, "no words in there"),
        (b" \n\n\t\n", DataError, "no words in there"),
        (b"one two\none <s> two\n", DataError, ":2: '<s>' cannot be a word"),
        (b"one <unk>\n", DataError, "'<unk>' cannot be a word"),
        (b"one tw\0o\n", DataError, "cannot be a word"),
        (b"one\n\xff\n", DataError, ":2: this line is not UTF-8"),
        (b"one two three\n", UsageError, "add --discount-fallback"),
    ],
)
def test_a_text_that_makes_no_model_is_told(tmp_path: Path, data: bytes, kind: type[Exception], told: str) -> None:
    (tmp_path / "t.txt").write_bytes(data)
    with pytest.raises(kind, match=told):
        build_model([tmp_path / "t.txt"], tmp_path / "lm", Recipe())
    assert [path.name for path in tmp_path.iterdir()] == ["t.txt"]


def test_what_cannot_be_read_or_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "t.gz").write_bytes(gzip.compress(b"one two\n" * 1000)[:-20])
    (tmp_path / "t.csv").write_text("no manifest\n")
    for name, told in (("gone", "cannot be read: No such file"), ("t.gz", "cannot be read"), ("t.csv", "no column")):
        with pytest.raises(DataError, match=told):
            build_model([tmp_path / name], tmp_path / "lm", Recipe())
    (tmp_path / "t.txt").write_text("one\n")
    for out, told in (
        (tmp_path, "is a folder"),
        (Path("/dev/null"), "is no file"),
        (Path("-"), "is no file"),
        (tmp_path / "t.txt" / "lm", "cannot write"),
    ):
        with pytest.raises(OutputError, match=told):
            build_model([tmp_path / "t.txt"], out, Recipe())


def test_a_text_that_was_named_last_is_not_overwritten(tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("one two\n")
    with pytest.raises(OutputError, match="is no ARPA file: name the model's own file last"):
        build_model([tmp_path / "a.txt"], tmp_path / "b.txt", Recipe(discount_fallback=True))
    assert (tmp_path / "b.txt").read_text() == "one two\n"


def test_what_a_killed_run_left_is_swept_by_the_next(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dsprep", "lm", "build", "--discount-fallback", "-", str(tmp_path / "my lm.arpa")]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as killed:
        assert killed.stdin
        killed.stdin.write(b"one two\n")
        killed.stdin.flush()
        while not list(tmp_path.glob(".*.tmp")):
            time.sleep(0.05)
            assert killed.poll() is None
        killed.kill()
    assert not (tmp_path / "my lm.arpa").exists()
    subprocess.run(command, input=b"one two\n", check=True, capture_output=True)
    assert [path.name for path in tmp_path.iterdir()] == ["my lm.arpa"]


def test_a_full_disk_is_told(tmp_path: Path, full_disk: None) -> None:
    (tmp_path / "t").write_text("one two three\n")
    with pytest.raises(OutputError, match="File too large"):
        build_model([tmp_path / "t"], tmp_path / "lm", Recipe(discount_fallback=True))
    assert [path.name for path in tmp_path.iterdir()] == ["t"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"order": 0}, "--order 0"),
        ({"order": 7}, "--order 7"),
        ({"prune": ()}, "--prune"),
        ({"prune": (1,)}, "the first is 0"),
        ({"prune": (0, 2, 1)}, "none is below"),
        ({"prune": (0, 0, 0, 0)}, "for each order"),
        ({"limit": 0}, "--limit 0"),
        ({"memory": 999_999}, "1MB at least"),
    ],
)
def test_a_recipe_that_makes_no_sense_cannot_be_written(given: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        Recipe(**given)  # type: ignore[arg-type]


def test_kenlm_reads_what_was_built(tmp_path: Path) -> None:
    pytest.importorskip("flashlight.lib.text", reason="flashlight-text is not installed: there is none for this Python")
    from dsprep.trainer.language.flashlight import Dictionary
    from dsprep.trainer.language.kenlm import open_kenlm, words_of_model

    build_model([DATA / "sentences.txt"], tmp_path / "lm", Recipe(order=4, prune=(0, 9), discount_fallback=True))
    model = read_arpa(tmp_path / "lm")
    words = words_of_model(tmp_path / "lm")
    assert len(words) == len(set(words)) == sum(len(gram) == 1 for gram in model) - 3
    dictionary = Dictionary()
    for word in words:
        dictionary.add_entry(word)
    lm = open_kenlm(tmp_path / "lm", dictionary)
    state, score = lm.score(lm.start(False), 0)
    assert score == pytest.approx(np.log10(probability(model, ("<s>",), words[0])), abs=1e-4)
    _, score = lm.score(state, 1)
    assert score == pytest.approx(np.log10(probability(model, ("<s>", words[0]), words[1])), abs=1e-4)
