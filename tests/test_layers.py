"""An import points one way: manifests <- importers <- pipeline <- trainer <- commands <- cli."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = ("manifests", "importers", "pipeline", "trainer", "commands")
SOURCES = [path for layer in LAYERS for path in (ROOT / layer).rglob("*.py")]


def imported(path: Path) -> set[str]:
    """Absolute names of what a file of the package imports, anywhere in it."""
    package = ["dsprep", *path.relative_to(ROOT).parent.parts]
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            home = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*home, *([node.module] if node.module else [])])
            names |= {base} | {f"{base}.{alias.name}" for alias in node.names}
    return names


def test_every_source_was_found() -> None:
    assert len(SOURCES) > 20


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_layer_imports_a_higher_one(path: Path) -> None:
    own = LAYERS.index(path.relative_to(ROOT).parts[0])
    higher = {f"dsprep.{layer}" for layer in (*LAYERS[own + 1 :], "cli")}
    assert not {name for name in imported(path) if ".".join(name.split(".")[:2]) in higher}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_torch_is_imported_under_trainer_alone(path: Path) -> None:
    if path.relative_to(ROOT).parts[0] != "trainer":
        assert not {name for name in imported(path) if name.split(".")[0] in ("torch", "safetensors", "rapidfuzz")}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_click_is_imported_under_commands_alone(path: Path) -> None:
    if path.relative_to(ROOT).parts[0] != "commands":
        assert "click" not in {name.split(".")[0] for name in imported(path)}


@pytest.mark.parametrize("path", sorted((ROOT / "manifests").glob("*.py")), ids=lambda path: path.name)
def test_manifests_need_the_standard_library_alone(path: Path) -> None:
    outside = {name.split(".")[0] for name in imported(path)} - {"dsprep"}
    assert outside <= set(sys.stdlib_module_names)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, dsprep.cli\n"
        "heavy = {'torch', 'numpy', 'pandas', 'soundfile', 'soxr', 'requests', 'tqdm', 'rapidfuzz', 'onnxruntime'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout == "[]\n"


def test_the_library_does_not_print() -> None:
    speakers = {
        str(path.relative_to(ROOT))
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    }
    assert speakers == {"pipeline/espeak.py"}, "that one is a program of its own, whose parent counts its lines"
