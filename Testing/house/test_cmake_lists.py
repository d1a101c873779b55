"""A file that CMake does not list is left out of the installer without a word."""

import re
from pathlib import Path

import pytest
import update_cmake_lists

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("path", sorted(update_cmake_lists.wanted()), ids=lambda p: p.parent.name)
def test_lists_are_those_of_the_disk(path):
    assert path.read_text() == update_cmake_lists.wanted()[path], "run `make lists`"


def test_every_listed_file_exists():
    for path in update_cmake_lists.wanted():
        listed = re.findall(r"^  ([\w./-]+\.\w+)$", path.read_text(), flags=re.MULTILINE)
        assert listed
        for name in listed:
            assert (path.parent / name).is_file(), f"{path.parent.name}: {name}"


def test_the_extension_adds_every_folder_that_has_a_list():
    top = (ROOT / "CMakeLists.txt").read_text()
    for path in update_cmake_lists.wanted():
        assert f"add_subdirectory({path.parent.name})" in top
    assert "## NEXT_MODULE" in top


def test_the_extension_says_what_the_index_asks_for():
    top = (ROOT / "CMakeLists.txt").read_text()
    assert "project(SpineScrew)" in top
    for name in ("HOMEPAGE", "CONTRIBUTORS", "DESCRIPTION", "ICONURL", "SCREENSHOTURLS", "DEPENDS"):
        assert re.search(rf'^set\(EXTENSION_{name} "[^"]+"\)$', top, flags=re.MULTILINE), name


def test_pictures_named_by_the_extension_exist():
    top = (ROOT / "CMakeLists.txt").read_text()
    for path in re.findall(r"/main/([\w./-]+\.png)", top):
        assert (ROOT / path).is_file(), path


def test_no_other_python_file_lies_beside_a_module():
    for module in (path.parent for path in ROOT.glob("*/*Lib")):
        if (module / f"{module.name}.py").exists():
            assert [path.name for path in module.glob("*.py")] == [f"{module.name}.py"]
