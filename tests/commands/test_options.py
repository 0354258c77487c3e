"""What words on a command line become."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from dsprep.commands.options import NumberRange, path_type, place_type, size_of, threads_asked, workers_option
from dsprep.manifests import UsageError
from dsprep.pipeline.workers import available


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1", 1),
        ("12b", 12),
        ("256MB", 256_000_000),
        ("256 mb", 256_000_000),
        ("1.5G", 1_500_000_000),
        ("1GiB", 2**30),
        ("2ki", 2048),
    ],
)
def test_a_size_is_a_number_and_a_unit(text: str, size: int) -> None:
    assert size_of("--shard-bytes", text) == size


@pytest.mark.parametrize("text", ["", "MB", "large", "0", "-1MB", "0.2", "nan", "inf", "1e999", "1TB", "1MMB", "1BM"])
def test_what_is_no_size_is_told_with_its_option(text: str) -> None:
    with pytest.raises(UsageError, match=f"--shard-bytes {text}: a size is a number and a unit"):
        size_of("--shard-bytes", text)


@pytest.mark.parametrize(("typed", "workers"), [([], available()), (["--workers", "3"], 3)])
def test_workers_are_one_a_core_unless_told(typed: list[str], workers: int) -> None:
    @click.command()
    @workers_option
    def command(workers: int) -> None:
        click.echo(workers)

    assert CliRunner().invoke(command, typed).output == f"{workers}\n"


def test_a_url_is_no_path_and_is_told_without_its_secrets() -> None:
    assert path_type.convert("a:b/c", None, None) == Path("a:b/c")
    with pytest.raises(UsageError, match=r"^https://host/a: this takes a path on this machine, not a URL$"):
        path_type.convert("https://me:word@host/a?token=1", None, None)


def test_an_empty_path_is_not_taken_for_this_folder() -> None:
    with pytest.raises(UsageError, match="is empty: name one"):
        path_type.convert("", None, None)


@pytest.mark.parametrize(
    ("told", "threads"), [("1", 1), ("12", 12), ("", None), ("0", None), ("2,1", None), ("-1", None)]
)
def test_threads_are_those_that_torch_would_heed_too(
    monkeypatch: pytest.MonkeyPatch, told: str, threads: int | None
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert threads_asked() == threads


@pytest.mark.parametrize(("typed", "code"), [("1.5", 0), ("nan", 2), ("0.5", 2), ("inf", 2), ("x", 2)])
def test_no_range_has_what_is_no_number(typed: str, code: int) -> None:
    @click.command()
    @click.argument("value", type=NumberRange(1, 2))
    def command(value: float) -> None:
        assert value == 1.5

    assert CliRunner().invoke(command, [typed]).exit_code == code


def test_an_empty_place_is_not_this_folder() -> None:
    with pytest.raises(UsageError, match=r"a place is empty: name one, or `\.`"):
        place_type.convert("", None, None)
