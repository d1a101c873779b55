"""Write the file lists of the CMakeLists.txt anew from the files on disk.

A file that is not listed is silently left out of the installer; ``Testing/house`` holds the lists against the disk.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

LIBRARY_DATA = {".json", ".j2", ".css"}


def files(folder: Path, keep: set[str]) -> list[str]:
    """Paths below ``folder`` with one of the endings, relative to it, sorted."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix in keep)
    return sorted(path.relative_to(folder).as_posix() for path in found if "__pycache__" not in path.parts)


def library() -> str:
    """spinescrew/CMakeLists.txt."""
    scripts = files(ROOT / "spinescrew", {".py"})
    data = files(ROOT / "spinescrew", LIBRARY_DATA)
    return _macro("spinescrew", scripts, data, "  WITH_SUBDIR\n")


def resources() -> str:
    """Resources/CMakeLists.txt: the data, installed beside the library."""
    listed = "\n".join(f"  {name}" for name in files(ROOT / "Resources", {".json", ".csv", ".safetensors", ".md"}))
    return (
        "# Written by Utilities/update_cmake_lists.py\n"
        f"set(SPINESCREW_RESOURCES\n{listed}\n  )\n\n"
        "foreach(resource ${SPINESCREW_RESOURCES})\n"
        "  get_filename_component(folder ${resource} DIRECTORY)\n"
        "  set(place ${Slicer_QTSCRIPTEDMODULES_LIB_DIR}/spinescrew/Resources/${folder})\n"
        "  file(COPY ${CMAKE_CURRENT_SOURCE_DIR}/${resource} DESTINATION ${CMAKE_BINARY_DIR}/${place})\n"
        "  install(FILES ${resource} DESTINATION ${Slicer_INSTALL_ROOT}${place} COMPONENT RuntimeLibraries)\n"
        "endforeach()\n"
    )


def module(name: str) -> str:
    """<Module>/CMakeLists.txt."""
    folder = ROOT / name
    scripts = [f"{name}.py", *(f"{name}Lib/{path}" for path in files(folder / f"{name}Lib", {".py"}))]
    data = [f"Resources/{path}" for path in files(folder / "Resources", {".ui", ".png", ".svg", ".json", ".txt"})]
    tests = "\nif(BUILD_TESTING)\n  slicer_add_python_unittest(SCRIPT ${MODULE_NAME}.py)\nendif()\n"
    return _macro(name, scripts, data, "  WITH_GENERIC_TESTS\n") + tests


def _macro(name: str, scripts: list[str], data: list[str], options: str) -> str:
    listed = "\n".join(f"  {path}" for path in scripts)
    resources_listed = "\n".join(f"  {path}" for path in data)
    return (
        "# Written by Utilities/update_cmake_lists.py\n"
        f"set(MODULE_NAME {name})\n\n"
        f"set(MODULE_PYTHON_SCRIPTS\n{listed}\n  )\n\n"
        f"set(MODULE_PYTHON_RESOURCES\n{resources_listed}\n  )\n\n"
        "slicerMacroBuildScriptedModule(\n"
        "  NAME ${MODULE_NAME}\n"
        "  SCRIPTS ${MODULE_PYTHON_SCRIPTS}\n"
        "  RESOURCES ${MODULE_PYTHON_RESOURCES}\n"
        f"{options}"
        "  )\n"
    )


def wanted() -> dict[Path, str]:
    """Every generated file with what it should hold."""
    folders = [path.parent for path in sorted(ROOT.glob("*/*Lib"))]
    modules = [folder.name for folder in folders if (folder / f"{folder.name}.py").exists()]
    return {
        ROOT / "spinescrew" / "CMakeLists.txt": library(),
        ROOT / "Resources" / "CMakeLists.txt": resources(),
        **{ROOT / name / "CMakeLists.txt": module(name) for name in modules},
    }


def main() -> None:
    """Write them."""
    for path, text in wanted().items():
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
