"""What the documents say is so."""

import re
import subprocess
from dataclasses import fields
from pathlib import Path

import click
from click.testing import CliRunner

from dsprep.cli import main
from dsprep.importers import CORPORA
from dsprep.pipeline.inspection.findings import ERRORS, HONEST_SPLIT, Kind
from dsprep.pipeline.screen import Reason
from dsprep.pipeline.text import PROFILES
from dsprep.trainer.config import PRESETS, Config, DeepSpeech1Config
from dsprep.trainer.config import PROFILES as PROFILES_OF_FEATURES
from dsprep.trainer.config.reading import TABLES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_the_table_of_corpora_is_the_one_that_the_program_prints() -> None:
    printed = CliRunner().invoke(main, ["corpora", "--markdown"]).output
    assert len(printed.splitlines()) == len(CORPORA) + 2
    assert printed in README


def test_the_tree_is_the_tree() -> None:
    drawn = re.findall(r"^    ( *)(\S+\.py|\S+/)", (ROOT / "docs" / "tree.md").read_text(), re.MULTILINE)
    listed, home = set[str](), ""
    for indent, name in drawn:
        if name.endswith("/"):
            home = name
        else:
            listed.add(home + name if indent else name)
    folders = ("commands", "manifests", "importers", "pipeline", "trainer", "bench")
    found = {path.relative_to(ROOT).as_posix() for folder in folders for path in (ROOT / folder).rglob("*.py")}
    assert listed == {name for name in found if not name.endswith("__init__.py")} | {"cli.py"}


def test_every_key_of_a_config_is_explained() -> None:
    told = "".join((ROOT / "docs" / name).read_text() for name in ("training.md", "augmentation.md"))
    tables = (Config(), DeepSpeech1Config(), *(getattr(Config(), name) for name in TABLES))
    keys = {one.name for table in tables for one in fields(table)} - set(TABLES)
    assert sorted(key for key in keys if f"`{key}`" not in told) == []
    assert sorted(name for name in PROFILES_OF_FEATURES if f"`{name}`" not in told) == []


def test_every_command_in_the_documents_exists_with_its_options() -> None:
    lines = [
        line.strip().split("#")[0]
        for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))
        for line in path.read_text().splitlines()
        if re.match(r"    dsprep [a-z]", line)
    ]
    assert len(lines) > 8
    for line in lines:
        _, verb, *words = line.split()
        command = main.commands[verb]
        if isinstance(command, click.Group):
            command = command.commands[words[0]]
        known = {name for one in command.params if isinstance(one, click.Option) for name in one.opts}
        assert {word for word in words if word.startswith("--")} <= known | {"--help"}, line


def test_every_choice_is_named() -> None:
    for names in (PRESETS, PROFILES, Reason):
        for name in names:
            assert f"`{name}`" in README


def test_every_kind_of_finding_is_explained_and_said_to_be_what_it_is() -> None:
    told = (ROOT / "docs" / "checking.md").read_text()
    for kind in Kind:
        severity = "error or note" if kind in HONEST_SPLIT else "error" if kind in ERRORS else "note"
        assert f"| `{kind}` | {severity} | " in told


def test_the_project_speaks_of_itself_alone() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    for name in listed.stdout.split():
        path = ROOT / name
        if path.is_file() and not path.is_symlink():
            text = path.read_text(encoding="utf-8", errors="replace")
            assert not re.search(r"/(work|root|home/[a-z]+)/", text), name
