"""The installed package is the whole tree, and nothing but ``dsprep`` is importable."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
HOMES = ("commands", "importers", "manifests", "pipeline", "trainer")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_every_package_is_listed() -> None:
    listed = PROJECT["tool"]["setuptools"]["packages"]
    inits = [file for home in HOMES for file in (ROOT / home).rglob("__init__.py")]
    found = [".".join(("dsprep", *file.parent.relative_to(ROOT).parts)) for file in inits]
    assert sorted(listed) == sorted(["dsprep", *found])


def test_every_data_file_is_listed() -> None:
    data = PROJECT["tool"]["setuptools"]["package-data"]
    listed = {
        file
        for package, patterns in data.items()
        for pattern in patterns
        for file in (ROOT / package.removeprefix("dsprep").lstrip(".").replace(".", "/")).glob(pattern)
    }
    found = {
        file
        for home in HOMES
        for file in (ROOT / home).rglob("*")
        if file.is_file() and file.suffix not in (".py", ".pyc")
    }
    assert listed == found | {ROOT / "py.typed"}


def test_no_stray_modules_at_the_root() -> None:
    assert {file.name for file in ROOT.glob("*.py")} == {"__init__.py", "__main__.py", "cli.py"}


def test_nothing_else_is_importable(tmp_path: Path) -> None:
    names = (*HOMES, "cli")
    code = f"from importlib.util import find_spec; print([n for n in {names} if find_spec(n)])"
    run = [sys.executable, "-c", code]
    out = subprocess.run(run, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert out.stdout == "[]\n"


def test_the_changelog_begins_with_this_version() -> None:
    import dsprep

    assert PROJECT["project"]["version"] == dsprep.__version__
    heads = [line for line in (ROOT / "CHANGELOG.md").read_text().splitlines() if line.startswith("## ")]
    assert heads[0].startswith(f"## {dsprep.__version__}")
