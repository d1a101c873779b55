"""The order of the floors: a folder of the library imports only from folders above it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "spinescrew"
FLOORS = [
    "progress",
    "geometry",
    "images",
    "anatomy",
    "implants",
    "grading",
    "planning",
    "networks",
    "segmentation",
    "feasibility",
    "radiographs",
    "outcome",
    "brands",
    "phantoms",
    "training",
    "evaluation",
    "reports",
    "exchange",
    "scene",
    "viewer",
    "cohort",
    "cli",
]
HEAVY = {"torch", "monai", "vtk", "slicer", "matplotlib", "pandas", "trame"}
GROUND = ["progress", "geometry", "images", "anatomy", "implants", "grading", "planning", "phantoms", "evaluation"]


def floor_of(path):
    return path.relative_to(LIBRARY).parts[0]


def imports(path, top_only=False):
    tree = ast.parse(path.read_text())
    for node in tree.body if top_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def sources():
    return [path for path in sorted(LIBRARY.rglob("*.py")) if path.parent != LIBRARY]


@pytest.mark.parametrize("path", sources(), ids=lambda p: p.relative_to(LIBRARY).as_posix())
def test_a_floor_uses_only_the_floors_above_it(path):
    own = FLOORS.index(floor_of(path))
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "spinescrew" and len(parts) > 1 and parts[1] not in ("errors",):
            assert parts[1] in FLOORS, name
            assert FLOORS.index(parts[1]) <= own, f"{path.name} imports {name}"


@pytest.mark.parametrize("path", sources(), ids=lambda p: p.relative_to(LIBRARY).as_posix())
def test_no_qt_and_no_slicer_application_in_the_library(path):
    assert not {name.split(".")[0] for name in imports(path)} & {"qt", "ctk", "PySide6"}
    assert "slicer.app" not in path.read_text()


@pytest.mark.parametrize("floor", GROUND)
def test_heavy_packages_are_imported_inside_functions(floor):
    for path in (LIBRARY / floor).rglob("*.py"):
        heavy = {name.split(".")[0] for name in imports(path, top_only=True)} & HEAVY
        assert not heavy, f"{path.name} imports {heavy} at file scope"


def test_phantoms_know_nothing_of_planning():
    for path in (LIBRARY / "phantoms").rglob("*.py"):
        assert not any("planning" in name for name in imports(path)), path.name


def test_importing_the_package_is_quick_and_light():
    code = "import spinescrew, sys; print([m for m in ('torch', 'vtk', 'numba', 'scipy', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("path", sources(), ids=lambda p: p.relative_to(LIBRARY).as_posix())
def test_files_are_rooms_not_halls(path):
    assert len(path.read_text().splitlines()) <= 450


def test_the_readme_shows_the_two_commands():
    text = (ROOT / "README.md").read_text()
    assert "make demo" in text
    assert "make test" in text
    assert ".png" in text
